-- +goose Up

-- What an agent asked for: until when a ticket sleeps.
ALTER TABLE commands ADD COLUMN IF NOT EXISTS until timestamptz(0);

-- Null: the ticket is awake. Accepting a command changes no column of the index.
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS snoozed_until timestamptz(0);
CREATE INDEX IF NOT EXISTS tickets_snoozed ON tickets (snoozed_until, number) WHERE snoozed_until IS NOT NULL;
