-- +goose Up

-- What an incoming mail is, whatever it says: its message is shown as that. No signature is verified.
ALTER TABLE incoming_mails
    ADD COLUMN encrypted boolean NOT NULL DEFAULT false,
    ADD COLUMN signed boolean NOT NULL DEFAULT false,
    ADD COLUMN calendar text NOT NULL DEFAULT '' CONSTRAINT incoming_mails_calendar_known CHECK (calendar IN ('', 'request', 'cancel', 'reply', 'counter'));
