-- +goose Up

-- When something last happened to a ticket that its requester may see; null: nothing since its submission. updated_at
-- moves with every step, so it told them of notes.
ALTER TABLE tickets ADD COLUMN shown_at timestamptz(0);
UPDATE tickets t SET shown_at = (
    SELECT max(e.recorded_at) FROM events e WHERE e.ticket = t.number AND (
        e.kind IN ('submitted', 'assigned', 'customer-replied', 'agent-replied', 'information-requested', 'progress-told', 'resolved',
            'closed', 'reopened', 'nudged', 'paused', 'extended', 'resumed', 'policy-adopted', 'handed-back', 'breached')
        OR e.data ? 'priority' OR e.data ? 'category' OR e.kind = 'refused' AND e.data->'by'->>'id' = t.requester));
