-- Records that @person has ticket @number open, and deletes the presences, of any ticket, that were not renewed for @lasts.
WITH before AS (
    SELECT writing FROM presences
    WHERE ticket = @number AND person = @person AND seen_at > clock_timestamp() - @lasts::interval
), now AS (
    INSERT INTO presences AS p (ticket, person, writing)
    SELECT number, @person, @writing FROM tickets WHERE number = @number
    ON CONFLICT (ticket, person) DO UPDATE SET writing = @writing, seen_at = clock_timestamp(),
        since = CASE WHEN p.seen_at > clock_timestamp() - @lasts::interval THEN p.since ELSE clock_timestamp() END
    RETURNING ticket
), gone AS (
    DELETE FROM presences WHERE ctid IN (
        SELECT ctid FROM presences
        WHERE seen_at <= clock_timestamp() - @lasts::interval AND (ticket, person) <> (@number, @person)
        FOR UPDATE SKIP LOCKED)
    RETURNING ticket
), news AS (
    SELECT ticket FROM gone
    UNION
    SELECT ticket FROM now WHERE NOT EXISTS (SELECT FROM before WHERE writing = @writing)
)
SELECT EXISTS (SELECT FROM now), (SELECT count(pg_notify(@channel, ticket || ':presence')) FROM news)
