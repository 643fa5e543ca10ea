-- Accepts merge-person for each ticket of which a contact who was merged is the requester or a participant: all such contacts, or
-- those who were merged into @person, unless one is undecided. The tickets are locked in one order, and everything after that
-- happens under their locks.
WITH named AS (
    SELECT t.number, p.id AS contact, p.merged_into AS person FROM people p JOIN tickets t ON t.requester = p.id
    WHERE p.merged_into IS NOT NULL AND @person IN ('', p.merged_into)
    UNION ALL
    SELECT i.ticket, p.id, p.merged_into FROM people p JOIN participants i ON i.person = p.id
    WHERE p.merged_into IS NOT NULL AND @person IN ('', p.merged_into)
), chosen AS (
    SELECT t.number, n.contact, n.person FROM tickets t
    JOIN (SELECT DISTINCT ON (number) * FROM named ORDER BY number, contact) n ON n.number = t.number
    WHERE NOT EXISTS (SELECT FROM commands c WHERE c.ticket = t.number AND c.merged = n.contact
        AND NOT EXISTS (SELECT FROM outcomes o WHERE o.ticket = c.ticket AND o.seq = c.seq))
    ORDER BY t.number
    FOR UPDATE OF t
), locked AS (
    UPDATE tickets t SET last_command = last_command + 1,
                         latest_at = greatest(latest_at, date_trunc('second', clock_timestamp()))
    FROM chosen WHERE t.number = chosen.number
    RETURNING t.number, t.last_command, t.latest_at, chosen.contact, chosen.person
), command AS (
    INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, person, merged)
    SELECT number, last_command, 'merge-person', person, 'customer', latest_at, person, contact FROM locked
), relay AS (
    INSERT INTO undelivered (ticket, seq) SELECT number, last_command FROM locked
)
SELECT number FROM locked ORDER BY number
