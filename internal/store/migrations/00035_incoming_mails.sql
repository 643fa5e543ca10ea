-- +goose Up

-- Mails as they arrived. The content is in the blob store; a row is committed before the sender is told that the mail was
-- accepted, and before anything reads it.
CREATE TABLE incoming_mails (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    blob          text        NOT NULL CONSTRAINT incoming_mails_blob UNIQUE,
    size          bigint      NOT NULL CONSTRAINT incoming_mails_size CHECK (size >= 0),
    fingerprint   bytea       NOT NULL CONSTRAINT incoming_mails_fingerprint_length CHECK (length(fingerprint) = 32),
    source        text        NOT NULL CONSTRAINT incoming_mails_source_known CHECK (source IN ('lmtp', 'smtp', 'imap', 'http')),
    mailbox       text        NOT NULL DEFAULT '',
    client        text        NOT NULL DEFAULT '',
    helo          text        NOT NULL DEFAULT '',
    return_path   text        NOT NULL,
    recipients    text[]      NOT NULL,
    received_at   timestamptz NOT NULL DEFAULT clock_timestamp(),

    status        text        NOT NULL DEFAULT 'received' CONSTRAINT incoming_mails_status_known
                              CHECK (status IN ('received', 'accepted', 'recorded', 'quarantined', 'duplicate', 'deleted')),
    duplicate_of  bigint      CONSTRAINT incoming_mails_duplicate_of REFERENCES incoming_mails,
    sender        text        NOT NULL DEFAULT '',
    subject       text        NOT NULL DEFAULT '',
    message_id    text        NOT NULL DEFAULT '', -- without angle brackets
    reason        text        NOT NULL DEFAULT '',
    detail        text        NOT NULL DEFAULT '',
    ticket        text        CONSTRAINT incoming_mails_ticket REFERENCES tickets,
    html          text        NOT NULL DEFAULT '', -- accepted: sanitized
    processed_at  timestamptz,
    settled_by    text        CONSTRAINT incoming_mails_settled_by REFERENCES people, -- released or deleted it

    attempts      int         NOT NULL DEFAULT 0, -- that did not end
    not_before    timestamptz NOT NULL DEFAULT '-infinity',
    claimed_by    text,
    claimed_until timestamptz, -- then the attempt counts as dead

    CONSTRAINT incoming_mails_duplicate CHECK ((status = 'duplicate') = (duplicate_of IS NOT NULL)),
    CONSTRAINT incoming_mails_accepted CHECK (status <> 'accepted' OR ticket IS NOT NULL),
    CONSTRAINT incoming_mails_processed CHECK ((status = 'received') = (processed_at IS NULL)),
    CONSTRAINT incoming_mails_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
);
CREATE UNIQUE INDEX incoming_mails_content ON incoming_mails (fingerprint) WHERE status <> 'duplicate';
CREATE INDEX incoming_mails_received ON incoming_mails (id) WHERE status = 'received';
CREATE INDEX incoming_mails_quarantined ON incoming_mails (id DESC) WHERE status = 'quarantined';
CREATE INDEX incoming_mails_of_ticket ON incoming_mails (ticket) WHERE ticket IS NOT NULL;

-- By which channel a message came; null: before channels were recorded. The incoming mail that it was, if it was one.
ALTER TABLE messages
    ADD COLUMN channel text CONSTRAINT messages_channel_known CHECK (channel IN ('page', 'api', 'email', 'phone', 'in-person')),
    ADD COLUMN mail bigint CONSTRAINT messages_mail REFERENCES incoming_mails,
    ADD CONSTRAINT messages_mail_by_email CHECK (mail IS NULL OR channel = 'email');
CREATE INDEX messages_of_mail ON messages (mail) WHERE mail IS NOT NULL;

-- Whether the Message-ID of a ticket's mail proves that it was made here. An email has one Message-ID for ever, so those that
-- were stored before do not.
ALTER TABLE deliveries ADD COLUMN signed boolean NOT NULL DEFAULT false;
ALTER TABLE deliveries ALTER COLUMN signed SET DEFAULT true;

-- Senders whose mails are recorded and not read: an address, or a domain with an @ before it. In lower case.
CREATE TABLE blocked_senders (
    sender     text        PRIMARY KEY CONSTRAINT blocked_senders_shape CHECK (sender ~ '^[^@\s]*@[^@\s]+$' AND sender = lower(sender)),
    blocked_by text        NOT NULL CONSTRAINT blocked_senders_blocked_by REFERENCES people,
    blocked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
