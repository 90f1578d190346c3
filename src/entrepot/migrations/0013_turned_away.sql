-- Orders of partners that were turned away are counted and listed by themselves.

CREATE INDEX discrepancy_turned_away ON discrepancy (tenant_id, opened_at, id)
    WHERE resolved_at IS NULL AND kind IN ('not_taken', 'other_content');
