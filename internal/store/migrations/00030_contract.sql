-- +goose Up

-- Workflows that began before this version carry fields, and ask for activities, under names that its code does not have,
-- so each that is needed is replaced, as after a restore: the reconciler does that once a worker runs.
INSERT INTO replacements
SELECT number FROM tickets WHERE status <> 'closed' OR taken < last_command
ON CONFLICT DO NOTHING;
-- +goose StatementBegin
DO $$
BEGIN
    IF to_regclass('deliveries') IS NOT NULL THEN
        EXECUTE 'INSERT INTO replacements SELECT DISTINCT ticket FROM deliveries WHERE ticket IS NOT NULL AND status = ''owed'' ON CONFLICT DO NOTHING';
    ELSE
        EXECUTE 'INSERT INTO replacements SELECT ticket FROM mails WHERE status = ''owed''
            UNION SELECT ticket FROM calls WHERE status = ''owed'' ON CONFLICT DO NOTHING';
    END IF;
END
$$;
-- +goose StatementEnd
INSERT INTO replacements SELECT 'emergency' WHERE EXISTS (SELECT FROM tickets) ON CONFLICT DO NOTHING;
UPDATE epoch SET number = greatest(number + 1, floor(extract(epoch FROM clock_timestamp()))::bigint), raised_at = clock_timestamp(),
    raised_by = 'migrate', reason = 'workflows of an earlier version', replaced_at = NULL
WHERE EXISTS (SELECT FROM replacements);
