-- Several submissions, one array element each: $1 number, $2 requester, $3 role, $4 order number, $5 follows,
-- $6 category, $7 priority, $8 subject, $9 body, $10 key, $11 fingerprint. No rows: no policy is in force.
-- It reads no table that grows: its plan, made while they are small, would read them whole when they no longer are.
WITH now AS MATERIALIZED (
    SELECT at, (SELECT max(version) FROM policies WHERE effective_at <= at) AS policy
    FROM (SELECT date_trunc('second', clock_timestamp()) AS at) clock
), incoming AS MATERIALIZED (
    SELECT i.*, now.at, now.policy
    FROM now, unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::bytea[])
         AS i (number, requester, role, order_number, follows, category, priority, subject, body, key, fingerprint)
), accepted AS (
    INSERT INTO tickets (number, requester, policy, order_number, follows, submitted_at, updated_at, latest_at,
                         last_command, status, priority, category)
    SELECT number, requester, policy, nullif(order_number, ''), nullif(follows, ''), at, at, at, 1, 'new', priority, category
    FROM incoming WHERE policy IS NOT NULL
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
