-- +goose Up

-- A browser's session, under the hash of what its cookie holds.
CREATE TABLE sessions (
    hash       text        PRIMARY KEY,
    data       bytea       NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_expired ON sessions (expires_at);

-- A session names the epoch that its person had when they signed in. Counting it up ends every session that they have.
ALTER TABLE people ADD COLUMN session_epoch bigint NOT NULL DEFAULT 0;
