-- +goose Up

-- What becomes of a mail after it was accepted. thread is the ticket of a token in its recipients, which is known before it is
-- read. undecided is set until the command that it became has an outcome. unverified_since is since when its sender can't be
-- verified because look-ups fail temporarily.
ALTER TABLE incoming_mails
    ADD COLUMN thread text NOT NULL DEFAULT '',
    ADD COLUMN undecided boolean NOT NULL DEFAULT false,
    ADD COLUMN unverified_since timestamptz,
    ADD CONSTRAINT incoming_mails_undecided CHECK (NOT undecided OR status = 'accepted'),
    DROP CONSTRAINT incoming_mails_trust_known,
    ADD CONSTRAINT incoming_mails_trust_known CHECK (trust IN ('', 'pass', 'fail', 'unknown', 'ambiguous'));

-- Commands of earlier mails may have been refused, too.
UPDATE incoming_mails SET undecided = true WHERE status = 'accepted';

CREATE INDEX incoming_mails_to_check ON incoming_mails (id) WHERE undecided;
CREATE INDEX incoming_mails_waiting ON incoming_mails (thread, received_at) WHERE status = 'received' AND thread <> '';
