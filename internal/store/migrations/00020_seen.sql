-- +goose Up

-- The last entry of the timeline that a command's writer had seen; null: they did not say.
ALTER TABLE commands ADD COLUMN seen int CONSTRAINT commands_seen_positive CHECK (seen >= 1);

-- A ticket's state also says where its latest words stand, as the fold of its events has it.
WITH listed AS (
    SELECT e.ticket, e.n, row_number() OVER (PARTITION BY e.ticket ORDER BY e.n) AS place
    FROM events e JOIN tickets t ON t.number = e.ticket
    WHERE e.kind IN ('submitted', 'assigned', 'customer-replied', 'agent-replied', 'information-requested', 'progress-told', 'resolved',
            'closed', 'reopened', 'nudged', 'paused', 'extended', 'resumed', 'policy-adopted', 'handed-back')
        OR e.kind = 'refused' AND e.data->'by'->>'id' = t.requester
), words AS (
    SELECT ticket, n, coalesce(data->'by'->>'id', '') AS by,
        kind IN ('submitted', 'customer-replied', 'agent-replied', 'information-requested', 'progress-told', 'resolved')
            AND data->'by'->>'role' <> 'customer' AS public
    FROM events WHERE message IS NOT NULL AND kind <> 'refused'
), last AS (
    SELECT DISTINCT ON (ticket) ticket, n, by FROM words ORDER BY ticket, n DESC
), other AS (
    SELECT DISTINCT ON (w.ticket) w.ticket, w.n, w.by FROM words w JOIN last USING (ticket) WHERE w.by <> last.by ORDER BY w.ticket, w.n DESC
), public AS (
    SELECT w.ticket, max(l.place) AS place FROM words w JOIN listed l USING (ticket, n) WHERE w.public GROUP BY w.ticket
), entries AS (
    SELECT ticket, count(*) AS n FROM listed GROUP BY ticket
)
UPDATE tickets t SET state = jsonb_set(t.state, '{ticket,written}', jsonb_strip_nulls(jsonb_build_object(
    'last', jsonb_build_object('n', last.n, 'by', last.by),
    'other', CASE WHEN other.n IS NOT NULL THEN jsonb_build_object('n', other.n, 'by', other.by) END,
    'listed', entries.n, 'public', public.place)))
FROM last JOIN entries USING (ticket) LEFT JOIN other USING (ticket) LEFT JOIN public USING (ticket)
WHERE t.number = last.ticket AND t.state IS NOT NULL;
