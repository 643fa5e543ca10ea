-- +goose Up

-- The load of the staff is counted from this index alone.
DROP INDEX tickets_of_agent;
CREATE INDEX tickets_of_agent ON tickets (assignee, owed_at, number) INCLUDE (snoozed_until, status) WHERE assignee IS NOT NULL AND status <> 'closed';
