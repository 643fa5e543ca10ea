package store

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// commandColumns is a command c as the domain and the workflow know it. Its handle is the assignee's, else the actor's
// own: a reply takes a ticket that nobody has.
const commandColumns = `c.seq, c.verb, coalesce(c.by_person, '') AS by_person, c.by_role, c.accepted_at,
	coalesce(c.message, 0) AS message, coalesce(c.assignee, '') AS assignee,
	coalesce((SELECT handle FROM people WHERE id = coalesce(c.assignee, c.by_person)), '') AS handle,
	coalesce(c.priority, '') AS priority, coalesce(c.category, '') AS category, coalesce(c.emergency, '') AS emergency,
	coalesce(c.extension, 0) AS extension, coalesce(c.policy, 0) AS adopts, c.malformed, c.guarded, coalesce(c.expected, '') AS expected`

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
	Guarded    bool
	Expected   ticket.PersonID
}

func (r commandRow) command() ticket.Command {
	return ticket.Command{
		Seq: r.Seq, Verb: r.Verb, By: ticket.Actor{ID: r.ByPerson, Role: r.ByRole}, At: r.AcceptedAt, Message: r.Message,
		Assignee: r.Assignee, Handle: r.Handle, Priority: r.Priority, Category: r.Category, Emergency: r.Emergency,
		Extension: time.Duration(r.Extension) * time.Second, Policy: r.Adopts, Malformed: r.Malformed,
		Guarded: r.Guarded, Expected: r.Expected,
	}
}

// commands loads those not taken up to a number, in order.
func (l *locked) commands(ctx context.Context, upTo int64) ([]ticket.Command, error) {
	rows, err := l.tx.Query(ctx, `SELECT `+commandColumns+` FROM commands c
		WHERE c.ticket = $1 AND c.seq > $2 AND c.seq <= $3 ORDER BY c.seq`,
		l.state.Ticket.Number, l.state.Command, upTo)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ticket.Command, error) {
		r, err := pgx.RowToStructByName[commandRow](row)
		return r.command(), err
	})
}

// number makes a command of a signal that came by hand, once for its key, and gives its number. What can't be read
// becomes a command too: its refusal is the answer that whoever sent it sees.
func (l *locked) number(ctx context.Context, h ticket.ByHand) (int64, error) {
	var seq int64
	err := l.tx.QueryRow(ctx, `SELECT seq FROM commands WHERE ticket = $1 AND hand_key = $2`,
		l.state.Ticket.Number, h.Key).Scan(&seq)
	if !errors.Is(err, pgx.ErrNoRows) {
		return seq, err
	}
	if !readable(h) {
		h = ticket.ByHand{Key: h.Key, Verb: h.Verb, Malformed: true}
	}
	var assignee ticket.PersonID
	if h.Agent != "" {
		agent, err := l.store.staff(ctx, l.tx, h.Agent)
		if err != nil && !errors.Is(err, errNobody) { // nobody: the domain refuses an assignment to no one
			return 0, err
		}
		assignee = agent.ID
	}
	_, err = l.tx.Exec(ctx, `
		INSERT INTO commands (ticket, seq, verb, by_role, accepted_at, assignee, priority, category, emergency, extension,
		                      policy, malformed, hand_key)
		VALUES (@ticket, @seq, @verb, @role, @at, nullif(@assignee, ''), nullif(@priority, ''), nullif(@category, ''),
		        nullif(@emergency, ''), @extension,
		        (SELECT version FROM policies WHERE version = @policy), @malformed, @key)`,
		pgx.StrictNamedArgs{
			"ticket": l.state.Ticket.Number, "seq": l.last + 1, "verb": h.Verb, "role": ticket.RoleOperator, "at": l.now,
			"assignee": assignee, "priority": h.Priority, "category": h.Category, "emergency": h.Emergency,
			"extension": int64(h.Extension / time.Second), "policy": h.Policy, "malformed": h.Malformed, "key": h.Key,
		})
	if err != nil {
		return 0, err
	}
	l.last++
	return l.last, nil
}

// maxHandText is in bytes; nothing that a signal names is longer.
const maxHandText = 200

// readable reports whether what came by hand can be stored and might mean something.
func readable(h ticket.ByHand) bool {
	if h.Priority != "" && !h.Priority.Valid() {
		return false
	}
	for _, text := range []string{h.Agent, h.Category, h.Emergency} {
		if len(text) > maxHandText || strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
			return false
		}
	}
	return true
}
