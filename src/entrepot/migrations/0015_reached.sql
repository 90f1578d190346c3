-- A keyed hash of how a partner was last reached: its address, the networks allowed, the secrets. Where it
-- changes, the calls that wait for their next try are due.
ALTER TABLE courier_state ADD COLUMN reach bytea;
