package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mostListed is how many of a requester's tickets an announcement lists.
const mostListed = 20

// Announcement gives what the words of an announcement's mail are made from, and what became of it already. What is
// announced is as it was announced, and the tickets are as they are now: a mail that comes late tells dates that hold.
// Only one that is owed is loaded. tries have failed. NotFound: no such mail.
func (s *Store) Announcement(ctx context.Context, id int64) (a desk.Announcement, status desk.DeliveryStatus, tries int, err error) {
	a.ID = id
	var person ticket.PersonID
	var until *time.Time
	var seconds int64
	var unsent, heard bool
	err = s.pool.QueryRow(ctx, `
		SELECT coalesce(before.unsent, false), coalesce(before.sent, false), m.status, m.tries, m.person, p.name, p.address, p.disabled_at IS NOT NULL, a.tells, a.stage, a.starts_at, nullif(a.ends_at, 'infinity'),
			a.seconds, a.made_at, e.id, e.kind, e.notice
		FROM deliveries m
		JOIN announcements a ON a.id = m.announcement
		JOIN emergencies e ON e.id = a.emergency
		JOIN people p ON p.id = m.person
		LEFT JOIN LATERAL (
			SELECT bool_or(o.status = 'superseded') AS unsent, bool_or(o.status = 'sent') AS sent
			FROM deliveries o JOIN announcements b ON b.id = o.announcement
			WHERE o.person = m.person AND b.emergency = a.emergency AND b.n < a.n) before ON true
		WHERE m.queue = 'announcement' AND m.n = $1 AND m.ticket IS NULL`, id).Scan(&unsent, &heard, &status, &tries, &person, &a.To.Name, &a.To.Address, &a.Disabled, &a.Tells, &a.Stage, &a.From, &until,
		&seconds, &a.At, &a.Emergency, &a.Kind, &a.Notice)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, "", 0, errNoMail
	}
	if err == nil && status == desk.DeliveryOwed {
		a.Until, a.By = orZero(until), time.Duration(seconds)*time.Second
		if unsent && !heard {
			a.Tells = a.Tells.First(a.Substance)
		}
		err = s.fillAnnouncement(ctx, &a, person)
	}
	return a, status, tries, explain(err, "load announcement's mail %d", id)
}

func (s *Store) fillAnnouncement(ctx context.Context, a *desk.Announcement, person ticket.PersonID) (err error) {
	if _, a.Policy, _, err = s.PolicyInForce(ctx); err != nil {
		return err
	}
	if a.Tickets, a.More, err = s.moved(ctx, person, a.Emergency); err != nil {
		return err
	}
	if len(a.Tickets) == 1 && a.More == 0 {
		a.Token, err = s.conversationLink(ctx, a.Tickets[0].Number, person, a.At)
	}
	return err
}

type movedRow struct {
	Number  ticket.Number
	Subject string
	Policy  int64
	State   []byte
	Total   int
}

// moved gives a requester's tickets that are owed something, the oldest first, with what an emergency did to their
// promises, and how many there are beyond. One that no step has taken yet is left out: its receipt is still to come.
func (s *Store) moved(ctx context.Context, person ticket.PersonID, id ticket.EmergencyID) (tickets []desk.Moved, more int, err error) {
	gate, err := s.Gate(ctx)
	if err != nil {
		return nil, 0, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT t.number, w.subject, t.policy, t.state, count(*) OVER () AS total
		FROM tickets t
		JOIN commands c ON c.ticket = t.number AND c.seq = 1
		JOIN messages w ON w.id = c.message
		WHERE t.requester = $1 AND t.state IS NOT NULL AND `+concerned+`
		ORDER BY t.submitted_at, t.number LIMIT $2`, person, mostListed)
	if err != nil {
		return nil, 0, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[movedRow])
	if err != nil {
		return nil, 0, err
	}
	for _, row := range found {
		m, err := s.movedTicket(ctx, row, gate, id)
		if err != nil {
			return nil, 0, err
		}
		tickets, more = append(tickets, m), row.Total-len(found)
	}
	return tickets, more, nil
}

func (s *Store) movedTicket(ctx context.Context, row movedRow, gate ticket.Gate, id ticket.EmergencyID) (desk.Moved, error) {
	p, err := s.Policy(ctx, row.Policy)
	if err != nil {
		return desk.Moved{}, err
	}
	var state ticket.State
	if err := json.Unmarshal(row.State, &state); err != nil {
		return desk.Moved{}, fmt.Errorf("read the state of %s: %w", row.Number, err)
	}
	expected, err := ticket.Expected(state.Ticket, ticket.Desk{Policy: p, Gate: gate})
	if err != nil {
		return desk.Moved{}, err
	}
	m := desk.Moved{Number: row.Number, Subject: row.Subject}
	m.FirstResponse, m.Resolution = desk.Moves(state.Ticket, expected, id)
	return m, nil
}
