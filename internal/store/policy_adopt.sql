-- Accepts adopt-policy for every ticket of a choice that can be moved to @version: no row for a ticket that is closed,
-- or under that version already. The tickets are locked in one order, and everything after that happens under their locks.
WITH chosen AS (
    SELECT number FROM tickets
    WHERE status <> 'closed' AND policy <> @version AND (number = ANY (@tickets::text[]) OR policy = @from)
    ORDER BY number
    FOR UPDATE
), locked AS (
    UPDATE tickets t SET last_command = last_command + 1,
                         latest_at = greatest(latest_at, date_trunc('second', clock_timestamp()))
    FROM chosen WHERE t.number = chosen.number
    RETURNING t.number, t.last_command, t.latest_at
), command AS (
    INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, policy, key, fingerprint)
    SELECT number, last_command, 'adopt-policy', @by, @role, latest_at, @version,
           CASE WHEN @key <> '' THEN @key || ' ' || number END,
           CASE WHEN @key <> '' THEN sha256(@fingerprint::bytea || convert_to(number, 'UTF8')) END
    FROM locked
), relay AS (
    INSERT INTO undelivered (ticket, seq) SELECT number, last_command FROM locked
)
SELECT number, last_command AS seq FROM locked ORDER BY number
