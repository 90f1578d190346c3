-- Many partners' envelopes say no under HTTP's 200: an exchange keeps whether what was sent was taken.
ALTER TABLE exchange ADD COLUMN refused boolean NOT NULL DEFAULT false; -- by the envelope, whatever HTTP says
DROP INDEX exchange_failed;
CREATE INDEX exchange_failed ON exchange (tenant_id, at, id) WHERE refused OR status IS NULL OR status >= 400;
