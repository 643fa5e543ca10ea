package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type mailRow struct {
	Kind           ticket.MailKind
	Status         desk.DeliveryStatus
	Person         ticket.PersonID
	Name           string
	Address        string
	Disabled       bool
	Instead        string
	Epoch          int64
	Previous       int
	PreviousEpoch  int64
	RootEpoch      int64
	Clock          policy.ClockName
	EscalationStep int `db:"rung"`
	Requester      ticket.PersonID
	Policy         int64
	Subject        string
	Body           string
	Author         string
	About          int
	OwedBy         int
	Owed           time.Time
	Timeline       []byte
	State          []byte
}

// Mail returns a ticket's mail with the ticket and its events up to the one that caused the mail. It is NotFound if there
// is no such mail.
func (s *Store) Mail(ctx context.Context, n ticket.Number, mail int) (app.StoredMail, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT m.kind, m.status, m.person, p.name, coalesce(m.address, p.address) AS address, p.disabled_at IS NOT NULL AS disabled,
			coalesce((SELECT name FROM people WHERE lower(handle) = lower(m.stands_for)), m.stands_for, '') AS instead,
			m.epoch, coalesce(previous.n, 0) AS previous, coalesce(previous.epoch, 0) AS previous_epoch,
			coalesce((SELECT epoch FROM deliveries WHERE ticket = m.ticket AND n = 1), 0) AS root_epoch,
			coalesce(m.clock, '') AS clock, m.rung, t.requester, t.policy, t.state,
			(SELECT w.subject FROM commands c JOIN messages w ON w.id = c.message WHERE c.ticket = t.number AND c.seq = 1) AS subject,
			coalesce(w.body, '') AS body, coalesce(a.name, '') AS author,
			e.n AS about, m.event AS owed_by, (SELECT at FROM events WHERE ticket = m.ticket AND n = m.event) AS owed,
			(SELECT jsonb_agg(data ORDER BY n) FROM events WHERE ticket = t.number AND (n <= m.event OR at = t.submitted_at)) AS timeline
		FROM deliveries m
		JOIN tickets t ON t.number = m.ticket
		JOIN people p ON p.id = m.person
		JOIN events e ON e.ticket = m.ticket AND e.n = coalesce(m.about, m.event)
		LEFT JOIN messages w ON w.id = e.message
		LEFT JOIN people a ON a.id = e.data->'by'->>'id'
		LEFT JOIN LATERAL (SELECT n, epoch FROM deliveries
			WHERE ticket = m.ticket AND person = m.person AND n < m.n ORDER BY n DESC LIMIT 1) previous ON true
		WHERE m.ticket = $1 AND m.n = $2 AND m.queue = 'ticket'`, n, mail)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[mailRow])
	if err != nil {
		return app.StoredMail{}, explain(missing(err, errNoMail), "load mail %d of %s", mail, n)
	}
	stored, err := row.mail(n, mail)
	return stored, explain(err, "load mail %d of %s", mail, n)
}

func (r mailRow) mail(n ticket.Number, mail int) (app.StoredMail, error) {
	stored := app.StoredMail{
		Data: desk.MailData{
			Number: n, N: mail, Epoch: r.Epoch, Kind: r.Kind, To: desk.Mailbox{Name: r.Name, Address: r.Address}, Disabled: r.Disabled,
			Instead: r.Instead, Previous: r.Previous, PreviousEpoch: r.PreviousEpoch, RootEpoch: r.RootEpoch,
			Subject: r.Subject, Body: r.Body, Author: r.Author, Clock: r.Clock, EscalationStep: r.EscalationStep,
		},
		Delivery: r.Status, Person: r.Person, Requester: r.Requester, Policy: r.Policy, About: r.About, OwedBy: r.OwedBy, Owed: r.Owed,
	}
	if err := json.Unmarshal(r.Timeline, &stored.Timeline); err != nil {
		return app.StoredMail{}, fmt.Errorf("read the events: %w", err)
	}
	var state ticket.State
	if err := json.Unmarshal(r.State, &state); err != nil {
		return app.StoredMail{}, fmt.Errorf("read the state: %w", err)
	}
	stored.Ticket = state.Ticket
	return stored, nil
}

// PersonName returns the name of a person, disabled or not.
func (s *Store) PersonName(ctx context.Context, id ticket.PersonID) (name string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT name FROM people WHERE id = $1`, id).Scan(&name)
	return name, explain(err, "look for the name of %s", id)
}
