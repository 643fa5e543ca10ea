-- No row: the ticket is not there for @by, or closed and the verb is not for closed ones. Everything after the update happens under the ticket's lock. So
-- does the reading of the clock if a step held the lock and changed the ticket: PostgreSQL then evaluates the update
-- anew. Nothing is accepted before an instant at which something fell due that has been recorded.
WITH locked AS (
    UPDATE tickets SET last_command = last_command + 1,
                       latest_at = greatest(latest_at, date_trunc('second', clock_timestamp()))
    WHERE number = @number AND (status <> 'closed' OR @closed) AND (@staff OR requester = @by)
    RETURNING number, last_command, latest_at, policy
), words AS (
    INSERT INTO messages (ticket, body, internal) SELECT number, @body, @internal FROM locked WHERE @body <> '' RETURNING id
), command AS (
    INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message, assignee, priority, category,
                          key, fingerprint, guarded, expected, mail, address)
    SELECT number, last_command, @verb, @by, @role, latest_at, (SELECT id FROM words), nullif(@assignee, ''),
           nullif(@priority, ''), nullif(@category, ''), nullif(@key, ''), @fingerprint,
           @guarded, nullif(@expected, ''), nullif(@mail, 0), nullif(@address, '')
    FROM locked
), relay AS (
    INSERT INTO undelivered (ticket, seq) SELECT number, last_command FROM locked
)
SELECT number, last_command, latest_at, policy FROM locked
