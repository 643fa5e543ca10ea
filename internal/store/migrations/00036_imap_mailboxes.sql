-- +goose Up

-- Mailboxes that are read by IMAP, and the last mail of each that is stored. One process at a time claims and reads a mailbox.
CREATE TABLE imap_mailboxes (
    name          text        PRIMARY KEY,
    address       text        NOT NULL, -- server, user and folder; another address is another mailbox
    uid_validity  bigint      NOT NULL DEFAULT 0, -- 0: never opened
    last_uid      bigint      NOT NULL DEFAULT 0,
    tried_at      timestamptz NOT NULL DEFAULT clock_timestamp(), -- last time that it was claimed
    read_at       timestamptz, -- last time that it had no further mail
    failing_since timestamptz,
    error         text        NOT NULL DEFAULT '',
    claimed_by    text,
    claimed_until timestamptz,

    CONSTRAINT imap_mailboxes_position CHECK (uid_validity BETWEEN 0 AND 4294967295 AND last_uid BETWEEN 0 AND 4294967295),
    CONSTRAINT imap_mailboxes_failing CHECK ((failing_since IS NULL) = (error = '')),
    CONSTRAINT imap_mailboxes_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
);

-- Mails that were left in their mailbox, because they were too large or the server did not return them.
CREATE TABLE imap_skipped (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mailbox    text        NOT NULL CONSTRAINT imap_skipped_mailbox REFERENCES imap_mailboxes ON DELETE CASCADE,
    uid_validity bigint    NOT NULL,
    uid        bigint      NOT NULL,
    size       bigint      NOT NULL,
    sender     text        NOT NULL,
    subject    text        NOT NULL,
    reason     text        NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT imap_skipped_once UNIQUE (mailbox, uid_validity, uid)
);
CREATE INDEX imap_skipped_lately ON imap_skipped (skipped_at DESC);
