package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// commandColumns selects a command c, to be scanned into a commandRow. Its handle is the assignee's or else the actor's,
// since a reply assigns an unassigned ticket to whoever replies.
const commandColumns = `c.seq, c.verb, coalesce(c.by_person, '') AS by_person, c.by_role, c.accepted_at,
	coalesce(c.message, 0) AS message, coalesce(c.assignee, '') AS assignee,
	coalesce((SELECT handle FROM people WHERE id = coalesce(c.assignee, c.by_person)), '') AS handle,
	coalesce(c.priority, '') AS priority, coalesce(c.category, '') AS category, coalesce(c.emergency, '') AS emergency,
	coalesce(c.extension, 0) AS extension, coalesce(c.policy, 0) AS adopts, c.malformed, coalesce(c.repeats, 0) AS repeats,
	c.guarded, coalesce(c.expected, '') AS expected, coalesce(c.seen, 0) AS seen, c.until`

type commandRow struct {
	Seq        int64
	Verb       ticket.Verb
	ByPerson   ticket.PersonID
	ByRole     ticket.Role
	AcceptedAt time.Time
	Message    int64
	Assignee   ticket.PersonID
	Handle     string
	Priority   policy.Priority
	Category   string
	Emergency  string
	Extension  int64
	Adopts     int64
	Malformed  bool
	Repeats    int64
	Guarded    bool
	Expected   ticket.PersonID
	Seen       int
	Until      instant
}

func (r commandRow) command() ticket.Command {
	return ticket.Command{
		Seq: r.Seq, Verb: r.Verb, By: ticket.Actor{ID: r.ByPerson, Role: r.ByRole}, At: r.AcceptedAt, Message: r.Message,
		Assignee: r.Assignee, Handle: r.Handle, Priority: r.Priority, Category: r.Category, Emergency: r.Emergency,
		Extension: time.Duration(r.Extension) * time.Second, Policy: r.Adopts, Malformed: r.Malformed, Repeats: r.Repeats,
		Guarded: r.Guarded, Expected: r.Expected, Seen: r.Seen, Until: time.Time(r.Until),
	}
}

// Commands implements app.StepTx. It returns the commands numbered after+1 to upTo, in order.
func (st *stepTx) Commands(ctx context.Context, after, upTo int64) ([]ticket.Command, error) {
	rows, _ := st.tx.Query(ctx, `SELECT `+commandColumns+` FROM commands c
		WHERE c.ticket = $1 AND c.seq > $2 AND c.seq <= $3 ORDER BY c.seq`, st.number, after, upTo)
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ticket.Command, error) {
		r, err := pgx.RowToStructByName[commandRow](row)
		return r.command(), err
	})
}

// AcceptedAt implements app.StepTx.
func (st *stepTx) AcceptedAt(ctx context.Context, command int64) (at time.Time, err error) {
	err = st.tx.QueryRow(ctx, `SELECT accepted_at FROM commands WHERE ticket = $1 AND seq = $2`, st.number, command).Scan(&at)
	return at, err
}
