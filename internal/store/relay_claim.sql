-- Leases up to @limit commands to the relay @name for @duration, and returns them in order. At most half of them are
-- retries, so that commands that Temporal refuses never block new ones; their order by not_before gives each its turn.
-- statement_timestamp() is used because a volatile clock would not use the index. relay.go fills in what is in braces.
WITH retry AS (
    SELECT id FROM undelivered
    WHERE tries > 0 AND not_before <= statement_timestamp() AND (seq > 1 OR @submissions::int > 0) AND {unleased}
    ORDER BY not_before LIMIT (@limit::int + 1) / 2 FOR UPDATE SKIP LOCKED
), later AS ( -- commands of tickets whose submission was delivered
    SELECT id, ticket, seq FROM undelivered u
    WHERE tries = 0 AND seq > 1 AND {unleased} AND NOT EXISTS (
        SELECT FROM undelivered held WHERE held.ticket = u.ticket AND held.delivered_at IS NULL AND (
            held.tries > 0 OR held.seq = 1 OR held.seq < u.seq AND held.claimed_until >= statement_timestamp()))
    ORDER BY id LIMIT @limit - (SELECT count(*) FROM retry) FOR UPDATE OF u SKIP LOCKED
), submission AS (
    SELECT id FROM undelivered WHERE tries = 0 AND seq = 1 AND {unleased}
    ORDER BY id LIMIT least(greatest(@submissions, 0), @limit - (SELECT count(*) FROM retry) - (SELECT count(*) FROM later))
    FOR UPDATE SKIP LOCKED
), leased AS (
    -- This statement's snapshot may not show that another relay has just claimed an earlier command, so a later one is
    -- leased only if no earlier one is undelivered outside the selection.
    UPDATE undelivered SET claimed_by = @name, claimed_until = clock_timestamp() + @duration::interval
    WHERE id = ANY (ARRAY(
        SELECT id FROM retry UNION ALL SELECT id FROM submission UNION ALL
        SELECT id FROM later WHERE NOT EXISTS (
            SELECT FROM undelivered earlier WHERE earlier.ticket = later.ticket AND earlier.seq < later.seq
                AND earlier.delivered_at IS NULL AND earlier.id NOT IN (SELECT id FROM later))))
    RETURNING id, ticket, seq
)
SELECT leased.id, leased.ticket, coalesce((SELECT handle FROM people WHERE id = c.by_person), '') AS actor, coalesce(c.trace, '') AS trace,
    coalesce((SELECT policy FROM tickets WHERE number = c.ticket AND c.seq = 1 AND taken = 0), 0) AS pinned, {columns}
FROM leased JOIN commands c ON c.ticket = leased.ticket AND c.seq = leased.seq
ORDER BY leased.id
