-- +goose Up

-- Reports on promises count a million rows. So the rows of tickets that were submitted in the same four hours are also kept
-- packed, as a report reads them: see report_promise.go. They are packed some time after they were written, and a span whose
-- rows have changed since is stale: reports read its rows instead.
CREATE TABLE promise_spans (
    span        timestamptz(0) CONSTRAINT promise_spans_pkey PRIMARY KEY
                CONSTRAINT promise_spans_aligned CHECK (span = date_bin('4 hours', span, '2000-01-01 00:00:00Z')),
    stale_since timestamptz -- when the first of its rows changed after it was packed; null: none did
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

-- Packing a span excludes changes of its rows: whoever changes one holds this lock until its commit, together with others who
-- do, and packing holds it alone. So a pack has every change that was committed before it, and each later one marks its span.
-- +goose StatementBegin
CREATE FUNCTION promise_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed timestamptz := date_bin('4 hours', coalesce(NEW.submitted_at, OLD.submitted_at), '2000-01-01 00:00:00Z');
BEGIN
    PERFORM pg_advisory_xact_lock_shared(promise_span_lock(changed));
    -- A statement of its own, which sees what was committed before the lock was granted.
    UPDATE promise_spans SET stale_since = clock_timestamp() WHERE span = changed AND stale_since IS NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- The key of a span's advisory lock: a constant in the upper half, and the number of the span.
CREATE FUNCTION promise_span_lock(span timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (x'70726f6d'::bigint << 32) + extract(epoch FROM span)::bigint / 14400
$$;

CREATE TRIGGER promises_changed AFTER INSERT OR UPDATE OR DELETE ON promises FOR EACH ROW EXECUTE FUNCTION promise_changed();
