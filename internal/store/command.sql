-- Accepts a command. It returns no row if @by may not see the ticket, if it is closed and the verb is not for closed
-- tickets, if it has no timeline entry @seen (for staff only: customers number entries differently), if one of its files can't
-- be attached, or if the allowance of @by is used up. Everything after the update happens under the ticket's lock. So does
-- reading the clock if a step held the lock and changed the ticket, since PostgreSQL then evaluates the update again: nothing is accepted before the instant of a
-- recorded due event. The allowance is charged first, if the ticket seems to accept the command before it is locked: all
-- statements lock the files, the allowance and the ticket in this order, so that they don't deadlock. What arrived
-- earlier, at @arrived, counts from then, but not before what was recorded. The relay of another process leaves the command alone until the lease
-- expires. command.go fills in what is in braces.
WITH {files} spent AS (
    {spending}
), locked AS (
    UPDATE tickets SET last_command = last_command + 1,
                       latest_at = greatest(latest_at, date_trunc('second', least(@arrived::timestamptz, clock_timestamp())))
    WHERE {accepts} AND (@allowance IS NULL OR EXISTS (SELECT FROM spent))
    RETURNING number, last_command, latest_at, policy
), words AS (
    INSERT INTO messages (ticket, body, format, internal, channel, mail, html, left_out, forward, sender)
    SELECT number, @body, @format, @internal, nullif(@channel, ''), nullif(@incoming, 0), @html, @left_out::text::jsonb, @forward, nullif(@sender, '') FROM locked WHERE {words} RETURNING id
){attached}, command AS (
    INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message, assignee, priority, category,
                          key, fingerprint, guarded, expected, mail, address, seen, until, person, alone, trace)
    SELECT number, last_command, @verb, @by, @role, latest_at, (SELECT id FROM words), nullif(@assignee, ''),
           nullif(@priority, ''), nullif(@category, ''), nullif(@key, ''), @fingerprint,
           @guarded, nullif(@expected, ''), nullif(@mail, 0), nullif(@address, ''), nullif(@seen, 0), @until, nullif(@person, ''), @alone, nullif(@trace, '')
    FROM locked
), relay AS (
    INSERT INTO undelivered (ticket, seq, claimed_by, claimed_until)
    SELECT number, last_command, nullif(@lease, ''), CASE WHEN @lease <> '' THEN clock_timestamp() + @leased_for::interval END FROM locked
)
SELECT number, last_command, latest_at, policy FROM locked
