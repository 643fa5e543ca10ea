package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Thread returns the ticket that a mail of a person belongs to, by a token in one of its recipients or by the Message-ID of a mail
// that was sent. from is empty for a sender who is not known. found is false if there is none. Nothing else in a mail is evidence:
// anyone may know a ticket's number. What proves most counts: a thread that is not Proven says only which ticket the mail is about.
// Of several tokens with a proof the first counts, and the others are the thread's Others.
func (s *Store) Thread(ctx context.Context, m desk.ReadMail, from ticket.PersonID) (t desk.Thread, found bool, err error) {
	for _, next := range []func(context.Context, desk.ReadMail, ticket.PersonID) ([]desk.Thread, error){s.addressedThreads, s.answeredThreads} {
		named, err := next(ctx, m, from)
		if err != nil {
			return t, false, err
		}
		for _, n := range named {
			n, exists, err := s.thread(ctx, n)
			switch {
			case err != nil:
				return t, false, err
			case exists && n.Proven && t.Proven && n.Number != t.Number && !slices.Contains(t.Others, n.Number):
				t.Others = append(t.Others, n.Number)
			case exists && !t.Proven && (n.Proven || !found):
				t, found = n, true
			}
		}
		if t.Proven {
			break
		}
	}
	return t, found, nil
}

// addressedThreads returns what the tokens in a mail's recipients say. One that was issued before its person's links were revoked
// proves nothing.
func (s *Store) addressedThreads(ctx context.Context, m desk.ReadMail, _ ticket.PersonID) (all []desk.Thread, err error) {
	replies, err := s.repliesTo(ctx, m.Addressed)
	if err != nil {
		return nil, err
	}
	for _, r := range replies {
		var valid bool
		err := s.pool.QueryRow(ctx, `SELECT coalesce(bool_and(date_trunc('second', links_since) <= $2) AND bool_or(id = `+knownAs("$1")+` AND disabled_at IS NULL), false)
			FROM people WHERE id IN ($1, `+knownAs("$1")+`)`, r.Person, r.Issued).Scan(&valid)
		if err != nil {
			return nil, explain(err, "read whether an address for replies was revoked")
		}
		all = append(all, desk.Thread{Number: r.Number, Person: r.Person, Public: r.Public, Alone: r.Alone, Proven: valid})
	}
	return all, nil
}

// answeredThreads returns what the Message-IDs say to which a mail refers. They prove something only for the person to whom the
// mail with that Message-ID was sent: others may know it, since it is in the headers of what that person writes.
func (s *Store) answeredThreads(ctx context.Context, m desk.ReadMail, from ticket.PersonID) (all []desk.Thread, err error) {
	for _, id := range m.References {
		sent, err := s.SentMail(ctx, id)
		if err != nil {
			return nil, err
		}
		if sent.Number != "" {
			all = append(all, desk.Thread{Number: sent.Number, Person: sent.Person, Alone: sent.Alone, Proven: sent.Proven && sent.Person == from})
		}
	}
	return all, nil
}

// answered returns the ticket that a mail is about, as far as its envelope and its header say before it is read; empty: none. It is the one
// of a valid token or else of the last Message-ID with a proof. Whether that is a proof of the sender's is not known yet.
func (s *Store) answered(ctx context.Context, m desk.IncomingMail) (ticket.Number, error) {
	replies, err := s.repliesTo(ctx, slices.Concat(m.Recipients, m.Answers))
	switch {
	case err != nil:
		return "", err
	case len(replies) > 0:
		return replies[0].Number, nil
	}
	for _, answer := range slices.Backward(m.Answers) {
		id, is := link.ParseMessageID(answer)
		if !is {
			continue
		}
		secret, err := s.Secret(ctx, messageIDSecret)
		if err != nil {
			return "", err
		}
		if id.Verify(secret) {
			return id.Number, nil
		}
	}
	return "", nil
}

// repliesTo returns what the valid tokens in some addresses say.
func (s *Store) repliesTo(ctx context.Context, addresses []string) (all []link.Reply, err error) {
	for _, address := range addresses {
		token := link.TokenIn(address)
		if token == "" {
			continue
		}
		secret, err := s.Secret(ctx, replySecret)
		if err != nil {
			return nil, err
		}
		if r, err := link.VerifyReply(secret, token); err == nil {
			all = append(all, r)
		}
	}
	return all, nil
}

// thread completes a thread. Its proof counts only while the person to whom it was sent is of the ticket, or staff.
func (s *Store) thread(ctx context.Context, t desk.Thread) (_ desk.Thread, exists bool, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT status = 'closed', array_prepend(requester, ARRAY(SELECT person FROM participants WHERE ticket = number)),
			coalesce(`+knownAs("$2")+`, ''), coalesce((SELECT role <> 'customer' AND disabled_at IS NULL FROM people WHERE id = $2), false),
			ARRAY(SELECT DISTINCT data->>'person' FROM events WHERE ticket = number AND kind = 'participant-removed'),
			(SELECT count(*) FROM participants JOIN people ON id = person WHERE ticket = number AND claimed_at IS NULL AND EXISTS (
				SELECT FROM events e WHERE e.ticket = number AND kind = 'participant-added' AND data->>'person' = person AND data->'by'->>'id' = person)
				AND NOT EXISTS (SELECT FROM events e JOIN messages m ON m.id = e.message WHERE e.ticket = number AND e.data->'by'->>'id' = person AND m.sender = 'confirmed'))
		FROM tickets WHERE number = $1`, t.Number, t.Person).Scan(&t.Closed, &t.People, &t.Person, &t.Staff, &t.Removed, &t.Joined)
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.Thread{}, false, nil
	}
	if err != nil {
		return desk.Thread{}, false, explain(err, "look for the ticket of a mail")
	}
	t.Proven = t.Proven && (t.Staff || t.Member(t.Person))
	return t, true, nil
}

// FollowUp returns the latest open ticket of a requester that follows up on a closed one, or on a closed follow-up of theirs.
// It is empty if there is none.
func (s *Store) FollowUp(ctx context.Context, closed ticket.Number, requester ticket.PersonID) (n ticket.Number, err error) {
	err = s.pool.QueryRow(ctx, `
		WITH RECURSIVE later AS (
			SELECT number, status, submitted_at FROM tickets WHERE follows = $1 AND requester = $2
			UNION
			SELECT t.number, t.status, t.submitted_at FROM later JOIN tickets t ON t.follows = later.number WHERE later.status = 'closed' AND t.requester = $2
		)
		SELECT number FROM later WHERE status <> 'closed' ORDER BY submitted_at DESC, number LIMIT 1`, closed, requester).Scan(&n)
	return n, explain(missing(err, nil), "look for a follow-up of %s", closed)
}

// SentMail returns the mail about a ticket that was sent with a Message-ID. Its number is empty if there is none. It is Proven
// if the Message-ID can't be guessed; those of mails that were stored before Message-IDs had a proof can.
func (s *Store) SentMail(ctx context.Context, messageID string) (m desk.SentMail, err error) {
	id, is := link.ParseMessageID(messageID)
	if !is {
		return m, nil
	}
	secret, err := s.Secret(ctx, messageIDSecret)
	if err != nil {
		return m, err
	}
	err = s.pool.QueryRow(ctx, `
		SELECT d.ticket, d.n, `+knownAs("d.person")+`, coalesce(d.address, p.address), e.data ? 'only'
		FROM deliveries d JOIN people p ON p.id = d.person JOIN events e ON e.ticket = d.ticket AND e.n = coalesce(d.about, d.event)
		WHERE d.ticket = @ticket AND d.n = @n AND d.queue = 'ticket' AND d.epoch = @epoch AND d.signed = @signed`,
		pgx.StrictNamedArgs{"ticket": id.Number, "n": id.N, "epoch": id.Epoch, "signed": id.Verify(secret)}).
		Scan(&m.Number, &m.N, &m.Person, &m.Address, &m.Alone)
	m.Proven = id.Verify(secret)
	if err != nil {
		return desk.SentMail{}, explain(missing(err, nil), "look for a sent mail")
	}
	return m, nil
}

// Answered counts the receipts that a person was sent for tickets by email, besides one that they open by a mail that arrived at
// an instant. Among a day's, those were answered by a mail whose subject names a ticket and which belongs to none: people answer
// within the conversation. Receipts count from acceptance, so that a rush of mails can't overtake the steps that send them, and
// those of later mails count as well, since mails are not always processed in order.
func (s *Store) Answered(ctx context.Context, person ticket.PersonID, subject string, arrived time.Time) (a desk.Answered, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE NOT quiet AND submitted_at > @arrived::timestamptz - interval '1 hour' AND submitted_at < @arrived::timestamptz + interval '1 hour'),
			CASE WHEN @subject::text ~* @number THEN 1 + count(*) FILTER (WHERE subject ~* @number) ELSE 0 END
		FROM (
			SELECT c.quiet, t.submitted_at, w.subject
			FROM tickets t JOIN commands c ON c.ticket = t.number AND c.seq = 1 JOIN messages w ON w.id = c.message
			WHERE t.requester = @person AND w.channel = 'email'
				AND t.submitted_at > @arrived::timestamptz - interval '1 day' AND t.submitted_at < @arrived::timestamptz + interval '1 day'
			ORDER BY t.submitted_at DESC LIMIT 1000
		) opened`,
		pgx.StrictNamedArgs{"person": person, "subject": subject, "arrived": arrived, "number": `\m` + s.prefix + `-[0-9a-z]{10}\M`}).Scan(&a.Sent, &a.Exchanges)
	return a, explain(err, "count the automatic emails to a sender")
}

// Blocked returns the entry of the blocklist that an address matches, or "" if none does.
func (s *Store) Blocked(ctx context.Context, address string) (entry string, err error) {
	address = strings.ToLower(address)
	_, domain, _ := strings.Cut(address, "@")
	err = s.pool.QueryRow(ctx, `SELECT sender FROM blocked_senders WHERE sender IN ($1, $2) ORDER BY sender DESC LIMIT 1`, address, "@"+domain).Scan(&entry)
	return entry, explain(missing(err, nil), "look into the blocklist")
}

// BounceMail settles a sent mail as bounced, unless it was before.
func (s *Store) BounceMail(ctx context.Context, m desk.SentMail, reason string) error {
	return s.SettleDelivery(ctx, outbox.Key{Queue: outbox.TicketMails, Ticket: m.Number, N: int64(m.N)}, desk.DeliveryBounced, reason)
}
