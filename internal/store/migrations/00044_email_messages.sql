-- +goose Up

LOCK TABLE incoming_mails, messages, deliveries;

-- What a message has besides its body if it came by email: the email's HTML, sanitized, and what of the email is not in the message, as an
-- array of objects with "what" and "why". Both belong to the message: an email may become several, of which each has its own.
ALTER TABLE messages
    ADD COLUMN html text NOT NULL DEFAULT '',
    ADD COLUMN left_out jsonb NOT NULL DEFAULT '[]' CONSTRAINT messages_left_out_list CHECK (jsonb_typeof(left_out) = 'array');
UPDATE messages m SET html = i.html FROM incoming_mails i WHERE i.id = m.mail AND i.html <> '';
-- The column stays, empty, for programs of the release before, which run beside new ones during an upgrade.
UPDATE incoming_mails SET html = '' WHERE html <> '';

-- The email in quarantine of which its author, a member of staff, is notified.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_account_kind,
    ADD COLUMN incoming bigint CONSTRAINT deliveries_incoming REFERENCES incoming_mails,
    ADD CONSTRAINT deliveries_account_kind CHECK (queue <> 'account' OR kind IN (
        'sign-in', 'reset', 'address', 'verify', 'invitation', 'email-quarantined',
        'address-changed', 'address-confirmed', 'address-added', 'address-removed', 'already-registered', 'password-changed', 'password-set', 'token-made')),
    ADD CONSTRAINT deliveries_incoming_where_needed CHECK ((incoming IS NOT NULL) = (queue = 'account' AND kind = 'email-quarantined'));
CREATE UNIQUE INDEX deliveries_of_incoming ON deliveries (incoming) WHERE incoming IS NOT NULL;
