-- +goose Up

-- A step of the version before may be about to write there.
LOCK TABLE tickets, events, deliveries, promises, commands, outcomes, gate, fanouts, announcements, emergency_hands;

ALTER TABLE gate RENAME TO emergency_schedule;
ALTER TABLE emergency_schedule RENAME COLUMN told TO notified; -- the revision that the emergency workflow was last notified of
ALTER TABLE emergency_schedule RENAME CONSTRAINT gate_has_one_row TO emergency_schedule_has_one_row;
ALTER TABLE emergency_schedule RENAME CONSTRAINT gate_told_is_past TO emergency_schedule_notified_is_past;
ALTER INDEX gate_pkey RENAME TO emergency_schedule_pkey;

ALTER TABLE tickets RENAME COLUMN gate_at TO transitions_until; -- a step has applied every transition up to this instant
ALTER TABLE tickets RENAME COLUMN held TO paused_by;            -- the desk-wide emergency that pauses its clocks
ALTER TABLE tickets RENAME COLUMN rung TO escalation_step;

ALTER TABLE fanouts RENAME COLUMN edge_at TO transition_at;
ALTER TABLE fanouts RENAME COLUMN told TO notified; -- signals sent, repeated ones too
ALTER TABLE fanouts RENAME COLUMN proven_at TO verified_at;
ALTER TABLE fanouts RENAME CONSTRAINT fanouts_proven_is_nobody_behind TO fanouts_verified_is_none_behind;
ALTER INDEX fanouts_proven RENAME TO fanouts_verified;

ALTER TABLE announcements RENAME COLUMN tells TO kind;
ALTER TABLE announcements RENAME COLUMN proven_at TO verified_at;
ALTER TABLE announcements RENAME CONSTRAINT announcements_tells_known TO announcements_kind_known;

ALTER TABLE deliveries RENAME COLUMN rung TO escalation_step;
ALTER TABLE deliveries RENAME COLUMN broken_at TO breached_at;
ALTER TABLE deliveries RENAME COLUMN told TO failure_event; -- the event that records the failure
ALTER TABLE deliveries RENAME CONSTRAINT deliveries_rung TO deliveries_escalation_step;
ALTER TABLE deliveries RENAME CONSTRAINT deliveries_told TO deliveries_failure_event;
ALTER TABLE deliveries RENAME CONSTRAINT deliveries_told_of_failure TO deliveries_failure_event_of_failure;

-- Manual commands: sent from Temporal UI.
ALTER TABLE commands RENAME COLUMN hand_key TO manual_key;
ALTER TABLE commands RENAME COLUMN hand_run TO manual_run;
ALTER TABLE commands RENAME CONSTRAINT commands_by_somebody_or_hand TO commands_by_person_or_manual;
ALTER INDEX commands_hand_key RENAME TO commands_manual_key;
ALTER TABLE emergency_hands RENAME TO emergency_manual_commands;
ALTER INDEX emergency_hands_pkey RENAME TO emergency_manual_commands_pkey;

-- The SLA statuses, by their first letters: pending, met, breached, cancelled.
ALTER TABLE promises RENAME COLUMN verdict TO sla_status;
ALTER TABLE promises DROP CONSTRAINT promises_verdict_known, DROP CONSTRAINT promises_taken_of_verdict;
UPDATE promises SET sla_status = CASE sla_status WHEN 'o' THEN 'p' WHEN 'k' THEN 'm' ELSE 'c' END::"char" WHERE sla_status <> 'b';
ALTER TABLE promises
    ADD CONSTRAINT promises_sla_status_known CHECK (sla_status IN ('p', 'm', 'b', 'c')),
    ADD CONSTRAINT promises_taken_of_sla_status CHECK (sla_status = 'b' OR (sla_status = 'm') = (taken IS NOT NULL));

-- +goose StatementBegin
CREATE FUNCTION pg_temp.renamed(o jsonb, VARIADIC names text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(coalesce(names[array_position(names, key) + 1], key), value), o) FROM jsonb_each(o)
$$;
-- +goose StatementEnd

UPDATE events SET kind = new, data = jsonb_set(data, '{kind}', to_jsonb(new))
FROM (VALUES ('progress-told', 'progress-updated'), ('nobody-available', 'no-agent-available'), ('call-failed', 'webhook-failed')) AS k (old, new)
WHERE kind = old;
UPDATE events SET data = pg_temp.renamed(data, 'rung', 'escalation_step') WHERE data ? 'rung';

UPDATE events SET data = jsonb_set(data, '{code}', to_jsonb(new))
FROM (VALUES ('words-missing', 'message-missing'), ('unseen-words', 'unseen-messages')) AS c (old, new) WHERE kind = 'refused' AND data->>'code' = old;
UPDATE outcomes SET code = new
FROM (VALUES ('words-missing', 'message-missing'), ('unseen-words', 'unseen-messages')) AS c (old, new) WHERE code = old;

UPDATE tickets SET state = pg_temp.renamed(state, 'rung', 'escalation_step', 'shown', 'search_fields')
    || jsonb_build_object('ticket', pg_temp.renamed(state->'ticket',
            'ranked', 'priority_changed_at', 'silent', 'silence_before', 'returned', 'before_bounce', 'written', 'latest_messages')
        || jsonb_build_object(
            'first_response', pg_temp.renamed(state->'ticket'->'first_response', 'ladder_from', 'escalation_from', 'rungs', 'escalation_steps'),
            'resolution', pg_temp.renamed(state->'ticket'->'resolution', 'ladder_from', 'escalation_from', 'rungs', 'escalation_steps')))
    || CASE WHEN state ? 'shown' THEN jsonb_build_object('search_fields', pg_temp.renamed(state->'shown', 'unheard', 'awaiting_delivery')) ELSE '{}' END
    || CASE WHEN state ? 'next' THEN jsonb_build_object('next', pg_temp.renamed(state->'next', 'rung', 'escalation_step')
        || CASE state->'next'->>'kind' WHEN 'rung' THEN '{"kind": "escalation-step"}' ELSE '{}' END::jsonb) ELSE '{}' END
WHERE state IS NOT NULL;

DROP FUNCTION pg_temp.renamed(jsonb, text[]);

-- Saved filters are queries of the panel's list.
UPDATE saved_filters SET query = replace(query, 'escalated=unanswered', 'escalated=unacknowledged')
WHERE query LIKE '%escalated=unanswered%' AND length(query) <= 1996;

-- The queues leave out snoozed tickets, and are counted from these indexes alone.
DROP INDEX tickets_waiting, tickets_resolved, tickets_unassigned, tickets_of_agent;
CREATE INDEX tickets_waiting ON tickets (next_due, number) INCLUDE (snoozed_until) WHERE status = 'waiting';
CREATE INDEX tickets_resolved ON tickets (next_due, number) INCLUDE (snoozed_until) WHERE status = 'resolved';
CREATE INDEX tickets_unassigned ON tickets (next_due, number) INCLUDE (snoozed_until) WHERE assignee IS NULL AND status <> 'closed';
CREATE INDEX tickets_of_agent ON tickets (assignee, owed_at, number) INCLUDE (snoozed_until) WHERE assignee IS NOT NULL AND status <> 'closed';

-- Workflows that began before this version carry fields under names that its code does not have, so each that is needed is
-- replaced, as after a restore: the reconciler does that once a worker runs. The emergency workflow runs as soon as there is
-- a policy, with tickets or without.
INSERT INTO replacements
SELECT t.number FROM tickets t WHERE t.status <> 'closed' OR t.taken < t.last_command
    OR EXISTS (SELECT FROM deliveries WHERE ticket = t.number AND status = 'owed')
ON CONFLICT DO NOTHING;
INSERT INTO replacements SELECT 'emergency' WHERE EXISTS (SELECT FROM policies) ON CONFLICT DO NOTHING;
UPDATE epoch SET number = greatest(number + 1, floor(extract(epoch FROM clock_timestamp()))::bigint), raised_at = clock_timestamp(),
    raised_by = 'migrate', reason = 'workflows of an earlier version', replaced_at = NULL
WHERE EXISTS (SELECT FROM replacements);
