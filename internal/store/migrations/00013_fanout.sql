-- +goose Up

-- How far the open tickets have come to know of each edge of the gate. A record for people and for estimates: what holds
-- for a ticket is in its own row.
CREATE TABLE fanouts (
    edge_at    timestamptz(0) PRIMARY KEY,
    verb       text        NOT NULL CONSTRAINT fanouts_verb_known CHECK (verb IN ('emergency-pause', 'emergency-extend', 'emergency-resume')),
    emergency  text        NOT NULL CONSTRAINT fanouts_emergency REFERENCES emergencies,
    revision   bigint      NOT NULL, -- of the gate
    total      int         NOT NULL CONSTRAINT fanouts_total CHECK (total >= 0), -- open tickets behind the edge when it began
    told       int         NOT NULL DEFAULT 0, -- signals sent, those sent again too
    behind     int         NOT NULL, -- when it was last counted
    began_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    proven_at  timestamptz, -- since then every open ticket is as the gate wants it
    CONSTRAINT fanouts_proven_is_nobody_behind CHECK (proven_at IS NULL OR behind = 0)
);
CREATE INDEX fanouts_proven ON fanouts (proven_at) WHERE proven_at IS NOT NULL;
