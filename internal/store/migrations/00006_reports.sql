-- +goose Up

-- What a promise is charged to, under a number: reports count 100,000 promises by it, and by three texts that would
-- take three times as long. There are few, and none ever goes.
CREATE TABLE charges (
    id       int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    priority text NOT NULL,
    category text NOT NULL,
    agent    text CONSTRAINT charges_agent REFERENCES people -- null: nobody
);
CREATE UNIQUE INDEX charges_once ON charges (priority, category, coalesce(agent, ''));

-- +goose StatementBegin
CREATE FUNCTION charge_of(p text, c text, a text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    found_id int;
BEGIN
    LOOP
        SELECT id INTO found_id FROM charges WHERE priority = p AND category = c AND coalesce(agent, '') = coalesce(a, '');
        IF found_id IS NOT NULL THEN
            RETURN found_id;
        END IF;
        INSERT INTO charges (priority, category, agent) VALUES (p, c, nullif(a, '')) ON CONFLICT DO NOTHING;
    END LOOP;
END $$;
-- +goose StatementEnd

-- What reports count of each promise. A step writes it in its transaction, when it changes. It is charged to what the
-- ticket had when the verdict fell, and while the promise is owed to what it has now.
CREATE TABLE promises (
    ticket       text           NOT NULL CONSTRAINT promises_ticket REFERENCES tickets,
    clock        text           NOT NULL CONSTRAINT promises_clock_known CHECK (clock IN ('first_response', 'resolution')),
    submitted_at timestamptz(0) NOT NULL,
    charge       int            NOT NULL CONSTRAINT promises_charge REFERENCES charges,
    taken        int            CONSTRAINT promises_taken CHECK (taken >= 0),     -- seconds from submission to delivery
    counted      int            CONSTRAINT promises_counted CHECK (counted >= 0), -- of them, as the clock counts
    verdict      "char"         NOT NULL CONSTRAINT promises_verdict_known
                                CHECK (verdict IN ('o', 'k', 'b', 'd')), -- owed, kept, broken, dropped
    CONSTRAINT promises_pkey PRIMARY KEY (ticket, clock),
    CONSTRAINT promises_taken_is_counted CHECK ((taken IS NULL) = (counted IS NULL)),
    CONSTRAINT promises_taken_of_verdict CHECK (verdict = 'b' OR (verdict = 'k') = (taken IS NOT NULL))
) WITH (fillfactor = 85);
CREATE INDEX promises_of_period ON promises (clock, submitted_at) INCLUDE (charge, taken, counted, verdict);

-- Tickets from before this table.
INSERT INTO promises (ticket, clock, submitted_at, verdict, charge, taken, counted)
SELECT t.number, c.clock, t.submitted_at, left(v.verdict, 1)::"char",
    charge_of(coalesce(fell.priority, t.priority), coalesce(fell.category, t.category),
        CASE WHEN f.n IS NULL THEN t.assignee ELSE fell.assignee END),
    extract(epoch FROM met.at - t.submitted_at)::int,
    CASE WHEN met.at IS NOT NULL THEN coalesce((
        SELECT (l.entry->>'used')::int FROM jsonb_array_elements(p.promise->'clock'->'ledger') WITH ORDINALITY AS l (entry, i)
        WHERE l.entry->>'act' = 'settled' ORDER BY l.i DESC LIMIT 1), 0) END
FROM tickets t
CROSS JOIN (VALUES ('first_response'), ('resolution')) AS c (clock)
CROSS JOIN LATERAL (SELECT t.state->'ticket'->c.clock AS promise) p
CROSS JOIN LATERAL (SELECT (p.promise->>'met_at')::timestamptz AS at) met
CROSS JOIN LATERAL (SELECT CASE
    WHEN p.promise ? 'breached_at' THEN 'broken'
    WHEN met.at IS NOT NULL THEN 'kept'
    WHEN t.status = 'closed' THEN 'dropped'
    ELSE 'owed' END AS verdict) v
CROSS JOIN LATERAL (SELECT CASE v.verdict -- the event with which the verdict fell
    WHEN 'broken' THEN (SELECT min(e.n) FROM events e WHERE e.ticket = t.number AND e.kind = 'breached' AND e.data->>'promise' = c.clock)
    WHEN 'dropped' THEN (SELECT max(e.n) FROM events e WHERE e.ticket = t.number AND e.kind = 'closed')
    WHEN 'kept' THEN CASE c.clock
        WHEN 'first_response' THEN (SELECT min(e.n) FROM events e WHERE e.ticket = t.number AND (e.data->>'answers')::boolean)
        ELSE (SELECT max(e.n) FROM events e WHERE e.ticket = t.number AND e.kind = 'resolved') END
    END AS n) f
CROSS JOIN LATERAL (SELECT
    (SELECT e.data->>'priority' FROM events e WHERE e.ticket = t.number AND e.n <= f.n AND e.data ? 'priority' ORDER BY e.n DESC LIMIT 1) AS priority,
    (SELECT e.data->>'category' FROM events e WHERE e.ticket = t.number AND e.n <= f.n AND e.data ? 'category' ORDER BY e.n DESC LIMIT 1) AS category,
    (SELECT e.data->>'assignee' FROM events e WHERE e.ticket = t.number AND e.n <= f.n AND e.data ? 'assignee' ORDER BY e.n DESC LIMIT 1) AS assignee) fell
WHERE t.state IS NOT NULL;

-- What the dashboard counts.
CREATE INDEX tickets_living ON tickets (submitted_at) WHERE status <> 'closed';
CREATE INDEX tickets_escalated ON tickets (rung DESC, owed_at, number) WHERE rung > 0 AND status <> 'closed';

ALTER TABLE mails ADD COLUMN owed_at timestamptz;
UPDATE mails m SET owed_at = (SELECT e.recorded_at FROM events e WHERE e.ticket = m.ticket AND e.n = m.event);
ALTER TABLE mails ALTER COLUMN owed_at SET DEFAULT clock_timestamp(), ALTER COLUMN owed_at SET NOT NULL;
CREATE INDEX mails_waiting ON mails (owed_at) WHERE status = 'owed';
CREATE INDEX mails_bounced ON mails (settled_at DESC) WHERE status = 'bounced';
