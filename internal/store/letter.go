package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type letterRow struct {
	Kind          ticket.MailKind
	Status        desk.DeliveryStatus
	Person        ticket.PersonID
	Name          string
	Address       string
	Disabled      bool
	Instead       string
	Epoch         int64
	Previous      int
	PreviousEpoch int64
	RootEpoch     int64
	Clock         policy.ClockName
	Rung          int
	Requester     ticket.PersonID
	Policy        int64
	Subject       string
	Body          string
	Author        string
	Event         int
	OwedBy        int       // the event that owes it; of a mail sent again, another than the one whose words it carries
	Owed          time.Time // when that happened
	Events        []byte    // the timeline up to OwedBy
	State         []byte    // the ticket's, now
}

// Letter gives what a mail's words are made from, and what became of it already. It shows the ticket
// as its event left it, however late it is sent: a receipt states what was promised, by the emergencies of its instant too.
// NotFound: no such mail.
func (s *Store) Letter(ctx context.Context, n ticket.Number, mail int) (l desk.Letter, postage desk.DeliveryStatus, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT m.kind, m.status, m.person, p.name, coalesce(m.address, p.address) AS address, p.disabled_at IS NOT NULL AS disabled,
			coalesce((SELECT name FROM people WHERE lower(handle) = lower(m.stands_for)), m.stands_for, '') AS instead,
			m.epoch, coalesce(previous.n, 0) AS previous, coalesce(previous.epoch, 0) AS previous_epoch,
			coalesce((SELECT epoch FROM deliveries WHERE ticket = m.ticket AND n = 1), 0) AS root_epoch,
			coalesce(m.clock, '') AS clock, m.rung, t.requester, t.policy, t.state,
			(SELECT w.subject FROM commands c JOIN messages w ON w.id = c.message WHERE c.ticket = t.number AND c.seq = 1) AS subject,
			coalesce(w.body, '') AS body, coalesce(a.name, '') AS author,
			e.n AS event, m.event AS owed_by, (SELECT at FROM events WHERE ticket = m.ticket AND n = m.event) AS owed,
			(SELECT jsonb_agg(data ORDER BY n) FROM events WHERE ticket = t.number AND (n <= m.event
				OR m.kind = 'receipt' AND kind IN ('paused', 'extended') AND at = t.submitted_at)) AS events
		FROM deliveries m
		JOIN tickets t ON t.number = m.ticket
		JOIN people p ON p.id = m.person
		JOIN events e ON e.ticket = m.ticket AND e.n = coalesce(m.about, m.event)
		LEFT JOIN messages w ON w.id = e.message
		LEFT JOIN people a ON a.id = e.data->'by'->>'id'
		LEFT JOIN LATERAL (SELECT n, epoch FROM deliveries
			WHERE ticket = m.ticket AND person = m.person AND n < m.n ORDER BY n DESC LIMIT 1) previous ON true
		WHERE m.ticket = $1 AND m.n = $2 AND m.queue = 'ticket'`, n, mail)
	if err != nil {
		return desk.Letter{}, "", explain(err, "load mail %d of %s", mail, n)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[letterRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.Letter{}, "", errNoMail
	}
	if err != nil {
		return desk.Letter{}, "", explain(err, "load mail %d of %s", mail, n)
	}
	l, err = s.letter(ctx, n, row)
	l.N = mail
	return l, row.Status, explain(err, "load mail %d of %s", mail, n)
}

// fold applies the timeline to a draft: as the event left it that the mail is about, and as the one did that owes the mail.
func (row letterRow) fold(draft ticket.Ticket) (about, owing ticket.Ticket, event ticket.Event, err error) {
	var events []ticket.Event
	if err := json.Unmarshal(row.Events, &events); err != nil {
		return about, owing, event, fmt.Errorf("read the events: %w", err)
	}
	about, owing = draft, draft
	for _, e := range events {
		if owing = ticket.Apply(owing, e); e.N <= row.Event || row.Event == row.OwedBy {
			about = owing
		}
	}
	return about, owing, events[row.Event-1], nil
}

func (s *Store) letter(ctx context.Context, n ticket.Number, row letterRow) (desk.Letter, error) {
	p, err := s.Policy(ctx, row.Policy)
	if err != nil {
		return desk.Letter{}, err
	}
	t, owing, event, err := row.fold(ticket.Draft(n, row.Requester, row.Policy, p))
	if err != nil {
		return desk.Letter{}, err
	}
	l := desk.Letter{
		Number: n, Kind: row.Kind, To: desk.Mailbox{Name: row.Name, Address: row.Address}, Disabled: row.Disabled, Instead: row.Instead,
		Epoch: row.Epoch, Previous: row.Previous, PreviousEpoch: row.PreviousEpoch, RootEpoch: row.RootEpoch,
		Subject: row.Subject, Body: row.Body, Author: row.Author, At: event.At, Cause: event.Cause,
		Status: t.Status, Priority: t.Priority, Silence: silence(owing, p.Silence),
		Sent: time.Now(), Clock: row.Clock, Rung: row.Rung, Policy: p,
	}
	emergencies, err := s.Notices(ctx)
	if err != nil {
		return desk.Letter{}, err
	}
	l.Notices = desk.NoticesAt(emergencies, l.Sent)
	if row.Clock != "" {
		l.DueAt, _ = t.Promise(row.Clock).Due()
		l.Since = t.Promise(row.Clock).LadderFrom
	}
	var present ticket.State
	if err := json.Unmarshal(row.State, &present); err != nil {
		return desk.Letter{}, fmt.Errorf("read the state: %w", err)
	}
	if err := s.date(ctx, &l, t, present.Ticket); err != nil {
		return desk.Letter{}, err
	}
	if row.Kind == ticket.MailEscalation {
		if l.Token, err = s.escalationLink(ctx, n, row.Person, row.Owed); err != nil {
			return desk.Letter{}, err
		}
	}
	if !row.Kind.ToStaff() {
		// Counted from the event, so that a mail which is tried again is the same mail.
		if l.Token, err = s.conversationLink(ctx, n, row.Person, row.Owed); err != nil {
			return desk.Letter{}, err
		}
	}
	if t.Assignee != "" {
		err = s.pool.QueryRow(ctx, `SELECT name FROM people WHERE id = $1`, t.Assignee).Scan(&l.Assignee)
	}
	return l, err
}

// silence is how long the requester may stay silent, from when the mail reaches them, before that ends the ticket's
// present status; zero when it never does, or when an emergency holds it up.
func silence(t ticket.Ticket, s policy.Silence) time.Duration {
	after := s.CloseAfter
	if t.Status == ticket.StatusWaiting {
		after = s.ResolveAfter
	}
	if !t.Unheard() || after == 0 || t.InEmergency() {
		return 0
	}
	return max(after-t.Silent, 0)
}
