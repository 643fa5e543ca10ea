-- Accepts several submissions, of which each array has one element. A null allowance means no limit; @each is what one
-- submission takes from an allowance, and @room is the whole of it. A submission has no row in the result if no policy is in
-- force, if one of its files can't be attached, or if its author's allowance does not cover all of their submissions in the
-- batch. What arrived before, at an instant of @arrivals, counts
-- from then, under the policy of that time. submit.go fills in what is in braces, which is empty unless a submission of the batch has files.
-- The statement reads no table that grows: a cached plan, made while a table is small, would later scan all of it.
WITH now AS MATERIALIZED (
    SELECT at, (SELECT max(version) FROM policies WHERE effective_at <= at) AS policy
    FROM (SELECT date_trunc('second', clock_timestamp()) AS at) clock
), {files} incoming AS MATERIALIZED (
    SELECT i.*, date_trunc('second', least(i.arrived, now.at)) AS at,
        CASE WHEN i.arrived < now.at THEN coalesce((SELECT max(version) FROM policies WHERE effective_at <= i.arrived), now.policy) ELSE now.policy END AS policy
    FROM now, unnest(@numbers::text[], @requesters::text[], @authors::text[], @roles::text[], @orders::text[], @follows::text[], @categories::text[],
                @priorities::text[], @subjects::text[], @bodies::text[], @formats::text[], @channels::text[], @mails::bigint[], @htmls::text[], @left_outs::text[], @forwards::boolean[], @senders::text[], @quiets::boolean[], @arrivals::timestamptz[], @keys::text[], @fingerprints::bytea[], @allowances::bytea[], @traces::text[])
         AS i (number, requester, author, role, order_number, follows, category, priority, subject, body, format, channel, mail, html, left_out, forward, sender, quiet, arrived, key, fingerprint, allowance, trace)
    {offered}
), wanted AS MATERIALIZED (
    SELECT allowance, count(*) * @each::interval AS share FROM incoming
    WHERE allowance IS NOT NULL AND policy IS NOT NULL GROUP BY allowance HAVING count(*) * @each::interval <= @room::interval
), spent AS (
    -- In the order of the keys, so that two statements with the same allowances don't deadlock.
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
    INSERT INTO messages (ticket, subject, body, format, channel, mail, html, left_out, forward, sender)
    SELECT number, subject, body, format, nullif(channel, ''), nullif(mail, 0), html, left_out::jsonb, forward, nullif(sender, '') FROM accepted JOIN incoming USING (number)
    RETURNING id, ticket
){attached}, command AS (
    INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message, priority, category, quiet, key, fingerprint, trace)
    SELECT i.number, 1, 'submit', author, role, at, words.id, priority, category, quiet, nullif(key, ''), fingerprint, nullif(trace, '')
    FROM words JOIN incoming i ON i.number = words.ticket
), relay AS (
    INSERT INTO undelivered (ticket, seq) SELECT number, 1 FROM accepted
)
SELECT number, submitted_at, policy, (SELECT revision FROM emergency_schedule) FROM accepted
