-- No row: the ticket is not there for @by, or closed and the verb is not for closed ones, or has no entry @seen; or what
-- @by may write is used up. Only staff are refused for an entry that isn't there: customers count otherwise. Everything
-- after the update happens under the ticket's lock. So does the reading of the clock if a step held the lock and changed
-- the ticket: PostgreSQL then evaluates the update anew. Nothing is accepted before an instant at which something fell due
-- that has been recorded. What @by may write is spent first, on a ticket that takes it as far as can be seen without the
-- lock: every statement takes the allowance's lock before the ticket's, so that there is no deadlock.
WITH spent AS (
    INSERT INTO allowances AS a (key, spent_until)
    SELECT @allowance::bytea, clock_timestamp() + @each::interval FROM tickets
    WHERE @allowance IS NOT NULL AND number = @number AND (status <> 'closed' OR @closed) AND (@staff OR requester = @by)
        AND (NOT @staff OR @seen::bigint <= greatest(events, 1))
    ON CONFLICT (key) DO UPDATE SET spent_until = greatest(a.spent_until, clock_timestamp()) + @each
    WHERE a.spent_until <= clock_timestamp() + @room
    RETURNING key
), locked AS (
    UPDATE tickets SET last_command = last_command + 1,
                       latest_at = greatest(latest_at, date_trunc('second', clock_timestamp()))
    WHERE number = @number AND (status <> 'closed' OR @closed) AND (@staff OR requester = @by)
        AND (NOT @staff OR @seen <= greatest(events, 1))
        AND (@allowance IS NULL OR EXISTS (SELECT FROM spent))
    RETURNING number, last_command, latest_at, policy
), words AS (
    INSERT INTO messages (ticket, body, internal) SELECT number, @body, @internal FROM locked WHERE @body <> '' RETURNING id
), command AS (
    INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message, assignee, priority, category,
                          key, fingerprint, guarded, expected, mail, address, seen, until)
    SELECT number, last_command, @verb, @by, @role, latest_at, (SELECT id FROM words), nullif(@assignee, ''),
           nullif(@priority, ''), nullif(@category, ''), nullif(@key, ''), @fingerprint,
           @guarded, nullif(@expected, ''), nullif(@mail, 0), nullif(@address, ''), nullif(@seen, 0), @until
    FROM locked
), relay AS (
    INSERT INTO undelivered (ticket, seq) SELECT number, last_command FROM locked
)
SELECT number, last_command, latest_at, policy FROM locked
