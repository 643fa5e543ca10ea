-- +goose Up

-- What happened to accounts: sign-ins and failed ones, links, roles, passwords, tokens, sessions and groups. A row is
-- written in the transaction of what it records. People are named by their IDs. No row refers to another table: the
-- record must neither wait for a lock on a person nor end with one.
CREATE TABLE security_events (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind       text        NOT NULL CONSTRAINT security_events_kind_shape CHECK (kind ~ '^[a-z-]{1,40}$'),
    person     text,       -- whose account; null: none is concerned, or the address that was typed belongs to none
    actor      text,       -- who did it; null: somebody who had not signed in, or an operator at the command line
    source     text        NOT NULL, -- network address, or "command line"
    agent      text        NOT NULL CONSTRAINT security_events_agent_length CHECK (length(agent) <= 200), -- browser or program
    detail     text        NOT NULL CONSTRAINT security_events_detail_length CHECK (length(detail) <= 1000),
    kept_until timestamptz NOT NULL CONSTRAINT security_events_kept CHECK (kept_until >= at + interval '720 hours')
);
CREATE INDEX security_events_of_person ON security_events (person, id);
CREATE INDEX security_events_of_kind ON security_events (kind, id);
CREATE INDEX security_events_over ON security_events (kept_until);

-- +goose StatementBegin
CREATE FUNCTION security_events_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.kept_until <= clock_timestamp() THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'security events are only added, and deleted when their time is over' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd

CREATE TRIGGER security_events_kept BEFORE UPDATE OR DELETE ON security_events
    FOR EACH ROW EXECUTE FUNCTION security_events_are_kept();
CREATE TRIGGER security_events_kept_whole BEFORE TRUNCATE ON security_events
    FOR EACH STATEMENT EXECUTE FUNCTION security_events_are_kept();
