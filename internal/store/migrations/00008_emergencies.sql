-- +goose Up

-- The gate's one row. Whoever changes an emergency takes the exclusive advisory lock that acceptance and steps share,
-- reads the clock once it has it, and counts revision up. told is how far the workflow Emergency has been told.
CREATE TABLE gate (
    one      boolean PRIMARY KEY DEFAULT true CONSTRAINT gate_has_one_row CHECK (one),
    revision bigint  NOT NULL DEFAULT 0,
    told     bigint  NOT NULL DEFAULT 0 CONSTRAINT gate_told_is_past CHECK (told >= 0 AND told <= revision)
);
INSERT INTO gate DEFAULT VALUES;

-- Emergencies as they stand now. What lies before the last change never changes any more.
CREATE TABLE emergencies (
    id           text           PRIMARY KEY CONSTRAINT emergencies_id_shape CHECK (id ~ '^E-[0-9A-HJKMNP-TV-Z]{10}$'),
    kind         text           NOT NULL CONSTRAINT emergencies_kind_known CHECK (kind IN ('closed', 'delayed')),
    notice       text           NOT NULL CONSTRAINT emergencies_notice_length CHECK (length(notice) BETWEEN 1 AND 1000),
    starts_at    timestamptz(0) NOT NULL,
    ends_at      timestamptz(0) NOT NULL DEFAULT 'infinity',
    cancelled_at timestamptz(0), -- before it began
    declared_by  text           CONSTRAINT emergencies_declared_by REFERENCES people, -- null: by hand, in Temporal UI
    declared_at  timestamptz    NOT NULL DEFAULT clock_timestamp(),
    revision     bigint         NOT NULL, -- of the gate, at its last change
    key          text,
    fingerprint  bytea,
    CONSTRAINT emergencies_ends_after_start CHECK (ends_at > starts_at),
    CONSTRAINT emergencies_cancelled_before CHECK (cancelled_at IS NULL OR cancelled_at <= starts_at),
    CONSTRAINT emergencies_fingerprint_of_key CHECK ((key IS NULL) = (fingerprint IS NULL))
);
CREATE INDEX emergencies_lasting ON emergencies (ends_at) WHERE cancelled_at IS NULL;
CREATE UNIQUE INDEX emergencies_key ON emergencies (declared_by, key) WHERE key IS NOT NULL;

-- How much longer a delayed one makes targets, from when on.
CREATE TABLE emergency_delays (
    emergency text           NOT NULL CONSTRAINT emergency_delays_emergency REFERENCES emergencies,
    starts_at timestamptz(0) NOT NULL,
    seconds   bigint         NOT NULL CONSTRAINT emergency_delays_seconds CHECK (seconds BETWEEN 0 AND 31622400),
    CONSTRAINT emergency_delays_pkey PRIMARY KEY (emergency, starts_at)
);

-- Who did what to an emergency, for good. plan is the emergency after the change.
CREATE TABLE emergency_changes (
    revision  bigint      PRIMARY KEY,
    emergency text        NOT NULL CONSTRAINT emergency_changes_emergency REFERENCES emergencies,
    act       text        NOT NULL CONSTRAINT emergency_changes_act_known CHECK (act IN ('declared', 'changed', 'lifted', 'cancelled')),
    by_person text        CONSTRAINT emergency_changes_by_person REFERENCES people, -- null: by hand
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    plan      jsonb       NOT NULL
);
CREATE INDEX emergency_changes_of ON emergency_changes (emergency, revision);

-- gate_at: a step has seen every edge of the gate up to this instant. held: the gate's emergency that stops its clocks.
ALTER TABLE tickets ADD COLUMN gate_at timestamptz(0) NOT NULL DEFAULT '-infinity',
                    ADD COLUMN held    text;
CREATE INDEX tickets_open ON tickets (number) WHERE status <> 'closed';

-- A ticket remembers each emergency that touched it, no longer only the last one of each kind. Until now there were only
-- those declared by hand on one ticket, and no two of them paused it at once.
UPDATE tickets t SET state = jsonb_set(
    t.state #- '{ticket,emergency}' #- '{ticket,emergency_since}' #- '{ticket,delayed}', '{ticket,emergencies}', e.stays)
FROM (
    SELECT b.ticket, jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', b.data->'emergency', 'from', b.data->'at', 'until',
        CASE b.kind WHEN 'extended' THEN b.data->'at' ELSE (
            SELECT r.data->'at' FROM events r WHERE r.ticket = b.ticket AND r.kind = 'resumed' AND r.n > b.n ORDER BY r.n LIMIT 1
        ) END)) ORDER BY b.n) AS stays
    FROM events b WHERE b.kind IN ('paused', 'extended') GROUP BY b.ticket
) e WHERE t.number = e.ticket;
