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
	maxStatements = 2
	maxBatch      = 64
	// statementTimeout bounds one statement. It is nobody's own context that does: others wait for it too.
	statementTimeout = 30 * time.Second
)

// submissions accepts submissions: one alone at once, and those that arrive while it is busy together, in one statement and
// one commit. That is what makes a rush cheap: most of a submission's cost is the statement's and the commit's. There
// is no goroutine: whoever finds the way free takes everybody along who waits.
type submissionBatcher struct {
	pool *pgxpool.Pool
	busy chan struct{} // holds a token for each statement under way

	mu      sync.Mutex
	waiting []*pendingSubmission
}

func newSubmissionBatcher(pool *pgxpool.Pool) *submissionBatcher {
	return &submissionBatcher{pool: pool, busy: make(chan struct{}, maxStatements)}
}

// pendingSubmission is one submission on its way in. Everything below it is read only once done is closed.
type pendingSubmission struct {
	by   desk.Person
	sub  desk.Submission
	use  use
	done chan struct{}

	accepted desk.Accepted
	err      error // pgx.ErrNoRows: the statement accepted the others and not this one
}

// submit gives pgx's own errors. When ctx ends first, the ticket may or may not have been accepted.
func (in *submissionBatcher) submit(ctx context.Context, by desk.Person, sub desk.Submission, u use) (desk.Accepted, error) {
	a := &pendingSubmission{by: by, sub: sub, use: u, done: make(chan struct{})}
	in.mu.Lock()
	in.waiting = append(in.waiting, a)
	in.mu.Unlock()
	for {
		select {
		case <-a.done:
			return a.accepted, a.err
		case in.busy <- struct{}{}:
			in.submitNext(ctx, a)
			<-in.busy
		case <-ctx.Done():
			in.cancel(a)
			return desk.Accepted{}, ctx.Err()
		}
	}
}

// submitNext accepts those who wait, unless a's own answer came in the meantime.
func (in *submissionBatcher) submitNext(ctx context.Context, a *pendingSubmission) {
	select {
	case <-a.done:
	default:
		in.run(ctx, in.next())
	}
}

// next gives those who have waited longest.
func (in *submissionBatcher) next() []*pendingSubmission {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := min(len(in.waiting), maxBatch)
	batch := in.waiting[:n:n]
	in.waiting = in.waiting[n:]
	return batch
}

// cancel gives up waiting; a submission that a statement has taken along already can't be called back.
func (in *submissionBatcher) cancel(a *pendingSubmission) {
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
func (in *submissionBatcher) run(ctx context.Context, batch []*pendingSubmission) {
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statementTimeout)
	defer cancel()
	err := in.accept(ctx, batch)
	if len(batch) > 1 && changedNothing(err) {
		in.run(ctx, batch[:len(batch)/2])
		in.run(ctx, batch[len(batch)/2:])
		return
	}
	var crowded []*pendingSubmission
	for _, a := range batch {
		if err == nil && a.mayFitAlone(batch) {
			crowded = append(crowded, a)
			continue
		}
		if err != nil {
			a.err = err
		}
		close(a.done)
	}
	in.runOneByOne(ctx, crowded)
}

// runOneByOne accepts submissions one by one, once the others of their batch have been answered, as many as their
// requesters' allowances hold: after a requester's first refusal the rest are refused without a statement.
func (in *submissionBatcher) runOneByOne(ctx context.Context, crowded []*pendingSubmission) {
	over := map[ticket.PersonID]bool{}
	for _, a := range crowded {
		if over[a.by.ID] {
			close(a.done)
			continue
		}
		in.run(ctx, []*pendingSubmission{a})
		over[a.by.ID] = errors.Is(a.err, pgx.ErrNoRows)
	}
}

// mayFitAlone reports whether a submission was not accepted and may be without its requester's others: together they were more
// than the allowance holds.
func (a *pendingSubmission) mayFitAlone(batch []*pendingSubmission) bool {
	return a.use.key != nil && errors.Is(a.err, pgx.ErrNoRows) &&
		slices.ContainsFunc(batch, func(other *pendingSubmission) bool { return other != a && other.by.ID == a.by.ID })
}

// changedNothing reports whether PostgreSQL itself refused a statement for what is in it. Two batches with the same
// keys in another order may lock each other out: that is in them, too.
func changedNothing(err error) bool {
	pg, refused := errors.AsType[*pgconn.PgError](err)
	return refused && (pg.Code == deadlock || !unavailable(err))
}

// accept runs the statement, under the gate's lock, and hands out what it gave.
func (in *submissionBatcher) accept(ctx context.Context, batch []*pendingSubmission) error {
	var accepted []desk.Accepted
	// Both statements are one transaction, and the second sees, and reads the clock, as of after the lock.
	both := &pgx.Batch{}
	both.Queue(shareSchedule, gateLock)
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

// submissionColumns are the texts of a submission, by their names in submit.sql.
var submissionColumns = map[string]func(*pendingSubmission) string{
	"numbers":    func(a *pendingSubmission) string { return string(a.sub.Number) },
	"requesters": func(a *pendingSubmission) string { return string(a.by.ID) },
	"roles":      func(a *pendingSubmission) string { return string(a.by.Role) },
	"orders":     func(a *pendingSubmission) string { return a.sub.Order },
	"follows":    func(a *pendingSubmission) string { return string(a.sub.Follows) },
	"categories": func(a *pendingSubmission) string { return a.sub.Category },
	"priorities": func(a *pendingSubmission) string { return string(a.sub.Priority) },
	"subjects":   func(a *pendingSubmission) string { return a.sub.Subject },
	"bodies":     func(a *pendingSubmission) string { return a.sub.Body },
	"keys":       func(a *pendingSubmission) string { return a.sub.IdempotencyKey.Key },
}

// submitArgs turns a batch into submitSQL's arguments.
func submitArgs(batch []*pendingSubmission) pgx.StrictNamedArgs {
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
	for name, text := range submissionColumns {
		column := make([]string, len(batch))
		for i, a := range batch {
			column[i] = text(a)
		}
		args[name] = column
	}
	return args
}
