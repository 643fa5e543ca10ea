-- +goose Up

-- A relay claims commands for a few seconds and renews that while it delivers them; it holds no lock meanwhile. One that
-- died or stands still renews nothing, and another takes over. A delivered row stays until a step has decided its
-- command, so what was delivered and never decided can be found. The claim is in no index: it is renewed in place.
ALTER TABLE undelivered
    ADD COLUMN claimed_by    text,
    ADD COLUMN claimed_until timestamptz,
    ADD COLUMN delivered_at  timestamptz,
    ADD CONSTRAINT undelivered_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    SET (fillfactor = 70);

DROP INDEX undelivered_first, undelivered_later, undelivered_again, undelivered_held;
CREATE INDEX undelivered_first ON undelivered (id) WHERE tries = 0 AND seq = 1 AND delivered_at IS NULL;
CREATE INDEX undelivered_later ON undelivered (id) WHERE tries = 0 AND seq > 1 AND delivered_at IS NULL;
CREATE INDEX undelivered_again ON undelivered (not_before) WHERE tries > 0 AND delivered_at IS NULL;
CREATE INDEX undelivered_of_ticket ON undelivered (ticket, seq);
CREATE INDEX undelivered_undecided ON undelivered (delivered_at) WHERE delivered_at IS NOT NULL;

-- A mail to somebody whose ticket was not yet as the gate wants it when everybody else was written to. It becomes owed
-- once the ticket is.
ALTER TABLE announcement_mails
    DROP CONSTRAINT announcement_mails_status_known,
    ADD CONSTRAINT announcement_mails_status_known CHECK (status IN ('held', 'owed', 'sent', 'bounced', 'superseded')),
    DROP CONSTRAINT announcement_mails_settled,
    ADD CONSTRAINT announcement_mails_settled CHECK ((status IN ('held', 'owed')) = (settled_at IS NULL));
CREATE INDEX announcement_mails_held ON announcement_mails (person) WHERE status = 'held';
