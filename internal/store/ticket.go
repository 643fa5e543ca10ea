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

// recordSQL reads tickets t with what stands beside them. The subject is kept with the first message, once.
const recordSQL = `
	SELECT t.number AS ticket, m.subject, coalesce(t.order_number, '') AS order_number, coalesce(t.follows, '') AS follows,
		r.id AS requester, r.name AS requester_name, r.role AS requester_role,
		coalesce(a.id, '') AS agent, coalesce(a.name, '') AS agent_name, coalesce(a.handle, '') AS agent_handle,
		coalesce(a.role, '') AS agent_role,
		t.submitted_at, t.updated_at, t.state, t.policy, t.last_command, ` + commandColumns + `
	FROM tickets t
	JOIN commands c ON c.ticket = t.number AND c.seq = 1
	JOIN messages m ON m.id = c.message
	JOIN people r ON r.id = t.requester
	LEFT JOIN people a ON a.id = t.assignee
	WHERE `

type recordRow struct {
	Ticket        ticket.Number
	Subject       string
	OrderNumber   string
	Follows       ticket.Number
	Requester     ticket.PersonID
	RequesterName string
	RequesterRole ticket.Role
	Agent         ticket.PersonID
	AgentName     string
	AgentHandle   string
	AgentRole     ticket.Role
	SubmittedAt   time.Time
	UpdatedAt     time.Time
	State         []byte
	Policy        int64
	LastCommand   int64
	commandRow
}

func (r recordRow) record() (desk.Record, error) {
	record := desk.Record{
		Number: r.Ticket, Subject: r.Subject, Order: r.OrderNumber, Follows: r.Follows,
		Requester: desk.Ref{ID: r.Requester, Name: r.RequesterName, Role: r.RequesterRole},
		Submitted: r.SubmittedAt, Updated: r.UpdatedAt, Submission: r.command(), Policy: r.Policy, Pending: r.LastCommand,
	}
	if r.Agent != "" {
		record.Assignee = &desk.Ref{ID: r.Agent, Name: r.AgentName, Handle: r.AgentHandle, Role: r.AgentRole}
	}
	if r.State != nil {
		record.State = new(ticket.State)
		if err := json.Unmarshal(r.State, record.State); err != nil {
			return desk.Record{}, fmt.Errorf("read the state of %s: %w", r.Ticket, err)
		}
	}
	return record, nil
}

func collectRecords(rows pgx.Rows) ([]desk.Record, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Record, error) {
		r, err := pgx.RowToStructByName[recordRow](row)
		if err != nil {
			return desk.Record{}, err
		}
		return r.record()
	})
}

// Ticket gives one ticket. To a customer, another's is NotFound.
func (s *Store) Ticket(ctx context.Context, viewer desk.Person, n ticket.Number) (desk.Record, error) {
	return s.record(ctx, n, `t.number = $1 AND ($2 OR t.requester = $3)`, n, viewer.Role.Staff(), viewer.ID)
}

// Track gives one ticket to nobody in particular. Only its status and promises may be shown.
func (s *Store) Track(ctx context.Context, n ticket.Number) (desk.Record, error) {
	return s.record(ctx, n, `t.number = $1`, n)
}

func (s *Store) record(ctx context.Context, n ticket.Number, condition string, args ...any) (desk.Record, error) {
	rows, err := s.pool.Query(ctx, recordSQL+condition, args...)
	if err != nil {
		return desk.Record{}, explain(err, "load ticket %s", n)
	}
	found, err := collectRecords(rows)
	if err == nil && len(found) == 0 {
		return desk.Record{}, errNoTicket
	}
	if err != nil {
		return desk.Record{}, explain(err, "load ticket %s", n)
	}
	record := found[0]
	record.FollowedBy, err = s.followers(ctx, n)
	return record, explain(err, "load ticket %s", n)
}

// followers are a ticket's follow-ups, oldest first; all are its requester's own.
func (s *Store) followers(ctx context.Context, n ticket.Number) ([]ticket.Number, error) {
	rows, err := s.pool.Query(ctx, `SELECT number FROM tickets WHERE follows = $1 ORDER BY submitted_at, number`, n)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
}

// visible fails with NotFound unless a person may know of a ticket.
func (s *Store) visible(ctx context.Context, viewer desk.Person, n ticket.Number) error {
	err := s.pool.QueryRow(ctx, `SELECT FROM tickets WHERE number = $1 AND ($2 OR requester = $3)`,
		n, viewer.Role.Staff(), viewer.ID).Scan()
	if errors.Is(err, pgx.ErrNoRows) {
		return errNoTicket
	}
	return err
}
