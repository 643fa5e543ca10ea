-- +goose Up

-- A step or a command of the version before may be about to write there.
LOCK TABLE people, commands, deliveries;

-- A contact who turned out to be someone else: their addresses belong to that person, and whatever named the contact means that
-- person. The row remains, since timelines name it.
ALTER TABLE people ADD COLUMN merged_into text CONSTRAINT people_merged_into REFERENCES people,
    ADD CONSTRAINT people_merged_is_contact CHECK (merged_into IS NULL
        OR merged_into <> id AND role = 'customer' AND claimed_at IS NULL AND disabled_at IS NOT NULL);
CREATE INDEX people_merged ON people (merged_into) WHERE merged_into IS NOT NULL;
DROP INDEX people_address;
CREATE UNIQUE INDEX people_address ON people (lower(address)) WHERE merged_into IS NULL;

ALTER TABLE commands ADD COLUMN merged text CONSTRAINT commands_merged REFERENCES people, -- whose place person takes
    ADD CONSTRAINT commands_merged_into_person CHECK (merged IS NULL OR verb = 'merge-person' AND person IS NOT NULL);

-- about_address: the further address that was added or removed.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_account_kind, ADD COLUMN about_address text,
    ADD CONSTRAINT deliveries_account_kind CHECK (queue <> 'account' OR kind IN (
        'sign-in', 'reset', 'address', 'verify', 'invitation',
        'address-changed', 'address-confirmed', 'address-added', 'address-removed', 'already-registered', 'password-changed', 'password-set', 'token-made')),
    ADD CONSTRAINT deliveries_about_address CHECK ((about_address IS NOT NULL) = (queue = 'account' AND kind IN ('address-added', 'address-removed')));
