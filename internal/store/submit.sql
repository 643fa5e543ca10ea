-- $1 number, $2 requester, $3 order number, $4 follows, $5 category, $6 priority, $7 subject, $8 body, $9 role,
-- $10 key, $11 fingerprint. No row: no policy has been published, or $4 is no ticket of $2.
WITH opening AS MATERIALIZED (
    SELECT date_trunc('second', clock_timestamp()) AS at, max(version) AS policy FROM policies
), accepted AS (
    INSERT INTO tickets (number, requester, policy, order_number, follows, submitted_at, updated_at, latest_at,
                         last_command, status, priority, category)
    SELECT $1, $2, policy, nullif($3, ''), nullif($4, ''), at, at, at, 1, 'new', $6, $5 FROM opening
    WHERE policy IS NOT NULL AND ($4 = '' OR EXISTS (SELECT FROM tickets WHERE number = $4 AND requester = $2))
    RETURNING number, submitted_at, policy
), words AS (
    INSERT INTO messages (ticket, subject, body) SELECT number, $7, $8 FROM accepted RETURNING id
), command AS (
    INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message, priority, category, key, fingerprint)
    SELECT number, 1, 'submit', $2, $9, submitted_at, words.id, $6, $5, nullif($10, ''), $11 FROM accepted, words
), relay AS (
    INSERT INTO undelivered (ticket, seq) SELECT number, 1 FROM accepted
)
SELECT submitted_at, policy FROM accepted
