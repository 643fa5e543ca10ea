-- +goose NO TRANSACTION
-- +goose Up

-- When something last happened to a ticket that its requester may see; null: nothing since its submission. updated_at
-- moves with every step, so it told them of notes.
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS shown_at timestamptz(0);

-- In batches, as where the latest words stand.
-- +goose StatementBegin
DO $$
DECLARE
    batch text[];
    after text := '';
BEGIN
    LOOP
        SELECT array_agg(number), max(number) INTO batch, after FROM (
            SELECT number FROM tickets WHERE number > after AND shown_at IS NULL
            ORDER BY number LIMIT 200 FOR NO KEY UPDATE) missing;
        EXIT WHEN batch IS NULL;
        UPDATE tickets t SET shown_at = (
            SELECT max(e.recorded_at) FROM events e WHERE e.ticket = t.number AND (
                e.kind IN ('submitted', 'assigned', 'customer-replied', 'agent-replied', 'information-requested', 'progress-told', 'resolved',
                    'closed', 'reopened', 'nudged', 'paused', 'extended', 'resumed', 'policy-adopted', 'handed-back', 'breached')
                OR e.data ? 'priority' OR e.data ? 'category' OR e.kind = 'refused' AND e.data->'by'->>'id' = t.requester))
        WHERE number = ANY (batch);
        COMMIT;
    END LOOP;
END $$;
-- +goose StatementEnd
