-- +goose Up

-- Policies that change: a version may be published before it takes effect, and a ticket may be moved to another one.

ALTER TABLE policies
    ADD COLUMN published_at timestamptz,
    ADD COLUMN key text, -- makes a repeated request publish once
    ADD COLUMN fingerprint bytea;
ALTER TABLE policies DISABLE TRIGGER policies_for_good;
UPDATE policies SET published_at = effective_at;
ALTER TABLE policies ENABLE TRIGGER policies_for_good;
ALTER TABLE policies
    ALTER COLUMN published_at SET NOT NULL,
    ALTER COLUMN published_at SET DEFAULT clock_timestamp(),
    ADD CONSTRAINT policies_not_in_the_past CHECK (effective_at >= date_trunc('second', published_at)),
    ADD CONSTRAINT policies_fingerprint_of_key CHECK ((key IS NULL) = (fingerprint IS NULL));
CREATE UNIQUE INDEX policies_key ON policies (author, key) WHERE key IS NOT NULL;

-- +goose StatementBegin
-- In force is the highest version that has taken effect, so a later version never takes effect before an earlier one.
CREATE FUNCTION policies_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM policies WHERE version >= NEW.version OR effective_at > NEW.effective_at) THEN
        RAISE EXCEPTION 'policy version % would take effect before an earlier one', NEW.version
            USING ERRCODE = 'check_violation', CONSTRAINT = 'policies_in_order';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER policies_in_order BEFORE INSERT ON policies
    FOR EACH ROW EXECUTE FUNCTION policies_in_order();

ALTER TABLE commands
    ADD COLUMN policy bigint CONSTRAINT commands_policy REFERENCES policies,
    ADD CONSTRAINT commands_policy_of_adoption CHECK (policy IS NULL OR verb = 'adopt-policy');
CREATE INDEX commands_adoptions ON commands (policy, accepted_at DESC) WHERE verb = 'adopt-policy';
CREATE INDEX tickets_of_policy ON tickets (policy) WHERE status <> 'closed';

-- The row's version is its state's, also when nothing else changes.
DROP TRIGGER tickets_row_is_state ON tickets;
CREATE TRIGGER tickets_row_is_state BEFORE UPDATE OF state, taken, events, mails, status, assignee, policy ON tickets
    FOR EACH ROW EXECUTE FUNCTION tickets_row_is_state();
