-- +goose Up

-- Mails that report a change of an account to its owner.
ALTER TABLE account_mails
    ADD COLUMN token bigint CONSTRAINT account_mails_token REFERENCES tokens (id), -- that was made
    DROP CONSTRAINT account_mails_kind_known,
    DROP CONSTRAINT account_mails_link_where_needed,
    ADD CONSTRAINT account_mails_kind_known CHECK (kind IN (
        'sign-in', 'reset', 'address', 'verify', 'invitation',
        'address-changed', 'address-confirmed', 'already-registered', 'password-changed', 'password-set', 'token-made')),
    ADD CONSTRAINT account_mails_link_where_needed CHECK (
        (link IS NOT NULL) = (kind IN ('sign-in', 'reset', 'address', 'verify', 'invitation'))),
    ADD CONSTRAINT account_mails_token_where_needed CHECK ((token IS NOT NULL) = (kind = 'token-made'));
CREATE INDEX account_mails_of_token ON account_mails (token) WHERE token IS NOT NULL;

-- A new token used to be kept in clear in its owner's session until the page after showed it.
UPDATE sessions SET data = '', expires_at = least(expires_at, clock_timestamp()) WHERE position('new-token'::bytea IN data) > 0;
