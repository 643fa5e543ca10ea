-- +goose Up

-- A requester's silence counts from the delivery of the mail that asks for an answer. A bounced mail can be sent again as
-- a new one: then about is the event whose words it carries, and event the one that owes it. address replaces the
-- recipient's own for this mail only: that of an account is how its owner signs in.
ALTER TABLE mails
    ADD COLUMN asks    boolean NOT NULL DEFAULT false,
    ADD COLUMN resends int,
    ADD COLUMN about   int,
    ADD COLUMN address text CONSTRAINT mails_address_shape CHECK (address ~ '^[^@]+@[^@]+$'),
    ADD CONSTRAINT mails_resends FOREIGN KEY (ticket, resends) REFERENCES mails,
    ADD CONSTRAINT mails_about FOREIGN KEY (ticket, about) REFERENCES events,
    ADD CONSTRAINT mails_about_of_resent CHECK ((about IS NULL) = (resends IS NULL));

-- Which mail is to be sent again, and where to.
ALTER TABLE commands
    ADD COLUMN mail    int,
    ADD COLUMN address text CONSTRAINT commands_address_shape CHECK (address ~ '^[^@]+@[^@]+$');
