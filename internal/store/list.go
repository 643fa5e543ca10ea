package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	defaultLimit = 50
	maxLimit     = 100
)

// List gives a page of tickets, and whether there are more. A customer's are their own, the newest first; queues are
// staff's and are not asked of them. Staff's come in the filter's order, so a queue shows first what has to be done
// first, each with its newest words. A closed ticket is in no queue but "all", unless the filter asks for that status.
func (s *Store) List(ctx context.Context, f desk.Filter) (records []desk.Record, more bool, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	q := listQuery{args: pgx.StrictNamedArgs{"limit": limit + 1}}
	q.filter(f)
	// Planned anew for each filter: the right index depends on the values, and for a search on how common its words are.
	rows, err := s.pool.Query(ctx, q.sql(), pgx.QueryExecModeCacheDescribe, q.args)
	if err != nil {
		return nil, false, explain(err, "list tickets")
	}
	if f.Viewer.Role.Staff() {
		records, err = collectRecords[recordWithExcerptRow](rows)
	} else {
		records, err = collectRecords[recordRow](rows)
	}
	if err != nil {
		return nil, false, explain(err, "list tickets")
	}
	if len(records) > limit {
		return records[:limit], true, nil
	}
	return records, false, nil
}

// listQuery builds the statement of one filter from fixed pieces; what people typed is only ever an argument.
type listQuery struct {
	columns, joins string // before and after the page of tickets
	conditions     []string
	textConditions []string // conditions on a message of each ticket, for a list that is chosen by its hits
	ownTickets     bool     // one requester's tickets
	args           pgx.StrictNamedArgs
	order          string
}

func (q *listQuery) where(condition string) { q.conditions = append(q.conditions, condition) }

func (q *listQuery) equals(column, name, value string) {
	if value != "" {
		q.where(column + " = @" + name)
		q.args[name] = value
	}
}

func (q *listQuery) sql() string {
	// The page is chosen first: what stands beside its tickets is then read for those alone, whatever the plan.
	with, page := "", q.page()
	if len(q.textConditions) > 0 {
		with, page = q.pageByHits()
	}
	return with + q.columns + page + ` t` + q.joins + " ORDER BY " + q.order
}

func (q *listQuery) page(more ...string) string {
	where := strings.Join(slices.Concat([]string{"true"}, q.conditions, more), " AND ")
	return `(SELECT * FROM tickets t WHERE ` + where + ` ORDER BY ` + q.order + ` LIMIT @limit)`
}

// How many messages a search may find for the page to be chosen by their tickets: so few that each is looked up, or so
// many that the list is walked beside them. With more, each ticket's messages are searched until the page is full.
const (
	fewHits  = 1000
	someHits = 4000
)

// pageByHits lets the number of hits choose the plan. PostgreSQL plans before it knows it, and is wrong by a factor of ten
// where words stand together or a requester has few of the tickets.
func (q *listQuery) pageByHits() (with, page string) {
	q.args["few"], q.args["some"] = fewHits, someHits
	said := strings.Join(q.textConditions, " AND ")
	// The offset keeps the search of one ticket from asking the index of all messages each time.
	each := `EXISTS (SELECT FROM (SELECT * FROM messages m WHERE m.ticket = t.number OFFSET 0) said WHERE ` + said + `)`
	const count, beside = `(SELECT count(*) FROM found)`, `(t.number IN (SELECT ticket FROM found)) IS TRUE` // no join: it is hashed, and keeps the order
	var pages []string
	if q.ownTickets {
		pages = append(pages, q.page(count+` <= @some`, beside, each))
		delete(q.args, "few")
	} else {
		pages = append(pages, q.page(count+` <= @few`, `t.number = ANY (ARRAY(SELECT ticket FROM found))`),
			q.page(count+` > @few`, count+` <= @some`, beside))
	}
	pages = append(pages, q.page(count+` > @some`, each))
	// Hits are planned as if all were read, so by their index, and read only as far as found wants them.
	return `WITH hits AS MATERIALIZED (SELECT said.ticket FROM messages said WHERE ` + q.textConditions[0] + `),
		found AS MATERIALIZED (SELECT ticket FROM hits LIMIT @some::bigint + 1) `, `(` + strings.Join(pages, ` UNION ALL `) + `)`
}

func (q *listQuery) filter(f desk.Filter) {
	q.columns, q.joins = recordColumns+" FROM ", recordJoins
	q.equals("t.priority", "priority", string(f.Priority))
	q.equals("t.category", "category", f.Category)
	if f.Assignee != "" {
		q.where(`t.assignee = (SELECT id FROM people WHERE id = @assignee OR lower(handle) = lower(@assignee))`)
		q.args["assignee"] = f.Assignee
	}
	q.statuses(f)
	if f.Viewer.Role.Staff() {
		q.columns, q.joins = recordColumns+excerptColumns+" FROM ", recordJoins+excerptJoins
		q.queue(f)
		q.dueBefore(f.DueBefore)
		if f.Escalated {
			q.where(`t.status <> 'closed' AND t.rung > 0`)
		}
		q.requester(f.Requester)
		q.byDue(f)
	} else {
		q.where(`t.requester = @viewer`)
		q.args["viewer"] = f.Viewer.ID
		q.bySubmission(f.After)
	}
	if f.Text != "" {
		q.search(f)
	}
}

// statuses names one status as such, and several by leaving out the others: told that a ticket is open or waiting and
// also not closed, PostgreSQL takes the two for independent, expects few, and reads them all.
func (q *listQuery) statuses(f desk.Filter) {
	closed := f.Closed()
	if len(f.Statuses) == 1 && closed == (f.Statuses[0] == ticket.StatusClosed) {
		q.equals("t.status", "status", string(f.Statuses[0]))
		return
	}
	if !closed {
		q.where(`t.status <> 'closed'`) // as the indexes say it
	}
	if len(f.Statuses) > 0 {
		q.where(`t.status <> ALL (@others)`)
		q.args["others"] = slices.DeleteFunc(ticket.Statuses(), func(s ticket.Status) bool { return slices.Contains(f.Statuses, s) })
	}
}

func (q *listQuery) queue(f desk.Filter) {
	if slices.Contains([]desk.Queue{desk.QueueMine, desk.QueueUnassigned, desk.QueueWaiting, desk.QueueResolved}, f.Queue) {
		q.where(`t.snoozed_until IS NULL`)
	}
	switch f.Queue {
	case desk.QueueMine:
		q.where(`t.assignee = @viewer`)
		q.args["viewer"] = f.Viewer.ID
	case desk.QueueUnassigned:
		q.where(`t.assignee IS NULL`)
	case desk.QueueDueSoon:
		// No moment comes after a promise that runs, so the first condition implies the second and lets the index end the scan.
		// The clock is the statement's: one that moves could not.
		q.where(`t.promise_due <= statement_timestamp() + interval '24 hours' AND t.promise_due < 'infinity'`)
		q.where(`t.next_due <= statement_timestamp() + interval '24 hours'`)
	case desk.QueueBreached:
		q.where(`t.breached`)
	case desk.QueueWaiting:
		q.where(`t.status = 'waiting'`)
	case desk.QueueResolved:
		q.where(`t.status = 'resolved'`)
	case desk.QueueSnoozed:
		q.where(`t.snoozed_until IS NOT NULL`)
	}
}

// dueBefore says next_due as well: no moment comes after a promise that runs, and the index of those goes by it.
func (q *listQuery) dueBefore(limit time.Time) {
	if !limit.IsZero() {
		q.where(`t.status <> 'closed' AND t.promise_due < @due_before AND t.promise_due < 'infinity' AND t.next_due < @due_before`)
		q.args["due_before"] = limit
	}
}

// requester finds people by their ID, or by the beginnings of words in their name and address.
func (q *listQuery) requester(typed string) {
	if typed == "" {
		return
	}
	if id := strings.ToUpper(typed); desk.ValidID(id) {
		q.equals("t.requester", "requester", id)
		return
	}
	words := strings.FieldsFunc(typed, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		q.where("false")
		return
	}
	q.where(`t.requester IN (SELECT id FROM people WHERE people_words(name, address) @@ to_tsquery('simple', @requester))`)
	q.args["requester"] = strings.Join(words, ":* & ") + ":*"
}

func (q *listQuery) byDue(f desk.Filter) {
	column := "t.next_due"
	switch {
	case f.Queue == desk.QueueSnoozed:
		column = "t.snoozed_until"
	case f.ByPromise():
		column = "t.owed_at"
	}
	q.order = column + ", t.number"
	if f.After.Number != "" {
		q.where(`(` + column + `, t.number) > (coalesce(@instant::timestamptz, 'infinity'), @after)`)
		q.args["instant"], q.args["after"] = instant(f.After.Instant), f.After.Number
	}
}

func (q *listQuery) bySubmission(after desk.Cursor) {
	q.order = "t.submitted_at DESC, t.number DESC"
	if after.Number != "" {
		q.where(`(t.submitted_at, t.number) < (@instant, @after)`)
		q.args["instant"], q.args["after"] = after.Instant, after.Number
	}
}

// search finds tickets by any one of their messages; the subject counts to the first. A customer's search looks where
// their timeline does: what staff wrote is found once a public event shows it, and never if it was refused.
func (q *listQuery) search(f desk.Filter) {
	const hit = `said.search @@ websearch_to_tsquery('simple', @text)`
	q.args["text"] = f.Text
	switch {
	case !f.Viewer.Role.Staff():
		q.ownTickets = true
		q.textConditions = []string{hit, `NOT said.internal`,
			`(EXISTS (SELECT FROM events e WHERE e.ticket = said.ticket AND e.message = said.id AND e.kind = ANY (@public))
				OR EXISTS (SELECT FROM commands own WHERE own.ticket = said.ticket AND own.message = said.id AND own.by_person = @viewer))`}
		q.args["public"] = publicMessageEvents()
	case len(q.conditions) == 0:
		q.textConditions = []string{hit}
	default: // the conditions may leave so few that how many hits there are in all says nothing
		q.where(`t.number IN (SELECT said.ticket FROM messages said WHERE ` + hit + `)`)
	}
}

// publicMessageEvents lists the kinds of events that show words to a ticket's requester.
func publicMessageEvents() []ticket.EventKind {
	return slices.DeleteFunc([]ticket.EventKind{
		ticket.EventSubmitted, ticket.EventCustomerReplied, ticket.EventAgentReplied, ticket.EventInformationRequested,
		ticket.EventProgressUpdated, ticket.EventNoted, ticket.EventResolved, ticket.EventClosed, ticket.EventReopened,
		ticket.EventAcknowledged, ticket.EventRefused,
	}, func(k ticket.EventKind) bool { return !k.Public() })
}

// maxCounted is as far as a queue is counted: nobody works from a longer one by its number.
const maxCounted = 1000

// QueueCounts counts the tickets in each queue as its viewer sees it, up to a thousand: what the queue's list shows.
func (s *Store) QueueCounts(ctx context.Context, viewer desk.Person) (map[desk.Queue]int, error) {
	var counts []string
	args := pgx.StrictNamedArgs{"limit": maxCounted}
	for _, queue := range desk.Queues() {
		q := listQuery{args: args}
		f := desk.Filter{Viewer: viewer, Queue: queue}
		q.where(`true`)
		q.statuses(f)
		q.queue(f)
		counts = append(counts, fmt.Sprintf(`(SELECT count(*) FROM (SELECT FROM tickets t WHERE %s LIMIT @limit) q)`,
			strings.Join(q.conditions, " AND ")))
	}
	rows, err := s.pool.Query(ctx, `SELECT ARRAY[`+strings.Join(counts, ", ")+`]`, args)
	if err != nil {
		return nil, explain(err, "count the queues")
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]int])
	if err != nil {
		return nil, explain(err, "count the queues")
	}
	result := map[desk.Queue]int{}
	for i, queue := range desk.Queues() {
		result[queue] = found[i]
	}
	return result, nil
}
