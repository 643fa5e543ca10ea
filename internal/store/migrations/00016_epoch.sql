-- +goose Up

-- A database that is restored from a copy uses numbers again that were used since the copy was made. Its epoch says
-- which use of a number is meant. It is raised after a restore, to the seconds since 1970, so that the same copy restored
-- twice is not in the same epoch twice. What has the epoch 0 was made before the first restore.
CREATE TABLE epoch (
    one           boolean     PRIMARY KEY DEFAULT true CONSTRAINT epoch_has_one_row CHECK (one),
    number        bigint      NOT NULL DEFAULT 0 CONSTRAINT epoch_number CHECK (number >= 0),
    raised_at     timestamptz,
    raised_by     text,
    reason        text,
    replaced_at   timestamptz, -- when the last workflow of an earlier epoch was replaced; null while that goes on
    CONSTRAINT epoch_raised CHECK ((number = 0) = (raised_at IS NULL) AND (number = 0) = (raised_by IS NULL) AND (number = 0) = (reason IS NULL))
);
INSERT INTO epoch DEFAULT VALUES;

-- Workflows that are to be started anew, in place of those that know more, or other things, than this database.
CREATE TABLE replacements (
    workflow text PRIMARY KEY -- its ID: a ticket's number, or emergency
);

-- The epoch in which a number was given out. Together they make the Message-ID, and the ID by which a webhook's endpoint
-- knows an event. The IDs of announcement_mails and account_mails need none: raising the epoch lifts them above all that
-- were used.
ALTER TABLE mails ADD COLUMN epoch bigint NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN epoch bigint NOT NULL DEFAULT 0;
