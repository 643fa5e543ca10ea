-- +goose Up

-- Reports on promises count a million rows. So the rows of tickets that were submitted in the same four hours are also kept
-- packed, as a report reads them: see report_promise.go. They are packed some time after they were written, and a span whose
-- rows have changed since is stale: reports read its rows instead.
CREATE TABLE promise_spans ( -- that are packed
    span timestamptz(0) CONSTRAINT promise_spans_pkey PRIMARY KEY
         CONSTRAINT promise_spans_aligned CHECK (span = date_bin('4 hours', span, '2000-01-01 00:00:00Z'))
);

CREATE TABLE promise_packs (
    span    timestamptz(0) NOT NULL CONSTRAINT promise_packs_span REFERENCES promise_spans,
    clock   text           NOT NULL CONSTRAINT promise_packs_clock_known CHECK (clock IN ('first_response', 'resolution')),
    taken   bytea          NOT NULL,
    counted bytea          NOT NULL,
    CONSTRAINT promise_packs_pkey PRIMARY KEY (clock, span)
);
-- They don't get smaller by compression, and it costs a report time.
ALTER TABLE promise_packs ALTER COLUMN taken SET STORAGE EXTERNAL, ALTER COLUMN counted SET STORAGE EXTERNAL;

-- Each change of a row adds a row here, in the same transaction. Packing a span reads its promises and deletes its changes in
-- one statement, which sees one state of the database: so the changes that are not in the pack remain, also those that are
-- committed later, and nothing has to wait. A row of a span that would be updated instead would make steps wait for imports.
CREATE TABLE promise_changes (
    span       timestamptz(0) NOT NULL,
    changed_at timestamptz    NOT NULL
);
CREATE INDEX promise_changes_of_span ON promise_changes (span, changed_at);

-- +goose StatementBegin
CREATE FUNCTION promise_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO promise_changes
    VALUES (date_bin('4 hours', coalesce(NEW.submitted_at, OLD.submitted_at), '2000-01-01 00:00:00Z'), clock_timestamp());
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER promises_changed AFTER INSERT OR UPDATE OR DELETE ON promises FOR EACH ROW EXECUTE FUNCTION promise_changed();
