-- +goose Up

-- What requesters thought of how they were helped. It is no command of the ticket's workflow, and is written beside it:
-- an opinion changes no promise, so there is nothing to decide, and a workflow that is over need not be woken.
CREATE TABLE ratings (
    ticket   text           PRIMARY KEY CONSTRAINT ratings_ticket REFERENCES tickets,
    score    smallint       NOT NULL CONSTRAINT ratings_score CHECK (score BETWEEN 1 AND 5),
    comment  text           NOT NULL DEFAULT '' CONSTRAINT ratings_comment_length CHECK (length(comment) <= 2000),
    at       timestamptz(0) NOT NULL DEFAULT date_trunc('second', clock_timestamp()) -- of the latest change
);
CREATE INDEX ratings_by_time ON ratings (at DESC, ticket);

-- What people would do better, from anybody.
CREATE TABLE suggestions (
    id      bigint         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person  text           CONSTRAINT suggestions_person REFERENCES people, -- null: a visitor
    body    text           NOT NULL CONSTRAINT suggestions_body_length CHECK (length(body) BETWEEN 1 AND 4000),
    at      timestamptz(0) NOT NULL DEFAULT date_trunc('second', clock_timestamp()),
    read_at timestamptz(0), -- null: nobody has
    key     text           CONSTRAINT suggestions_once UNIQUE -- makes a form that is sent twice be kept once
);
CREATE INDEX suggestions_unread ON suggestions (id) WHERE read_at IS NULL;
