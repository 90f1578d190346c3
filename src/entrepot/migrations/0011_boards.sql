-- What people look for on the board of dispatch notes: what is not finished, and what is parked.

CREATE INDEX dispatch_note_unfinished ON dispatch_note (tenant_id, state, id) WHERE state <> 'done';
CREATE INDEX dispatch_note_parked ON dispatch_note (tenant_id, id) WHERE onward = 'parked';
