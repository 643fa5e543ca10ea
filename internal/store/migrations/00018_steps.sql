-- +goose Up

-- Signals by hand. hand_run is the workflow's run that delivered one first: delivered again by the same run it is the same
-- signal, and delivered again by another one, after a reset, it is refused as a repetition of the command "repeats".
ALTER TABLE commands
    ADD COLUMN hand_run text,
    ADD COLUMN repeats  bigint;

-- Signals by hand to the workflow Emergency, by their keys, likewise. result is null while one is carried out.
CREATE TABLE emergency_hands (
    key    text        PRIMARY KEY,
    run    text        NOT NULL,
    result jsonb,
    at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Tickets of which something that is due, or an edge of the gate, can't be recorded: a defect of Supportdesk. It is tried
-- again and never dropped; the row goes when it succeeds.
CREATE TABLE parked_steps (
    ticket   text        PRIMARY KEY CONSTRAINT parked_steps_ticket REFERENCES tickets,
    since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    tries    int         NOT NULL DEFAULT 1,
    retry_at timestamptz NOT NULL,
    reason   text        NOT NULL -- SQLSTATE and constraint, or the domain's complaint
);
