package store

import (
	"context"
	_ "embed"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed submit.sql
var submitSQL string

const (
	// While two statements are under way, one of them waiting for the disk, arrivals gather for the next. A third
	// would only make each carry less.
	statementsAtOnce = 2
	arrivalsAtOnce   = 64
	// statementPatience bounds one statement. It is nobody's own context that does: others wait for it too.
	statementPatience = 30 * time.Second
)

// intake accepts submissions: one alone at once, and those that arrive while it is busy together, in one statement and
// one commit. That is what makes a rush cheap: most of a submission's cost is the statement's and the commit's. There
// is no goroutine: whoever finds the way free takes everybody along who waits.
type intake struct {
	pool *pgxpool.Pool
	busy chan struct{} // holds a token for each statement under way

	mu      sync.Mutex
	waiting []*arrival
}

func newIntake(pool *pgxpool.Pool) *intake {
	return &intake{pool: pool, busy: make(chan struct{}, statementsAtOnce)}
}

// arrival is one submission on its way in. Everything below it is read only once done is closed.
type arrival struct {
	by   desk.Person
	sub  desk.Submission
	use  use
	done chan struct{}

	accepted desk.Accepted
	err      error // pgx.ErrNoRows: the statement accepted the others and not this one
}

// submit gives pgx's own errors. When ctx ends first, the ticket may or may not have been accepted.
func (in *intake) submit(ctx context.Context, by desk.Person, sub desk.Submission, u use) (desk.Accepted, error) {
	a := &arrival{by: by, sub: sub, use: u, done: make(chan struct{})}
	in.mu.Lock()
	in.waiting = append(in.waiting, a)
	in.mu.Unlock()
	for {
		select {
		case <-a.done:
			return a.accepted, a.err
		case in.busy <- struct{}{}:
			in.lead(ctx, a)
			<-in.busy
		case <-ctx.Done():
			in.leave(a)
			return desk.Accepted{}, ctx.Err()
		}
	}
}

// lead accepts those who wait, unless a's own answer came in the meantime.
func (in *intake) lead(ctx context.Context, a *arrival) {
	select {
	case <-a.done:
	default:
		in.run(ctx, in.take())
	}
}

// take gives those who have waited longest.
func (in *intake) take() []*arrival {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := min(len(in.waiting), arrivalsAtOnce)
	batch := in.waiting[:n:n]
	in.waiting = in.waiting[n:]
	return batch
}

// leave gives up waiting; a submission that a statement has taken along already can't be called back.
func (in *intake) leave(a *arrival) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i, w := range in.waiting {
		if w == a {
			in.waiting = append(in.waiting[:i:i], in.waiting[i+1:]...)
			return
		}
	}
}

// run accepts a batch. One that PostgreSQL refuses has changed nothing, so its halves are tried, until who is to blame
// stands alone. After a broken connection nobody knows what happened, so all are told.
func (in *intake) run(ctx context.Context, batch []*arrival) {
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statementPatience)
	defer cancel()
	err := in.accept(ctx, batch)
	if len(batch) > 1 && changedNothing(err) {
		in.run(ctx, batch[:len(batch)/2])
		in.run(ctx, batch[len(batch)/2:])
		return
	}
	var crowded []*arrival
	for _, a := range batch {
		if err == nil && a.crowded(batch) {
			crowded = append(crowded, a)
			continue
		}
		if err != nil {
			a.err = err
		}
		close(a.done)
	}
	in.runCrowded(ctx, crowded)
}

// runCrowded accepts submissions one by one, once the others of their batch have been answered, as many as their
// requesters' allowances hold: after a requester's first refusal the rest are refused without a statement.
func (in *intake) runCrowded(ctx context.Context, crowded []*arrival) {
	over := map[ticket.PersonID]bool{}
	for _, a := range crowded {
		if over[a.by.ID] {
			close(a.done)
			continue
		}
		in.run(ctx, []*arrival{a})
		over[a.by.ID] = errors.Is(a.err, pgx.ErrNoRows)
	}
}

// crowded reports whether a submission was not accepted and may be without its requester's others: together they were more
// than the allowance holds.
func (a *arrival) crowded(batch []*arrival) bool {
	return a.use.key != nil && errors.Is(a.err, pgx.ErrNoRows) &&
		slices.ContainsFunc(batch, func(other *arrival) bool { return other != a && other.by.ID == a.by.ID })
}

// changedNothing reports whether PostgreSQL itself refused a statement for what is in it. Two batches with the same
// keys in another order may lock each other out: that is in them, too.
func changedNothing(err error) bool {
	pg, refused := errors.AsType[*pgconn.PgError](err)
	return refused && (pg.Code == deadlock || !unavailable(err))
}

// accept runs the statement, under the gate's lock, and hands out what it gave.
func (in *intake) accept(ctx context.Context, batch []*arrival) error {
	var accepted []desk.Accepted
	// Both statements are one transaction, and the second sees, and reads the clock, as of after the lock.
	both := &pgx.Batch{}
	both.Queue(shareGate, gateLock)
	both.Queue(submitSQL, submitArgs(batch)).Query(func(rows pgx.Rows) (err error) {
		accepted, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a desk.Accepted, err error) {
			a.Seq = 1
			return a, row.Scan(&a.Number, &a.At, &a.Policy, &a.Schedule)
		})
		return err
	})
	if err := in.pool.SendBatch(ctx, both).Close(); err != nil {
		return err
	}
	byNumber := make(map[ticket.Number]desk.Accepted, len(accepted))
	for _, a := range accepted {
		byNumber[a.Number] = a
	}
	for _, a := range batch {
		var in bool
		if a.accepted, in = byNumber[a.sub.Number]; !in {
			a.err = pgx.ErrNoRows
			continue
		}
		a.err = nil
		a.accepted.Priority, a.accepted.Category = a.sub.Priority, a.sub.Category
	}
	return nil
}

// submitted are the texts of a submission, by their names in submit.sql.
var submitted = map[string]func(*arrival) string{
	"numbers":    func(a *arrival) string { return string(a.sub.Number) },
	"requesters": func(a *arrival) string { return string(a.by.ID) },
	"roles":      func(a *arrival) string { return string(a.by.Role) },
	"orders":     func(a *arrival) string { return a.sub.Order },
	"follows":    func(a *arrival) string { return string(a.sub.Follows) },
	"categories": func(a *arrival) string { return a.sub.Category },
	"priorities": func(a *arrival) string { return string(a.sub.Priority) },
	"subjects":   func(a *arrival) string { return a.sub.Subject },
	"bodies":     func(a *arrival) string { return a.sub.Body },
	"keys":       func(a *arrival) string { return a.sub.IdempotencyKey.Key },
}

// submitArgs turns a batch into submitSQL's arguments.
func submitArgs(batch []*arrival) pgx.StrictNamedArgs {
	var tickets account.RateLimit // all that have one have the same
	fingerprints, allowances := make([][]byte, len(batch)), make([][]byte, len(batch))
	for i, a := range batch {
		fingerprints[i] = fingerprint(a.sub.IdempotencyKey)
		if allowances[i] = a.use.key; a.use.key != nil {
			tickets = a.use.of
		}
	}
	args := pgx.StrictNamedArgs{
		"fingerprints": fingerprints, "allowances": allowances, "each": tickets.Interval, "room": tickets.Horizon(0),
	}
	for name, text := range submitted {
		column := make([]string, len(batch))
		for i, a := range batch {
			column[i] = text(a)
		}
		args[name] = column
	}
	return args
}
