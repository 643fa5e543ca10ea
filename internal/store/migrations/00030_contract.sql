-- +goose Up

-- Workflows that began before this version carry fields, and ask for activities, under names that its code does not have,
-- so each that is needed is replaced, as after a restore: the reconciler does that once a worker runs.
INSERT INTO replacements
SELECT t.number FROM tickets t WHERE t.status <> 'closed' OR t.taken < t.last_command
    OR EXISTS (SELECT FROM deliveries WHERE ticket = t.number AND status = 'owed')
ON CONFLICT DO NOTHING;
-- The emergency workflow runs as soon as there is a policy, with tickets or without.
INSERT INTO replacements SELECT 'emergency' WHERE EXISTS (SELECT FROM policies) ON CONFLICT DO NOTHING;
UPDATE epoch SET number = greatest(number + 1, floor(extract(epoch FROM clock_timestamp()))::bigint), raised_at = clock_timestamp(),
    raised_by = 'migrate', reason = 'workflows of an earlier version', replaced_at = NULL
WHERE EXISTS (SELECT FROM replacements);
