-- +goose Up

-- What the agents' panel needs.

-- The deadline of the earliest promise owed, run out or running; infinity when there is none. Staff's lists may run by it.
ALTER TABLE tickets ADD COLUMN owed_at timestamptz(0) NOT NULL DEFAULT 'infinity';
UPDATE tickets SET owed_at = least(promise_due,
    CASE WHEN state->'ticket'->'first_response'->>'met_at' IS NULL
         THEN (state->'ticket'->'first_response'->>'breached_at')::timestamptz END,
    CASE WHEN state->'ticket'->'resolution'->>'met_at' IS NULL
         THEN (state->'ticket'->'resolution'->>'breached_at')::timestamptz END)
WHERE status <> 'closed' AND state IS NOT NULL;
CREATE INDEX tickets_by_owed ON tickets (owed_at, number) WHERE status <> 'closed';
-- With the closed ones, for a search or a filter that so many tickets match that sorting them costs more than walking.
CREATE INDEX tickets_all_by_owed ON tickets (owed_at, number);
CREATE INDEX tickets_of_agent ON tickets (assignee, owed_at, number) WHERE assignee IS NOT NULL AND status <> 'closed';

-- +goose StatementBegin
-- The words by which somebody is found: an address falls apart at its punctuation.
CREATE FUNCTION people_words(name text, address text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
    SELECT to_tsvector('simple'::regconfig, name || ' ' || regexp_replace(address, '[^[:alnum:]]+', ' ', 'g'))
$$;
-- +goose StatementEnd
CREATE INDEX people_by_words ON people USING gin (people_words(name, address));

-- An assignment may say who it believes has the ticket; null: nobody.
ALTER TABLE commands
    ADD COLUMN guarded boolean NOT NULL DEFAULT false,
    ADD COLUMN expected text CONSTRAINT commands_expected REFERENCES people,
    ADD CONSTRAINT commands_expected_of_guarded CHECK (guarded OR expected IS NULL);

-- Who has a ticket open. Worth nothing after a crash, so it is not logged; rows go when they are too old.
CREATE UNLOGGED TABLE presences (
    ticket     text        NOT NULL,
    person     text        NOT NULL,
    writing    boolean     NOT NULL,
    since      timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT presences_pkey PRIMARY KEY (ticket, person)
) WITH (fillfactor = 50);

-- Replies kept for use again; a shared one is for all staff.
CREATE TABLE canned (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author     text        NOT NULL CONSTRAINT canned_author REFERENCES people,
    shared     boolean     NOT NULL,
    title      text        NOT NULL CONSTRAINT canned_title_length CHECK (length(title) BETWEEN 1 AND 100),
    body       text        NOT NULL CONSTRAINT canned_body_length CHECK (octet_length(body) BETWEEN 1 AND 65536),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX canned_of_author ON canned (author);

-- Filters of the list kept under a name.
CREATE TABLE saved_filters (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author     text        NOT NULL CONSTRAINT saved_filters_author REFERENCES people,
    shared     boolean     NOT NULL,
    name       text        NOT NULL CONSTRAINT saved_filters_name_length CHECK (length(name) BETWEEN 1 AND 60),
    query      text        NOT NULL CONSTRAINT saved_filters_query_length CHECK (length(query) <= 2000),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX saved_filters_of_author ON saved_filters (author);
