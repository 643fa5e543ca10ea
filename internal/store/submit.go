package store

import (
	"context"
	_ "embed"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/batch"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxDraws is how many numbers are tried. Two in a row that are in use mean a broken source of randomness.
const maxDraws = 3

// Submit accepts a ticket: it stores its message, its row and its first command, under the policy in force. A number that
// is in use is replaced by another, so only the returned number counts. The same idempotency key returns the first answer
// again. If ctx ends first, the ticket may have been accepted all the same.
//
// Staff submit it for the customer that they name. An address that is unknown so far becomes a contact.
//
// Its error is Invalid on "follows" if that is not one of the requester's tickets, on "files" if they can't be attached, and on
// "requester" if a member of staff names no customer; Forbidden if a customer names another; Conflict if the key was used for another request; Limited if the requester has submitted too many recently; and Unavailable while no policy
// is published.
func (s *Store) Submit(ctx context.Context, by desk.Person, sub desk.Submission) (desk.Accepted, error) {
	if !ticket.MayAsk(by.Role, ticket.VerbSubmit) {
		return desk.Accepted{}, ticket.ErrRole
	}
	if err := s.checkFiles(sub.Files); err != nil {
		return desk.Accepted{}, err
	}
	requester, err := s.requesterOf(ctx, by, sub)
	if err != nil {
		return desk.Accepted{}, err
	}
	if err := s.checkFollows(ctx, requester, sub.Follows); err != nil {
		return desk.Accepted{}, err
	}
	u, err := s.use(ctx, by, account.TicketLimit(by))
	if err != nil {
		return desk.Accepted{}, err
	}
	for draw := 1; ; draw++ {
		if sub.Number == "" || draw > 1 {
			sub.Number = ticket.NewNumber(s.prefix)
		}
		a, err := s.submissions.submit(ctx, by, requester.ID, sub, u, s.traceOf(ctx))
		switch {
		case err == nil:
			return a, nil
		case violates(err, "tickets_pkey") && draw < maxDraws:
			continue
		case violates(err, "commands_key"):
			return s.repeated(ctx, by, sub.IdempotencyKey)
		case errors.Is(err, pgx.ErrNoRows):
			return s.notSubmitted(ctx, by, sub, u)
		}
		return desk.Accepted{}, explain(err, "accept a ticket")
	}
}

// notSubmitted returns the reason why the statement accepted nothing, or the first answer to the same request.
func (s *Store) notSubmitted(ctx context.Context, by desk.Person, sub desk.Submission, u use) (desk.Accepted, error) {
	if a, err := s.repeated(ctx, by, sub.IdempotencyKey); !errors.Is(err, errNew) {
		return a, err
	}
	if err := s.notAttached(ctx, by, sub.Files); err != nil {
		return desk.Accepted{}, err
	}
	if err := s.spent(ctx, u); err != nil {
		return desk.Accepted{}, err
	}
	if _, _, _, err := s.PolicyInForce(ctx); err != nil {
		return desk.Accepted{}, err
	}
	return desk.Accepted{}, errNotNow // the allowance has been replenished since
}

// requesterOf returns the requester of a submission: its author, or the customer whom an author on the staff names.
func (s *Store) requesterOf(ctx context.Context, by desk.Person, sub desk.Submission) (desk.Person, error) {
	if !by.Role.Staff() {
		if sub.Requester.Person != "" {
			return desk.Person{}, ticket.ErrRole
		}
		return by, nil
	}
	requester, err := s.customer(ctx, by, sub.Requester, "requester", true)
	if first, again, _ := s.Repeated(ctx, by, sub.IdempotencyKey); err != nil && again { // they may have been disabled since
		err = s.pool.QueryRow(ctx, `SELECT requester FROM tickets WHERE number = $1`, first.Number).Scan(&requester.ID)
	}
	return requester, err
}

// checkFollows checks that the requester may see the ticket to follow, if any. It needs no lock: the number of a ticket that
// they could see shortly before tells them nothing.
func (s *Store) checkFollows(ctx context.Context, by desk.Person, follows ticket.Number) error {
	if follows == "" {
		return nil
	}
	err := s.visible(ctx, by, follows)
	if errors.Is(err, errNoTicket) {
		return fault.Field("follows", "must be one of your own tickets")
	}
	return explain(err, "look for the ticket to follow")
}

//go:embed submit.sql
var submitTemplate string

// submitSQL accepts submissions without files, and submitWithFilesSQL a batch in which some have files.
var (
	submitSQL          = strings.NewReplacer("{files}", "", "{offered}", "", "{attached}", "").Replace(submitTemplate)
	submitWithFilesSQL = strings.NewReplacer("{files}", submittedFiles, "{offered}", submittedFilesFit, "{attached}", attachSubmittedFiles).Replace(submitTemplate)
)

const (
	// maxStatements is how many statements run at once. While one of two waits for the disk, submissions gather for the
	// next; a third would only make each batch smaller.
	maxStatements = 2
	maxBatch      = 64
	// statementTimeout bounds one statement. No single caller's context does, since others wait for it too.
	statementTimeout = 30 * time.Second
)

// submissionBatcher accepts submissions: a single one immediately, and those that arrive while statements are running
// together, in one statement and one commit. This makes bursts cheap, as most of a submission's cost is the statement's and
// the commit's.
type submissionBatcher struct {
	*batch.Batcher[*pendingSubmission]
	pool  *pgxpool.Pool
	total int64 // most bytes of a submission's files
}

func newSubmissionBatcher(pool *pgxpool.Pool, limits desk.FileLimits) *submissionBatcher {
	b := &submissionBatcher{pool: pool, total: limits.Total}
	b.Batcher = batch.New(maxStatements, maxBatch, b.run)
	return b
}

// pendingSubmission is a submission that waits to be accepted. The fields below use may be read once it is finished.
type pendingSubmission struct {
	by        desk.Person // the author
	requester ticket.PersonID
	sub       desk.Submission
	use       use
	trace     string // empty: none

	accepted desk.Accepted
	err      error // pgx.ErrNoRows: the statement did not accept this one
}

type submissionItem = batch.Item[*pendingSubmission]

// submit accepts a submission. Its errors are pgx's: pgx.ErrNoRows if it was not accepted. If ctx ends first, the ticket may
// or may not have been accepted.
func (b *submissionBatcher) submit(ctx context.Context, by desk.Person, requester ticket.PersonID, sub desk.Submission, u use, trace string) (desk.Accepted, error) {
	a := &pendingSubmission{by: by, requester: requester, sub: sub, use: u, trace: trace}
	if err := b.Do(ctx, a); err != nil {
		return desk.Accepted{}, err
	}
	return a.accepted, nil
}

// run accepts a batch and finishes each of its submissions. If PostgreSQL refuses the batch, nothing has changed, so
// its halves are tried, until the submission that causes the refusal is alone. After any other error, such as a broken
// connection, the outcome is unknown and all of them get the error.
func (b *submissionBatcher) run(ctx context.Context, items []*submissionItem) {
	batch := submissions(items)
	err := b.accept(ctx, batch)
	if len(items) > 1 && changedNothing(err) {
		b.run(ctx, items[:len(items)/2])
		b.run(ctx, items[len(items)/2:])
		return
	}
	var again []*submissionItem
	for _, i := range items {
		if err != nil {
			i.Value.err = err
		}
		if err == nil && i.Value.mayFitAlone(batch) {
			again = append(again, i)
			continue
		}
		i.Finish(i.Value.err)
	}
	b.runOneByOne(ctx, again)
}

func submissions(items []*submissionItem) []*pendingSubmission {
	all := make([]*pendingSubmission, len(items))
	for i, item := range items {
		all[i] = item.Value
	}
	return all
}

// runOneByOne accepts submissions one at a time, as many as their requesters' allowances permit. After a requester's first
// refusal, their others are refused without a statement.
func (b *submissionBatcher) runOneByOne(ctx context.Context, items []*submissionItem) {
	over := map[ticket.PersonID]bool{}
	for _, i := range items {
		if over[i.Value.by.ID] {
			i.Finish(i.Value.err)
			continue
		}
		b.run(ctx, []*submissionItem{i})
		over[i.Value.by.ID] = errors.Is(i.Value.err, pgx.ErrNoRows)
	}
}

// mayFitAlone reports whether a submission was not accepted but may be on its own, since its requester's submissions in the
// batch together exceeded the allowance.
func (a *pendingSubmission) mayFitAlone(batch []*pendingSubmission) bool {
	return a.use.key != nil && errors.Is(a.err, pgx.ErrNoRows) &&
		slices.ContainsFunc(batch, func(other *pendingSubmission) bool { return other != a && other.by.ID == a.by.ID })
}

// changedNothing reports whether PostgreSQL refused a statement because of its data. That includes a deadlock, to which two
// batches with the same keys in a different order may come.
func changedNothing(err error) bool {
	pg, refused := errors.AsType[*pgconn.PgError](err)
	return refused && (pg.Code == deadlock || !unavailable(err))
}

// accept runs the statement, sharing the lock of the emergency schedule, and sets each submission's result.
func (b *submissionBatcher) accept(ctx context.Context, batch []*pendingSubmission) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	var accepted []desk.Accepted
	// Both statements are one transaction. The second takes its snapshot, and reads the clock, once the lock is held.
	both := &pgx.Batch{}
	both.Queue(shareSchedule, scheduleLock)
	statement, args := submitSQL, submitArgs(batch)
	if addFiles(args, batch, b.total) {
		statement = submitWithFilesSQL
	}
	both.Queue(statement, args).Query(func(rows pgx.Rows) (err error) {
		accepted, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a desk.Accepted, err error) {
			a.Seq = 1
			return a, row.Scan(&a.Number, &a.At, &a.Policy, &a.Schedule)
		})
		return err
	})
	if err := b.pool.SendBatch(ctx, both).Close(); err != nil {
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

// submissionColumns are the text fields of a submission by their arguments' names in submit.sql.
var submissionColumns = map[string]func(*pendingSubmission) string{
	"numbers":    func(a *pendingSubmission) string { return string(a.sub.Number) },
	"requesters": func(a *pendingSubmission) string { return string(a.requester) },
	"authors":    func(a *pendingSubmission) string { return string(a.by.ID) },
	"roles":      func(a *pendingSubmission) string { return string(a.by.Role) },
	"orders":     func(a *pendingSubmission) string { return a.sub.Order },
	"follows":    func(a *pendingSubmission) string { return string(a.sub.Follows) },
	"categories": func(a *pendingSubmission) string { return a.sub.Category },
	"priorities": func(a *pendingSubmission) string { return string(a.sub.Priority) },
	"subjects":   func(a *pendingSubmission) string { return a.sub.Subject },
	"bodies":     func(a *pendingSubmission) string { return a.sub.Body },
	"formats":    func(a *pendingSubmission) string { return string(a.sub.Format.OrText()) },
	"channels":   func(a *pendingSubmission) string { return string(desk.ChannelOf(a.by, a.sub.Channel)) },
	"htmls":      func(a *pendingSubmission) string { return a.sub.HTML },
	"left_outs":  func(a *pendingSubmission) string { return leftOut(a.sub.LeftOut) },
	"senders":    func(a *pendingSubmission) string { return string(a.by.Sender) },
	"traces":     func(a *pendingSubmission) string { return a.trace },
	"keys":       func(a *pendingSubmission) string { return a.sub.IdempotencyKey.Key },
}

// submitArgs returns submitSQL's arguments for a batch, one array per column.
func submitArgs(batch []*pendingSubmission) pgx.StrictNamedArgs {
	var tickets account.RateLimit // the same for all that are limited
	fingerprints, allowances := make([][]byte, len(batch)), make([][]byte, len(batch))
	mails, forwards, quiets, arrivals := make([]int64, len(batch)), make([]bool, len(batch)), make([]bool, len(batch)), make([]*time.Time, len(batch))
	for i, a := range batch {
		fingerprints[i], mails[i], forwards[i], quiets[i] = fingerprint(a.sub.IdempotencyKey), a.sub.Incoming, a.sub.Forward, a.sub.Quiet
		if !a.sub.Arrived.IsZero() {
			arrivals[i] = &a.sub.Arrived
		}
		if allowances[i] = a.use.key; a.use.key != nil {
			tickets = a.use.of
		}
	}
	args := pgx.StrictNamedArgs{
		"fingerprints": fingerprints, "mails": mails, "forwards": forwards, "quiets": quiets, "arrivals": arrivals, "allowances": allowances, "each": tickets.Interval, "room": tickets.Horizon(0),
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
