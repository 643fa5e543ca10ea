-- +goose Up

-- What is owed to anybody, and what became of it. n counts within a ticket, its mails and webhooks together; of what is of
-- no ticket, deliveries_n counts it. Either makes the Message-ID and is never given out again.
CREATE SEQUENCE deliveries_n;
CREATE TABLE deliveries (
    queue         text           NOT NULL CONSTRAINT deliveries_queue_known CHECK (queue IN ('ticket', 'webhook', 'announcement', 'account')),
    ticket        text           CONSTRAINT deliveries_ticket REFERENCES tickets,
    n             bigint         NOT NULL DEFAULT nextval('deliveries_n') CONSTRAINT deliveries_n_positive CHECK (n >= 1),
    status        text           NOT NULL DEFAULT 'owed' CONSTRAINT deliveries_status_known
                                 CHECK (status IN ('held', 'owed', 'sent', 'bounced', 'failed', 'superseded')),
    reason        text,
    owed_at       timestamptz    NOT NULL DEFAULT clock_timestamp(),
    settled_at    timestamptz,
    deferred_at   timestamptz,                                -- of the first try that failed and is made again
    tries         int            NOT NULL DEFAULT 0,          -- that failed
    not_before    timestamptz    NOT NULL DEFAULT '-infinity',
    claimed_by    text,                                       -- the try that is under way
    claimed_until timestamptz,                                -- then it counts as dead

    -- Of a ticket. stands_for: who it was for and can't be written to. resends, about: a mail that is sent again carries the
    -- words of event about. told: the event that tells of the failure.
    event         int,
    epoch         bigint         NOT NULL DEFAULT 0,
    clock         text           CONSTRAINT deliveries_clock_known CHECK (clock IN ('first_response', 'resolution')),
    rung          int            CONSTRAINT deliveries_rung CHECK (rung >= 0),
    stands_for    text           CONSTRAINT deliveries_stands_for_shape CHECK (stands_for ~ '^[A-Za-z0-9-]{1,40}$'),
    asks          boolean        NOT NULL DEFAULT false,
    resends       bigint,
    about         int,
    told          int,

    -- Of a mail. An account's goes to a name and an address, and a ticket's to an address instead of the person's own.
    kind          text,
    person        text           CONSTRAINT deliveries_person REFERENCES people,
    name          text,
    address       text,

    webhook       text           CONSTRAINT deliveries_webhook_shape CHECK (webhook ~ '^[a-z][a-z0-9-]{0,39}$'),
    priority      text           CONSTRAINT deliveries_priority_known CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    broken_at     timestamptz(0),                             -- the deadline that passed

    announcement  bigint         CONSTRAINT deliveries_announcement REFERENCES announcements,

    link          text           CONSTRAINT deliveries_link REFERENCES links ON DELETE CASCADE,
    token         bigint         CONSTRAINT deliveries_token REFERENCES tokens (id), -- that was made
    expires_at    timestamptz,                                -- it is of no use to anybody then

    CONSTRAINT deliveries_of_ticket UNIQUE (ticket, n),
    CONSTRAINT deliveries_event FOREIGN KEY (ticket, event) REFERENCES events,
    CONSTRAINT deliveries_told FOREIGN KEY (ticket, told) REFERENCES events,
    CONSTRAINT deliveries_resends FOREIGN KEY (ticket, resends) REFERENCES deliveries (ticket, n),
    CONSTRAINT deliveries_about FOREIGN KEY (ticket, about) REFERENCES events,
    CONSTRAINT deliveries_about_of_resent CHECK ((about IS NULL) = (resends IS NULL)),
    CONSTRAINT deliveries_settled CHECK ((status IN ('held', 'owed')) = (settled_at IS NULL)),
    CONSTRAINT deliveries_reason_of_failure CHECK (status NOT IN ('bounced', 'failed') OR reason IS NOT NULL),
    CONSTRAINT deliveries_told_of_failure CHECK (told IS NULL OR status IN ('bounced', 'failed')),
    CONSTRAINT deliveries_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    CONSTRAINT deliveries_status_of_queue CHECK (
        (status <> 'failed' OR queue = 'webhook') AND (status <> 'bounced' OR queue <> 'webhook')
        AND (status <> 'held' OR queue = 'announcement') AND (status <> 'superseded' OR ticket IS NULL)),
    CONSTRAINT deliveries_shape CHECK (
        (queue IN ('ticket', 'webhook')) = (ticket IS NOT NULL)
        AND (queue IN ('ticket', 'webhook')) = (event IS NOT NULL AND rung IS NOT NULL)
        AND (queue IN ('ticket', 'account')) = (kind IS NOT NULL)
        AND (queue IN ('ticket', 'announcement')) = (person IS NOT NULL)
        AND (queue = 'webhook') = (webhook IS NOT NULL AND priority IS NOT NULL AND broken_at IS NOT NULL)
        AND (queue <> 'webhook' OR clock IS NOT NULL AND rung >= 1)
        AND (queue = 'announcement') = (announcement IS NOT NULL)
        AND (queue = 'account') = (name IS NOT NULL AND expires_at IS NOT NULL)),
    CONSTRAINT deliveries_address CHECK (CASE queue
        WHEN 'ticket' THEN address IS NULL OR address ~ '^[^@]+@[^@]+$'
        WHEN 'account' THEN address IS NOT NULL AND (address <> '' OR status = 'superseded') -- empty when the typed one is nobody's
        ELSE address IS NULL END),
    CONSTRAINT deliveries_account_kind CHECK (queue <> 'account' OR kind IN (
        'sign-in', 'reset', 'address', 'verify', 'invitation',
        'address-changed', 'address-confirmed', 'already-registered', 'password-changed', 'password-set', 'token-made')),
    CONSTRAINT deliveries_link_where_needed CHECK (
        (link IS NOT NULL) = (queue = 'account' AND kind IN ('sign-in', 'reset', 'address', 'verify', 'invitation'))),
    CONSTRAINT deliveries_token_where_needed CHECK ((token IS NOT NULL) = (queue = 'account' AND kind = 'token-made'))
);
ALTER SEQUENCE deliveries_n OWNED BY deliveries.n;

INSERT INTO deliveries (queue, ticket, n, status, reason, owed_at, settled_at, deferred_at, claimed_by, claimed_until,
    event, epoch, clock, rung, stands_for, asks, resends, about, told, kind, person, address)
SELECT 'ticket', ticket, n, status, reason, owed_at, settled_at, deferred_at, claimed_by, claimed_until,
    event, epoch, clock, rung, stands_for, asks, resends, about, told, kind, person, address FROM mails;

INSERT INTO deliveries (queue, ticket, n, status, reason, owed_at, settled_at, deferred_at, tries,
    event, epoch, clock, rung, told, webhook, priority, broken_at)
SELECT 'webhook', ticket, n, status, reason, owed_at, settled_at, deferred_at, tries,
    event, epoch, clock, rung, told, webhook, priority, broken_at FROM calls;

INSERT INTO deliveries (queue, n, status, reason, owed_at, settled_at, deferred_at, tries, not_before, claimed_by, claimed_until,
    person, announcement)
SELECT 'announcement', id, status, reason, owed_at, settled_at, deferred_at, deferrals, not_before, claimed_by, claimed_until,
    person, announcement FROM announcement_mails;

-- A mail to an address that nobody has was never meant to be sent.
INSERT INTO deliveries (queue, n, status, reason, owed_at, settled_at, tries, not_before, kind, name, address, link, token, expires_at)
SELECT 'account', id, CASE WHEN settled_at IS NULL THEN 'owed' WHEN reason IS NULL THEN 'sent' WHEN to_address = '' THEN 'superseded' ELSE 'bounced' END,
    reason, made_at, settled_at, tries, not_before, kind, to_name, to_address, link, token, expires_at FROM account_mails;

SELECT setval('deliveries_n', greatest((SELECT last_value FROM announcement_mails_id_seq), (SELECT last_value FROM account_mails_id_seq)));

DROP TABLE mails, calls, announcement_mails, account_mails;

CREATE UNIQUE INDEX deliveries_of_queue ON deliveries (queue, n) WHERE ticket IS NULL;
CREATE UNIQUE INDEX deliveries_once_a_person ON deliveries (ticket, event, person) WHERE queue = 'ticket';
CREATE UNIQUE INDEX deliveries_once_a_webhook ON deliveries (ticket, event, webhook) WHERE queue = 'webhook';
CREATE UNIQUE INDEX deliveries_once_an_announcement ON deliveries (announcement, person) WHERE announcement IS NOT NULL;

-- The next one of a queue that no workflow asks for.
CREATE INDEX deliveries_next ON deliveries (queue, not_before, n) WHERE status = 'owed' AND ticket IS NULL;
-- A ticket's that wait: the oldest, by queue, and those of a ticket. An audit pages through the latter.
CREATE INDEX deliveries_waiting ON deliveries (queue, owed_at) WHERE status = 'owed' AND ticket IS NOT NULL;
CREATE INDEX deliveries_owing ON deliveries (ticket) WHERE status = 'owed' AND ticket IS NOT NULL;
CREATE INDEX deliveries_bounced ON deliveries (queue, settled_at DESC) WHERE status = 'bounced';
CREATE INDEX deliveries_held ON deliveries (person) WHERE status = 'held';
CREATE INDEX deliveries_announced ON deliveries (person) WHERE announcement IS NOT NULL;
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE queue = 'account' AND settled_at IS NOT NULL;
CREATE INDEX deliveries_of_link ON deliveries (link) WHERE link IS NOT NULL;
CREATE INDEX deliveries_of_token ON deliveries (token) WHERE token IS NOT NULL;
