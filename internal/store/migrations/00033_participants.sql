-- +goose Up

-- A step or a command of the version before may be about to write there.
LOCK TABLE tickets, events, commands, people;

-- A contact has no account yet: someone wrote to the desk or was added to a ticket by their address. The contact becomes an
-- account when its owner proves the address. Null: a contact. Rows that name no value are accounts.
ALTER TABLE people ADD COLUMN claimed_at timestamptz;
UPDATE people SET claimed_at = created_at;
ALTER TABLE people ALTER COLUMN claimed_at SET DEFAULT clock_timestamp(),
    ADD CONSTRAINT people_contact_is_customer CHECK (claimed_at IS NOT NULL OR role = 'customer');

-- Every address of every person, so that one index keeps each with one person and finds whose it is. The main address is
-- people.address, which the triggers below copy.
CREATE TABLE person_addresses (
    address  text        NOT NULL CONSTRAINT person_addresses_shape CHECK (address ~ '^[^@]+@[^@]+$'),
    person   text        NOT NULL CONSTRAINT person_addresses_person REFERENCES people ON DELETE CASCADE,
    main     boolean     NOT NULL DEFAULT false,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX person_addresses_address ON person_addresses (lower(address));
CREATE UNIQUE INDEX person_addresses_main ON person_addresses (person) WHERE main;
CREATE INDEX person_addresses_of_person ON person_addresses (person);
INSERT INTO person_addresses (address, person, main, added_at) SELECT address, id, true, created_at FROM people;

-- The exception's text, unlike that of a violated index, contains no address, which would end up in the server's log.
-- +goose StatementBegin
CREATE FUNCTION people_main_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO person_addresses (address, person, main) VALUES (NEW.address, NEW.id, true) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN NULL;
        END IF;
    ELSIF NOT EXISTS (SELECT FROM person_addresses WHERE lower(address) = lower(NEW.address) AND person <> NEW.id) THEN
        DELETE FROM person_addresses WHERE person = NEW.id AND NOT main AND lower(address) = lower(NEW.address);
        UPDATE person_addresses SET address = NEW.address WHERE person = NEW.id AND main;
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the address of % belongs to another person', NEW.id
        USING ERRCODE = 'unique_violation', CONSTRAINT = 'people_address';
END $$;
-- +goose StatementEnd

CREATE TRIGGER people_main_address AFTER INSERT OR UPDATE OF address ON people
    FOR EACH ROW EXECUTE FUNCTION people_main_address();

-- The participants of each ticket, as its state names them. Readers filter tickets by it. Only a step writes it.
CREATE TABLE participants (
    ticket text NOT NULL CONSTRAINT participants_ticket REFERENCES tickets,
    person text NOT NULL CONSTRAINT participants_person REFERENCES people,
    CONSTRAINT participants_pkey PRIMARY KEY (ticket, person)
);
CREATE INDEX participants_of_person ON participants (person, ticket);

ALTER TABLE commands
    ADD COLUMN person text CONSTRAINT commands_named_person REFERENCES people, -- to add, to remove or to become the requester
    ADD COLUMN alone  boolean NOT NULL DEFAULT false;                          -- its message is for the requester alone

-- How many entries of the requester's timeline nobody else of the ticket sees. So far these are their own refused commands;
-- a state without the number has none. The events are the reference, see ticket.Apply.
-- +goose StatementBegin
UPDATE tickets t SET state = jsonb_set(t.state, '{ticket,latest_messages,own}', to_jsonb(r.own))
FROM (
    SELECT e.ticket, count(*) AS own FROM events e JOIN tickets t ON t.number = e.ticket
    WHERE e.kind = 'refused' AND e.data->'by'->>'id' = t.requester GROUP BY e.ticket
) r WHERE r.ticket = t.number AND t.state->'ticket' ? 'latest_messages';
-- +goose StatementEnd
