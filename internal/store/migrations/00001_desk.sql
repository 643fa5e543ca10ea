-- +goose Up

-- Published policies. A version is what tickets are pinned to, so it never changes and never goes.
CREATE TABLE policies (
    version      bigint      PRIMARY KEY CONSTRAINT policies_version_positive CHECK (version > 0),
    document     bytea       NOT NULL,
    sha          bytea       NOT NULL CONSTRAINT policies_sha_of_document CHECK (sha = sha256(document)),
    author       text        NOT NULL,
    reason       text        NOT NULL,
    effective_at timestamptz NOT NULL
);

-- +goose StatementBegin
CREATE FUNCTION policies_are_for_good() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published policy never changes' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd

CREATE TRIGGER policies_for_good BEFORE UPDATE OR DELETE ON policies
    FOR EACH ROW EXECUTE FUNCTION policies_are_for_good();

-- Everybody the desk knows.
CREATE TABLE people (
    id          text        PRIMARY KEY CONSTRAINT people_id_shape CHECK (id ~ '^P-[0-9A-HJKMNP-TV-Z]{10}$'),
    role        text        NOT NULL CONSTRAINT people_role_known
                            CHECK (role IN ('customer', 'agent', 'supervisor', 'administrator')),
    name        text        NOT NULL,
    address     text        NOT NULL CONSTRAINT people_address_shape CHECK (address ~ '^[^@]+@[^@]+$'),
    handle      text        CONSTRAINT people_handle_shape CHECK (handle ~ '^[A-Za-z0-9-]{1,40}$'),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    disabled_at timestamptz,
    -- A handle is what histories show of staff; a customer is never shown there.
    CONSTRAINT people_handle_of_staff CHECK ((role = 'customer') = (handle IS NULL)),
    -- Else it could be taken for somebody's ID.
    CONSTRAINT people_handle_no_id CHECK (upper(handle) !~ '^P-[0-9A-HJKMNP-TV-Z]{10}$')
);
CREATE UNIQUE INDEX people_address ON people (lower(address));
CREATE UNIQUE INDEX people_handle ON people (lower(handle));
CREATE INDEX people_staff ON people (role, id) WHERE role <> 'customer';

-- A token is kept as its SHA-256 only.
CREATE TABLE tokens (
    hash       bytea       PRIMARY KEY CONSTRAINT tokens_hash_length CHECK (length(hash) = 32),
    person     text        NOT NULL CONSTRAINT tokens_person REFERENCES people,
    label      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at timestamptz
);
CREATE INDEX tokens_of_person ON tokens (person);

-- A ticket as its last step left it. Only a step writes its state; acceptance writes last_command and latest_at. A
-- rush of submissions pays for every expression here, so what can't be wrong in a row without state is checked by the
-- trigger below. timestamptz(0): instants are whole seconds.
CREATE TABLE tickets (
    number       text           PRIMARY KEY CONSTRAINT tickets_number_shape
                                CHECK (number ~ '^[A-Z0-9]{1,8}-[0-9A-HJKMNP-TV-Z]{10}$'),
    requester    text           NOT NULL CONSTRAINT tickets_requester REFERENCES people,
    policy       bigint         NOT NULL CONSTRAINT tickets_policy REFERENCES policies,
    order_number text,
    follows      text           CONSTRAINT tickets_follows REFERENCES tickets,
    submitted_at timestamptz(0) NOT NULL,
    updated_at   timestamptz(0) NOT NULL,
    latest_at    timestamptz(0) NOT NULL, -- no later command is accepted before this instant

    last_command bigint         NOT NULL, -- accepted
    taken        bigint         NOT NULL DEFAULT 0, -- the last command that a step has decided
    events       int            NOT NULL DEFAULT 0,
    mails        int            NOT NULL DEFAULT 0,

    status       text           NOT NULL CONSTRAINT tickets_status_known
                                CHECK (status IN ('new', 'open', 'waiting', 'resolved', 'closed')),
    priority     text           NOT NULL CONSTRAINT tickets_priority_known
                                CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    category     text           NOT NULL,
    assignee     text           CONSTRAINT tickets_assignee REFERENCES people,
    next_due     timestamptz(0) NOT NULL DEFAULT 'infinity', -- the next moment; infinity when there is none
    promise_due  timestamptz(0) NOT NULL DEFAULT 'infinity', -- the earliest promise that runs, unmet and unbroken
    breached     boolean        NOT NULL DEFAULT false,      -- a promise was broken and is owed still
    rung         int            NOT NULL DEFAULT 0,
    state        jsonb,                                      -- ticket.State; null until the first step

    CONSTRAINT tickets_taken_was_accepted CHECK (taken >= 0 AND taken <= last_command)
) WITH (fillfactor = 85);

-- +goose StatementBegin
CREATE FUNCTION tickets_row_is_state() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    t jsonb := NEW.state->'ticket';
BEGIN
    IF NEW.taken = 0 AND NEW.state IS NULL AND NEW.events = 0 AND NEW.mails = 0 THEN
        RETURN NEW;
    END IF;
    IF ((NEW.state->>'command')::bigint, (NEW.state->>'mails')::int, (t->>'events')::int, (t->>'policy')::bigint)
           IS DISTINCT FROM (NEW.taken, NEW.mails, NEW.events, NEW.policy)
       OR (t->>'number', t->>'requester', t->>'status', t->>'priority', t->>'category')
           IS DISTINCT FROM (NEW.number, NEW.requester, NEW.status, NEW.priority, NEW.category)
       OR t->>'assignee' IS DISTINCT FROM NEW.assignee
       OR NEW.taken < OLD.taken OR NEW.events < OLD.events OR NEW.mails < OLD.mails
       OR NEW.last_command < OLD.last_command OR NEW.latest_at < OLD.latest_at THEN
        RAISE EXCEPTION 'the row of ticket % is not its state', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tickets_row_is_state';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER tickets_row_is_state BEFORE UPDATE OF state, taken, events, mails, status, assignee ON tickets
    FOR EACH ROW EXECUTE FUNCTION tickets_row_is_state();

-- Staff's lists run by the next moment, a customer's by submission.
CREATE INDEX tickets_by_due ON tickets (next_due, number);
CREATE INDEX tickets_waiting ON tickets (next_due, number) WHERE status = 'waiting';
CREATE INDEX tickets_resolved ON tickets (next_due, number) WHERE status = 'resolved';
CREATE INDEX tickets_by_assignee ON tickets (assignee, next_due, number) WHERE assignee IS NOT NULL;
CREATE INDEX tickets_unassigned ON tickets (next_due, number) WHERE assignee IS NULL AND status <> 'closed';
CREATE INDEX tickets_breached ON tickets (next_due, number) WHERE breached AND status <> 'closed';
CREATE INDEX tickets_due_soon ON tickets (next_due, number) WHERE promise_due < 'infinity' AND status <> 'closed';
CREATE INDEX tickets_by_requester ON tickets (requester, submitted_at DESC, number DESC);
CREATE INDEX tickets_following ON tickets (follows) WHERE follows IS NOT NULL;

-- What people wrote, and nowhere else.
CREATE TABLE messages (
    id       bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket   text    NOT NULL CONSTRAINT messages_ticket REFERENCES tickets,
    subject  text    CONSTRAINT messages_subject_length CHECK (length(subject) BETWEEN 1 AND 200), -- of a submission
    body     text    NOT NULL CONSTRAINT messages_body_length CHECK (octet_length(body) <= 65536),
    internal boolean NOT NULL DEFAULT false, -- for staff's eyes
    search   tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', coalesce(subject, '') || ' ' || body)) STORED
);
CREATE INDEX messages_of_ticket ON messages (ticket);
CREATE INDEX messages_search ON messages USING gin (search);

-- What was asked of a ticket, in order. A command never changes.
CREATE TABLE commands (
    ticket      text           NOT NULL CONSTRAINT commands_ticket REFERENCES tickets,
    seq         bigint         NOT NULL CONSTRAINT commands_seq_positive CHECK (seq >= 1),
    verb        text           NOT NULL,
    by_person   text           CONSTRAINT commands_by_person REFERENCES people, -- null: by hand, in Temporal UI
    by_role     text           NOT NULL,
    accepted_at timestamptz(0) NOT NULL,
    message     bigint         CONSTRAINT commands_message REFERENCES messages,
    assignee    text           CONSTRAINT commands_assignee REFERENCES people,
    priority    text           CONSTRAINT commands_priority_known CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    category    text,
    emergency   text,
    extension   bigint, -- seconds
    malformed   boolean        NOT NULL DEFAULT false,
    key         text,   -- makes a repeated request be accepted once
    fingerprint bytea,
    hand_key    text,   -- likewise for a signal that came by hand
    CONSTRAINT commands_pkey PRIMARY KEY (ticket, seq),
    CONSTRAINT commands_by_somebody_or_hand CHECK ((by_person IS NULL) = (hand_key IS NOT NULL)),
    CONSTRAINT commands_fingerprint_of_key CHECK ((key IS NULL) = (fingerprint IS NULL)),
    CONSTRAINT commands_submission_first CHECK (seq > 1 OR (verb = 'submit' AND message IS NOT NULL))
);
CREATE UNIQUE INDEX commands_key ON commands (by_person, key) WHERE key IS NOT NULL;
CREATE UNIQUE INDEX commands_hand_key ON commands (ticket, hand_key) WHERE hand_key IS NOT NULL;

-- Commands that Temporal has not been told of yet. The relay locks these rows and no others, so it holds up no step.
CREATE TABLE undelivered (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket     text        NOT NULL,
    seq        bigint      NOT NULL,
    tries      int         NOT NULL DEFAULT 0, -- that failed; above 0 it also holds back its ticket's later commands
    not_before timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE INDEX undelivered_first ON undelivered (id) WHERE tries = 0 AND seq = 1;
CREATE INDEX undelivered_later ON undelivered (id) WHERE tries = 0 AND seq > 1;
CREATE INDEX undelivered_again ON undelivered (not_before) WHERE tries > 0;
CREATE INDEX undelivered_held ON undelivered (ticket) WHERE tries > 0 OR seq = 1;

-- The desk's answer to each command that was taken.
CREATE TABLE outcomes (
    ticket     text        NOT NULL,
    seq        bigint      NOT NULL,
    refused    boolean     NOT NULL,
    code       text        NOT NULL,
    reason     text        NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT outcomes_pkey PRIMARY KEY (ticket, seq),
    CONSTRAINT outcomes_command FOREIGN KEY (ticket, seq) REFERENCES commands,
    CONSTRAINT outcomes_code_of_refusal CHECK (refused = (code <> ''))
);

-- The timeline. data is the whole ticket.Event.
CREATE TABLE events (
    ticket      text        NOT NULL CONSTRAINT events_ticket REFERENCES tickets,
    n           int         NOT NULL CONSTRAINT events_n_positive CHECK (n >= 1),
    kind        text        NOT NULL,
    at          timestamptz(0) NOT NULL,
    message     bigint      CONSTRAINT events_message REFERENCES messages,
    data        jsonb       NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT events_pkey PRIMARY KEY (ticket, n),
    CONSTRAINT events_data_is_row CHECK ((data->>'n')::int = n AND data->>'kind' = kind)
);

-- Mails that events owe, and what became of them.
CREATE TABLE mails (
    ticket        text NOT NULL CONSTRAINT mails_ticket REFERENCES tickets,
    n             int  NOT NULL CONSTRAINT mails_n_positive CHECK (n >= 1),
    event         int  NOT NULL,
    kind          text NOT NULL,
    person        text NOT NULL CONSTRAINT mails_person REFERENCES people,
    clock         text CONSTRAINT mails_clock_known CHECK (clock IN ('first_response', 'resolution')),
    rung          int  NOT NULL CONSTRAINT mails_rung CHECK (rung >= 0),
    status        text NOT NULL DEFAULT 'owed' CONSTRAINT mails_status_known CHECK (status IN ('owed', 'sent', 'bounced')),
    reason        text,
    settled_at    timestamptz,
    deferred_at   timestamptz, -- when a mail server put it off first
    told          int, -- the event that tells of the bounce
    claimed_by    text, -- the try that is under way
    claimed_until timestamptz, -- then it counts as dead
    CONSTRAINT mails_pkey PRIMARY KEY (ticket, n),
    CONSTRAINT mails_event FOREIGN KEY (ticket, event) REFERENCES events,
    CONSTRAINT mails_told FOREIGN KEY (ticket, told) REFERENCES events,
    CONSTRAINT mails_once_a_person UNIQUE (ticket, event, person),
    CONSTRAINT mails_settled CHECK ((status = 'owed') = (settled_at IS NULL)),
    CONSTRAINT mails_reason_of_bounce CHECK ((status = 'bounced') = (reason IS NOT NULL)),
    CONSTRAINT mails_told_of_bounce CHECK (told IS NULL OR status = 'bounced'),
    CONSTRAINT mails_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
);
