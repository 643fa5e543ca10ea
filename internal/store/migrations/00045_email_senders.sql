-- +goose Up

LOCK TABLE incoming_mails, commands, messages;

-- How sure it is that its author wrote a customer's email; null: it is none, or it came before this was recorded.
ALTER TABLE messages
    ADD COLUMN sender text CONSTRAINT messages_sender_known CHECK (sender IN ('confirmed', 'unconfirmed')),
    ADD CONSTRAINT messages_sender_of_email CHECK (sender IS NULL OR channel = 'email');

-- Of an earlier one it is known if the sender's domain authenticated it or staff released it, and if neither did and it opened a ticket
-- that follows up on none: it answered nothing that would have confirmed its sender.
UPDATE messages m SET sender = CASE WHEN i.trust = 'pass' OR i.settled_by IS NOT NULL THEN 'confirmed' ELSE 'unconfirmed' END
FROM incoming_mails i, commands c, tickets t
WHERE i.id = m.mail AND c.ticket = m.ticket AND c.message = m.id AND c.by_role = 'customer' AND t.number = m.ticket
    AND (i.trust = 'pass' OR i.settled_by IS NOT NULL OR i.trust = 'unknown' AND c.seq = 1 AND t.follows IS NULL);
