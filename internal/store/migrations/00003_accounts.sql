-- +goose Up

-- Keys that all replicas share: made when first asked for, never changed.
CREATE TABLE secrets (
    name  text  PRIMARY KEY,
    value bytea NOT NULL CONSTRAINT secrets_length CHECK (length(value) = 32)
);

-- argon2id in PHC's format. Who has none comes in by a link or by OpenID Connect.
CREATE TABLE passwords (
    person text        PRIMARY KEY CONSTRAINT passwords_person REFERENCES people,
    hash   text        NOT NULL CONSTRAINT passwords_argon2id CHECK (hash LIKE '$argon2id$%'),
    set_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One-time links. What a link holds beside its ID is derived from it under a secret, so it can't be read here.
-- Registrations that wait for their address to be verified, and invitations, are links to somebody who is not in yet.
CREATE TABLE links (
    id         text        PRIMARY KEY CONSTRAINT links_id_shape CHECK (id ~ '^[A-Z2-7]{26}$'),
    purpose    text        NOT NULL CONSTRAINT links_purpose_known
                           CHECK (purpose IN ('sign-in', 'reset', 'address', 'verify', 'invitation')),
    person     text        CONSTRAINT links_person REFERENCES people, -- null also when an address that nobody has was typed
    address    text        CONSTRAINT links_address_shape CHECK (address ~ '^[^@]+@[^@]+$'), -- a newcomer's, or a new one
    name       text,
    role       text        CONSTRAINT links_role_known CHECK (role IN ('customer', 'agent', 'supervisor', 'administrator')),
    handle     text,
    invited_by text        CONSTRAINT links_invited_by REFERENCES people,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT links_address_where_needed CHECK ((address IS NOT NULL) = (purpose IN ('address', 'verify', 'invitation'))),
    CONSTRAINT links_newcomer_described CHECK (
        (purpose IN ('verify', 'invitation')) = (role IS NOT NULL) AND (role IS NULL) = (name IS NULL)
        AND (purpose <> 'verify' OR role = 'customer') AND (role IS NOT NULL OR handle IS NULL)),
    CONSTRAINT links_of_whom CHECK ((purpose <> 'address' OR person IS NOT NULL) AND (role IS NULL OR person IS NULL)),
    CONSTRAINT links_invited CHECK ((purpose = 'invitation') = (invited_by IS NOT NULL))
);
CREATE INDEX links_open_of_person ON links (person) WHERE used_at IS NULL;
CREATE INDEX links_invitations ON links (made_at) WHERE purpose = 'invitation' AND used_at IS NULL;
CREATE INDEX links_expired ON links (expires_at);

-- Mails of accounts. Those of tickets are in mails, and go through Temporal; signing in must not wait for it.
CREATE TABLE account_mails (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text        NOT NULL CONSTRAINT account_mails_kind_known CHECK (kind IN (
                               'sign-in', 'reset', 'address', 'verify', 'invitation',
                               'address-changed', 'already-registered', 'password-changed')),
    to_name    text        NOT NULL,
    to_address text        NOT NULL, -- empty when the typed address is nobody's: nothing is sent
    link       text        CONSTRAINT account_mails_link REFERENCES links ON DELETE CASCADE,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL, -- it is of no use to anybody then
    not_before timestamptz NOT NULL DEFAULT '-infinity', -- of the next try, and the end of the claim of one under way
    tries      int         NOT NULL DEFAULT 0,
    settled_at timestamptz,
    reason     text, -- why it was given up; null when it was sent
    CONSTRAINT account_mails_link_where_needed CHECK (
        (link IS NULL) = (kind IN ('address-changed', 'already-registered', 'password-changed'))),
    CONSTRAINT account_mails_reason_when_settled CHECK (reason IS NULL OR settled_at IS NOT NULL),
    CONSTRAINT account_mails_to_somebody CHECK (to_address <> '' OR reason IS NOT NULL)
);
CREATE INDEX account_mails_owed ON account_mails (not_before) WHERE settled_at IS NULL;
CREATE INDEX account_mails_settled ON account_mails (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX account_mails_of_link ON account_mails (link);

-- Until when an allowance counts as spent: each use moves that on by its share, and none may move it past the
-- allowance's whole length. Keys are hashes: what was typed is not kept.
CREATE TABLE allowances (
    key         bytea       PRIMARY KEY,
    spent_until timestamptz NOT NULL
);
CREATE INDEX allowances_free ON allowances (spent_until);

-- Who a person is to an OpenID provider.
CREATE TABLE identities (
    issuer   text        NOT NULL,
    subject  text        NOT NULL,
    person   text        NOT NULL CONSTRAINT identities_person REFERENCES people,
    bound_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT identities_pkey PRIMARY KEY (issuer, subject),
    CONSTRAINT identities_one_a_person UNIQUE (person, issuer)
);

-- Links in mails that were made before do not open conversations any more: they went to an address that is not theirs now.
ALTER TABLE people ADD COLUMN links_since timestamptz NOT NULL DEFAULT '-infinity';

ALTER TABLE tokens
    ADD COLUMN id           bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN last_used_at timestamptz, -- to the minute
    ADD COLUMN scopes       text[] NOT NULL DEFAULT '{read,write}',
    ADD COLUMN once         text, -- key of the form that it was made by; null: of none
    ADD CONSTRAINT tokens_id UNIQUE (id),
    ADD CONSTRAINT tokens_once UNIQUE (person, once),
    ADD CONSTRAINT tokens_scopes_known CHECK (scopes <@ '{read,write}'::text[] AND 'read' = ANY (scopes));
