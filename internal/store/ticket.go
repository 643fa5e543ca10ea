package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// A record is selected from a ticket t and what is joined to it. The subject is stored once, with the first message.
const (
	recordSQL     = recordColumns + ` FROM tickets t ` + recordJoins + ` WHERE `
	recordColumns = `
	SELECT t.number AS ticket, m.subject, coalesce(t.order_number, '') AS order_number, coalesce(t.follows, '') AS follows,
		r.id AS requester, r.name AS requester_name, r.role AS requester_role,
		coalesce(a.id, '') AS agent, coalesce(a.name, '') AS agent_name, coalesce(a.handle, '') AS agent_handle,
		coalesce(a.role, '') AS agent_role,
		t.submitted_at, t.updated_at, coalesce(t.shown_at, t.submitted_at) AS shown_at, t.state, t.policy, t.last_command,
		(SELECT revision FROM emergency_schedule) AS schedule, ` + commandColumns
	recordJoins = `
	JOIN commands c ON c.ticket = t.number AND c.seq = 1
	JOIN messages m ON m.id = c.message
	JOIN people r ON r.id = t.requester
	LEFT JOIN people a ON a.id = t.assignee`
)

// A record with an excerpt also has the newest message whose command was not refused, be it decided or not.
const (
	excerptColumns = `, left(said.body, 160) AS last_text, said.internal AS last_internal, said.accepted_at AS last_at,
		said.id AS last_by, said.name AS last_name, said.handle AS last_handle, said.role AS last_role`
	excerptJoins = `
	LEFT JOIN LATERAL (
		SELECT w.body, w.internal, l.accepted_at, p.id, p.name, coalesce(p.handle, '') AS handle, l.by_role AS role
		FROM commands l
		JOIN messages w ON w.id = l.message
		JOIN people p ON p.id = l.by_person
		LEFT JOIN outcomes o ON o.ticket = l.ticket AND o.seq = l.seq
		WHERE l.ticket = t.number AND o.refused IS NOT TRUE ORDER BY l.seq DESC LIMIT 1) said ON true`
)

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
	ShownAt       time.Time
	State         *ticket.State
	Policy        int64
	LastCommand   int64
	Schedule      int64
	commandRow
}

// recordWithExcerptRow is a record's row with the start of its newest message; the fields are nil if there is none.
type recordWithExcerptRow struct {
	recordRow
	LastText     *string
	LastInternal *bool
	LastAt       *time.Time
	LastBy       *ticket.PersonID
	LastName     *string
	LastHandle   *string
	LastRole     *ticket.Role
}

func (r recordWithExcerptRow) record() desk.Record {
	record := r.recordRow.record()
	if r.LastText != nil {
		record.Last = &desk.Excerpt{
			Text: *r.LastText, Internal: *r.LastInternal, At: *r.LastAt,
			By: desk.Ref{ID: *r.LastBy, Name: *r.LastName, Handle: *r.LastHandle, Role: *r.LastRole},
		}
	}
	return record
}

func (r recordRow) record() desk.Record {
	record := desk.Record{
		Number: r.Ticket, Subject: r.Subject, Order: r.OrderNumber, Follows: r.Follows,
		Requester: desk.Ref{ID: r.Requester, Name: r.RequesterName, Role: r.RequesterRole},
		Submitted: r.SubmittedAt, Updated: r.UpdatedAt, Shown: r.ShownAt, Submission: r.command(), Policy: r.Policy, LastCommand: r.LastCommand, Schedule: r.Schedule, State: r.State,
	}
	if r.Agent != "" {
		record.Assignee = &desk.Ref{ID: r.Agent, Name: r.AgentName, Handle: r.AgentHandle, Role: r.AgentRole}
	}
	return record
}

// recordSource is a row from which a record is made.
type recordSource interface{ record() desk.Record }

// collectRecords scans rows into Rs and returns their records.
func collectRecords[R recordSource](rows pgx.Rows) ([]desk.Record, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Record, error) {
		r, err := pgx.RowToStructByName[R](row)
		if err != nil {
			return desk.Record{}, err
		}
		return r.record(), nil
	})
}

// Ticket returns a ticket. It is NotFound if there is none or if the viewer may not see it; see seenBy. It takes one round trip,
// and another for a follow-up.
func (s *Store) Ticket(ctx context.Context, viewer desk.Person, n ticket.Number) (r desk.Record, err error) {
	batch := &pgx.Batch{}
	staff := viewer.Role.Staff()
	batch.Queue(recordSQL+`t.number = $1 AND `+seenBy("t", "$2", "$3"), n, staff, viewer.ID).Query(func(rows pgx.Rows) (err error) {
		r, err = oneRecord(rows)
		return err
	})
	queueFollowers(batch, viewer, n, &r.FollowedBy)
	queueInvolved(batch, n, staff, &r.People)
	err = s.pool.SendBatch(ctx, batch).Close()
	if err == nil && r.Follows != "" {
		if err = s.visible(ctx, viewer, r.Follows); errors.Is(err, errNoTicket) {
			r.Follows, err = "", nil
		}
	}
	if err != nil {
		return desk.Record{}, explain(err, "load ticket %s", n)
	}
	return r, nil
}

// Track returns a ticket for a viewer who isn't known. The caller may show only its status and its targets.
func (s *Store) Track(ctx context.Context, n ticket.Number) (desk.Record, error) {
	rows, _ := s.pool.Query(ctx, recordSQL+`t.number = $1`, n)
	r, err := oneRecord(rows)
	return r, explain(err, "load ticket %s", n)
}

// oneRecord returns the record in rows, and errNoTicket if there is none.
func oneRecord(rows pgx.Rows) (desk.Record, error) {
	found, err := collectRecords[recordRow](rows)
	if err == nil && len(found) == 0 {
		err = errNoTicket
	}
	if err != nil {
		return desk.Record{}, err
	}
	return found[0], nil
}

// queueFollowers reads a ticket's follow-ups that the viewer may see, the oldest first. The condition for customers is left out for
// staff: with one for both, PostgreSQL would find a plan for each execution better than one that it can keep.
func queueFollowers(batch *pgx.Batch, viewer desk.Person, n ticket.Number, into *[]ticket.Number) {
	condition, args := `true`, []any{n}
	if !viewer.Role.Staff() {
		condition, args = seenBy("t", "false", "$2"), append(args, viewer.ID)
	}
	batch.Queue(`SELECT number FROM tickets t WHERE follows = $1 AND `+condition+` ORDER BY submitted_at, number`, args...).
		Query(func(rows pgx.Rows) (err error) {
			*into, err = pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
			return err
		})
}

// visible returns errNoTicket unless the viewer may know of a ticket; see seenBy.
func (s *Store) visible(ctx context.Context, viewer desk.Person, n ticket.Number) error {
	err := s.pool.QueryRow(ctx, `SELECT FROM tickets t WHERE number = $1 AND `+seenBy("t", "$2", "$3"),
		n, viewer.Role.Staff(), viewer.ID).Scan()
	return missing(err, errNoTicket)
}

// Timeline returns a ticket's events in order, with their messages, including internal ones; the caller leaves out what a
// customer may not see. It is NotFound if the viewer may not see the ticket.
func (s *Store) Timeline(ctx context.Context, viewer desk.Person, n ticket.Number) ([]desk.Entry, error) {
	if err := s.visible(ctx, viewer, n); err != nil {
		return nil, explain(err, "load the timeline of %s", n)
	}
	rows, _ := s.pool.Query(ctx, `
		SELECT e.data, e.recorded_at, coalesce(m.body, '') AS body, coalesce(m.format, 'text') AS format, coalesce(m.internal, false) AS internal,
			coalesce(m.channel, '') AS channel, coalesce(m.mail, 0) AS mail, coalesce(`+messageHTML+`, '') AS html, coalesce(m.left_out, '[]') AS left_out, coalesce(m.forward, false) AS forward, coalesce(m.sender, '') AS sender,
			coalesce(i.encrypted, false) AS encrypted, coalesce(i.signed, false) AS signed, coalesce(i.calendar, '') AS calendar,
			coalesce(p.id, '') AS author, coalesce(p.name, '') AS name, coalesce(p.handle, '') AS handle,
			coalesce(p.role, '') AS role,
			coalesce(b.kind, '') AS mail_kind, coalesce(b.reason, '') AS mail_reason,
			EXISTS (SELECT FROM deliveries a WHERE a.ticket = b.ticket AND a.resends = b.n) AS mail_resent, coalesce(r.id, '') AS mail_to,
			coalesce(r.name, '') AS to_name, coalesce(r.handle, '') AS to_handle, coalesce(r.role, '') AS to_role,
			coalesce(q.id, '') AS named, coalesce(q.name, '') AS named_name, coalesce(q.role, '') AS named_role,
			`+filesOf("e.message")+` AS files
		FROM events e
		LEFT JOIN messages m ON m.id = e.message
		LEFT JOIN incoming_mails i ON i.id = m.mail
		LEFT JOIN people p ON p.id = `+knownAs("e.data->'by'->>'id'")+`
		LEFT JOIN deliveries b ON b.ticket = e.ticket AND b.failure_event = e.n AND b.queue = 'ticket'
		LEFT JOIN people r ON r.id = `+knownAs("b.person")+`
		LEFT JOIN people q ON q.id = `+knownAs("e.data->>'person'")+`
		WHERE e.ticket = $1 ORDER BY e.n`, n)
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Entry, error) { return scanEntry(row, n) })
	return entries, explain(err, "load the timeline of %s", n)
}

// messageHTML is the HTML of a message m, unless it is longer than pages with many such messages can be: then the text is shown.
const messageHTML = `CASE WHEN octet_length(m.html) <= 256 * 1024 THEN m.html END`

// leftOut returns what of a mail is not in its message as JSON.
func leftOut(all []desk.LeftOut) string {
	text, err := json.Marshal(append([]desk.LeftOut{}, all...)) // never null
	if err != nil {
		panic(err) // texts alone, which can't fail
	}
	return string(text)
}

func scanEntry(row pgx.CollectableRow, n ticket.Number) (e desk.Entry, err error) {
	a, b := &e.Author, desk.Bounce{}
	var files []byte
	err = row.Scan(&e.Event, &e.Recorded, &e.Body, &e.Format, &e.Internal, &e.Channel, &e.Incoming, &e.HTML, &e.LeftOut, &e.Forward, &e.Sender, &e.Traits.Encrypted, &e.Traits.Signed, &e.Traits.Calendar,
		&a.ID, &a.Name, &a.Handle, &a.Role,
		&b.Kind, &b.Reason, &b.Resent, &b.To.ID, &b.To.Name, &b.To.Handle, &b.To.Role, &e.Named.ID, &e.Named.Name, &e.Named.Role, &files)
	if err == nil {
		e.Files, err = readFiles(files, n)
	}
	if b.To.ID != "" {
		e.Bounce = &b
	}
	return e, err
}
