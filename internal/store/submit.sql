-- Several submissions, one element each of every array. Where an allowance is null there is no limit; @each is what one
-- submission takes of an allowance, and @room is all that it holds. A submission without a row: no policy is in force, or
-- its requester's allowance doesn't hold all that they have in here.
-- It reads no table that grows: its plan, made while they are small, would read them whole when they no longer are.
WITH now AS MATERIALIZED (
    SELECT at, (SELECT max(version) FROM policies WHERE effective_at <= at) AS policy
    FROM (SELECT date_trunc('second', clock_timestamp()) AS at) clock
), incoming AS MATERIALIZED (
    SELECT i.*, now.at, now.policy
    FROM now, unnest(@numbers::text[], @requesters::text[], @roles::text[], @orders::text[], @follows::text[], @categories::text[],
                @priorities::text[], @subjects::text[], @bodies::text[], @keys::text[], @fingerprints::bytea[], @allowances::bytea[])
         AS i (number, requester, role, order_number, follows, category, priority, subject, body, key, fingerprint, allowance)
), wanted AS MATERIALIZED (
    SELECT allowance, count(*) * @each::interval AS share FROM incoming
    WHERE allowance IS NOT NULL AND policy IS NOT NULL GROUP BY allowance HAVING count(*) * @each::interval <= @room::interval
), spent AS (
    -- In the order of the keys: two statements that want the same allowances don't wait in a circle.
    INSERT INTO allowances AS a (key, spent_until) SELECT allowance, clock_timestamp() + share FROM wanted ORDER BY allowance
    ON CONFLICT (key) DO UPDATE SET spent_until = greatest(a.spent_until, clock_timestamp())
        + (SELECT share FROM wanted WHERE allowance = a.key)
    WHERE a.spent_until <= clock_timestamp() + @room::interval - (SELECT share FROM wanted WHERE allowance = a.key)
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
