-- +goose Up

-- What one process does at a time, and which. A process that is frozen loses its lease by time alone.
CREATE TABLE leases (
    name   text        PRIMARY KEY,
    holder text        NOT NULL,
    until  timestamptz NOT NULL
);

-- The reconciler's one row: what it saw last.
CREATE TABLE reconciler (
    one          boolean     PRIMARY KEY DEFAULT true CONSTRAINT reconciler_has_one_row CHECK (one),
    looked_at    timestamptz,                -- the last look that was carried through
    audit_began  timestamptz,                -- the last audit, or the one under way
    audit_ended  timestamptz,                -- null while it is under way
    audited      bigint      NOT NULL DEFAULT 0, -- tickets compared in it so far
    restarted    bigint      NOT NULL DEFAULT 0, -- workflows started anew, ever
    restarted_at timestamptz                 -- the last of them
);
INSERT INTO reconciler DEFAULT VALUES;

-- Tickets with something overdue, undecided or owed, and when the reconciler looks at each again. It references no ticket:
-- a look must not lock one. mark changes when the ticket moves.
CREATE TABLE ticket_checks (
    ticket  text        PRIMARY KEY,
    found   text        NOT NULL CONSTRAINT ticket_checks_found_known CHECK (found IN ('missing', 'restarted', 'running', 'trying')),
    tries   int         NOT NULL, -- looks since it last moved
    mark    text        NOT NULL,
    since   timestamptz NOT NULL DEFAULT clock_timestamp(), -- when it was first found like this
    next_at timestamptz NOT NULL
);
CREATE INDEX ticket_checks_next ON ticket_checks (next_at);

-- What a process writes to see that writes go on: see Store.Writable.
CREATE TABLE write_probe (
    one        boolean     PRIMARY KEY DEFAULT true CONSTRAINT write_probe_has_one_row CHECK (one),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO write_probe DEFAULT VALUES;

-- An audit pages through the tickets that owe something by their numbers, closed ones too. mails_waiting and calls_owed are
-- by time.
CREATE INDEX mails_owing ON mails (ticket) WHERE status = 'owed';
CREATE INDEX calls_owing ON calls (ticket) WHERE status = 'owed';
