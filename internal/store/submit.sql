-- Several submissions, one array element each: $1 number, $2 requester, $3 role, $4 order number, $5 follows,
-- $6 category, $7 priority, $8 subject, $9 body, $10 key, $11 fingerprint, $12 allowance (null: without limit); $13 and
-- $14 are of these allowances: a use's share, and all of it. A submission without a row: no policy is in force, or its
-- requester's allowance doesn't hold all that they have in here.
-- It reads no table that grows: its plan, made while they are small, would read them whole when they no longer are.
WITH now AS MATERIALIZED (
    SELECT at, (SELECT max(version) FROM policies WHERE effective_at <= at) AS policy
    FROM (SELECT date_trunc('second', clock_timestamp()) AS at) clock
), incoming AS MATERIALIZED (
    SELECT i.*, now.at, now.policy
    FROM now, unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::bytea[], $12::bytea[])
         AS i (number, requester, role, order_number, follows, category, priority, subject, body, key, fingerprint, allowance)
), wanted AS MATERIALIZED (
    SELECT allowance, count(*) * $13::interval AS share FROM incoming
    WHERE allowance IS NOT NULL AND policy IS NOT NULL GROUP BY allowance HAVING count(*) * $13::interval <= $14::interval
), spent AS (
    -- In the order of the keys: two statements that want the same allowances don't wait in a circle.
    INSERT INTO allowances AS a (key, spent_until) SELECT allowance, clock_timestamp() + share FROM wanted ORDER BY allowance
    ON CONFLICT (key) DO UPDATE SET spent_until = greatest(a.spent_until, clock_timestamp())
        + (SELECT share FROM wanted WHERE allowance = a.key)
    WHERE a.spent_until <= clock_timestamp() + $14::interval - (SELECT share FROM wanted WHERE allowance = a.key)
    RETURNING key
), accepted AS (
    INSERT INTO tickets (number, requester, policy, order_number, follows, submitted_at, updated_at, latest_at,
                         last_command, status, priority, category)
    SELECT number, requester, policy, nullif(order_number, ''), nullif(follows, ''), at, at, at, 1, 'new', priority, category
    FROM incoming WHERE policy IS NOT NULL AND (allowance IS NULL OR allowance IN (SELECT key FROM spent))
    RETURNING number, submitted_at, policy
), words AS (
    INSERT INTO messages (ticket, subject, body) SELECT number, subject, body FROM accepted JOIN incoming USING (number)
    RETURNING id, ticket
), command AS (
    INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message, priority, category, key, fingerprint)
    SELECT i.number, 1, 'submit', requester, role, at, words.id, priority, category, nullif(key, ''), fingerprint
    FROM words JOIN incoming i ON i.number = words.ticket
), relay AS (
    INSERT INTO undelivered (ticket, seq) SELECT number, 1 FROM accepted
)
SELECT number, submitted_at, policy, (SELECT revision FROM gate) FROM accepted
