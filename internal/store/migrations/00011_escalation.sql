-- +goose Up

-- A mail may be for somebody who can't be written to; then it says so to whoever gets it.
ALTER TABLE mails ADD COLUMN stands_for text CONSTRAINT mails_stands_for_shape CHECK (stands_for ~ '^[A-Za-z0-9-]{1,40}$');

-- Webhooks that events owe, and what became of them. n counts along with the ticket's mails. Where a webhook leads, and
-- what signs it, is configuration and not here.
CREATE TABLE calls (
    ticket      text           NOT NULL CONSTRAINT calls_ticket REFERENCES tickets,
    n           int            NOT NULL CONSTRAINT calls_n_positive CHECK (n >= 1),
    event       int            NOT NULL,
    webhook     text           NOT NULL CONSTRAINT calls_webhook_shape CHECK (webhook ~ '^[a-z][a-z0-9-]{0,39}$'),
    clock       text           NOT NULL CONSTRAINT calls_clock_known CHECK (clock IN ('first_response', 'resolution')),
    rung        int            NOT NULL CONSTRAINT calls_rung_positive CHECK (rung >= 1),
    priority    text           NOT NULL CONSTRAINT calls_priority_known CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    broken_at   timestamptz(0) NOT NULL, -- the deadline that passed
    status      text           NOT NULL DEFAULT 'owed' CONSTRAINT calls_status_known CHECK (status IN ('owed', 'sent', 'failed')),
    owed_at     timestamptz    NOT NULL DEFAULT clock_timestamp(),
    deferred_at timestamptz, -- of the first try that failed
    tries       int            NOT NULL DEFAULT 0, -- that failed
    reason      text,        -- of the last try that failed: never a word that somebody wrote
    settled_at  timestamptz,
    told        int,         -- the event that tells of the failure
    CONSTRAINT calls_pkey PRIMARY KEY (ticket, n),
    CONSTRAINT calls_event FOREIGN KEY (ticket, event) REFERENCES events,
    CONSTRAINT calls_told FOREIGN KEY (ticket, told) REFERENCES events,
    CONSTRAINT calls_once_a_webhook UNIQUE (ticket, event, webhook),
    CONSTRAINT calls_settled CHECK ((status = 'owed') = (settled_at IS NULL)),
    CONSTRAINT calls_reason_of_failure CHECK (status <> 'failed' OR reason IS NOT NULL),
    CONSTRAINT calls_told_of_failure CHECK (told IS NULL OR status = 'failed')
);
CREATE INDEX calls_owed ON calls (owed_at) WHERE status = 'owed';
