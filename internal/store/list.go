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

// List returns a page of tickets, and whether there are more. A customer gets those of which they are the requester or a
// participant, the newest first; queues, which
// are for staff, are ignored for them. Staff get them in the filter's order, so that a queue starts with the most urgent,
// each with an excerpt of its newest message. A closed ticket is in no queue but "all", unless the filter asks for that
// status.
func (s *Store) List(ctx context.Context, f desk.Filter) (records []desk.Record, more bool, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	q := listQuery{args: pgx.StrictNamedArgs{"limit": limit + 1}}
	q.filter(f)
	// Each filter is planned separately: the best index depends on the values, and for a search on how common its words are.
	rows, _ := s.pool.Query(ctx, q.sql(), pgx.QueryExecModeCacheDescribe, q.args)
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

// listQuery builds the statement of a filter from constant parts. User input is only ever an argument.
type listQuery struct {
	columns, joins string // before and after the page's subquery
	conditions     []string
	textConditions []string // on a message of the ticket, for a search whose hits determine the page
	ownTickets     bool     // limited to one customer's tickets
	args           pgx.StrictNamedArgs
	order          string
}

func (q *listQuery) where(condition string) { q.conditions = append(q.conditions, condition) }

// equals adds a condition unless the value is empty.
func (q *listQuery) equals(column, name, value string) {
	if value != "" {
		q.where(column + " = @" + name)
		q.args[name] = value
	}
}

func (q *listQuery) sql() string {
	// The page is a subquery, so that joined tables are read for its tickets only, whatever the plan.
	with, page := "", q.page()
	if len(q.textConditions) > 0 {
		with, page = q.pageByHits()
	}
	return with + q.columns + page + ` t` + q.joins + " ORDER BY " + q.order
}

// page returns the subquery of the page's tickets, with additional conditions.
func (q *listQuery) page(more ...string) string {
	where := strings.Join(slices.Concat([]string{"true"}, q.conditions, more), " AND ")
	return `(SELECT * FROM tickets t WHERE ` + where + ` ORDER BY ` + q.order + ` LIMIT @limit)`
}

// A search with up to fewHits messages looks up their tickets. With up to someHits, it walks the list and skips tickets
// without a hit. With more, it searches each ticket's messages until the page is full.
const (
	fewHits  = 1000
	someHits = 4000
)

// pageByHits returns a statement that chooses by the number of hits how to find the page. PostgreSQL estimates that number
// before running a statement, and is off by a factor of ten for phrases or a requester with few of the tickets.
func (q *listQuery) pageByHits() (with, page string) {
	q.args["few"], q.args["some"] = fewHits, someHits
	said := strings.Join(q.textConditions, " AND ")
	// OFFSET 0 keeps the search of one ticket's messages from using the index over all messages.
	each := `EXISTS (SELECT FROM (SELECT * FROM messages m WHERE m.ticket = t.number OFFSET 0) said WHERE ` + said + `)`
	const count, beside = `(SELECT count(*) FROM found)`, `(t.number IN (SELECT ticket FROM found)) IS TRUE` // not a join: it is hashed and keeps the order
	var pages []string
	if q.ownTickets {
		pages = append(pages, q.page(count+` <= @some`, beside, each))
		delete(q.args, "few")
	} else {
		pages = append(pages, q.page(count+` <= @few`, `t.number = ANY (ARRAY(SELECT ticket FROM found))`),
			q.page(count+` > @few`, count+` <= @some`, beside))
	}
	pages = append(pages, q.page(count+` > @some`, each))
	// Hits are planned as if all were read, and so use their index, but are read only as far as found needs them.
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
			q.where(`t.status <> 'closed' AND t.escalation_step > 0`)
		}
		q.requester(f.Requester)
		q.byDue(f)
	} else {
		// An array, so that both conditions use an index.
		q.where(`(t.requester = @viewer OR t.number = ANY (ARRAY(SELECT ticket FROM participants WHERE person = @viewer)))`)
		q.args["viewer"] = f.Viewer.ID
		q.bySubmission(f.After)
	}
	if f.Text != "" {
		q.search(f)
	}
}

// statuses adds the condition on statuses. Several are expressed by excluding the others: from "open or waiting" and "not
// closed", which it takes for independent, PostgreSQL would expect few rows and choose to read them all.
func (q *listQuery) statuses(f desk.Filter) {
	closed := f.Closed()
	if len(f.Statuses) == 1 && closed == (f.Statuses[0] == ticket.StatusClosed) {
		q.equals("t.status", "status", string(f.Statuses[0]))
		return
	}
	if !closed {
		q.where(`t.status <> 'closed'`) // literally as in the partial indexes
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
		// A ticket's next due event is never later than a running target, so the second condition is implied by the first, and
		// lets the index end the scan. A volatile clock_timestamp() would not.
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

// dueBefore adds the condition that a target is due before an instant; none for the zero time. The condition on next_due
// is implied, as a ticket's next due event is never later than a running target, and lets the index be used.
func (q *listQuery) dueBefore(limit time.Time) {
	if !limit.IsZero() {
		q.where(`t.status <> 'closed' AND t.promise_due < @due_before AND t.promise_due < 'infinity' AND t.next_due < @due_before`)
		q.args["due_before"] = limit
	}
}

// requester adds a condition on the requester: their ID, or prefixes of words in their name or address.
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

// search adds the condition that one of the ticket's messages, the first with its subject, contains the filter's text. A
// customer's search covers what their timeline shows: staff's messages once a public event shows them, and never refused
// ones.
func (q *listQuery) search(f desk.Filter) {
	const hit = `said.search @@ websearch_to_tsquery('simple', @text)`
	q.args["text"] = f.Text
	switch {
	case !f.Viewer.Role.Staff():
		q.ownTickets = true
		q.textConditions = []string{hit, `NOT said.internal`,
			listedMessage("said")}
		q.args["public"] = publicMessageEvents()
	case len(q.conditions) == 0:
		q.textConditions = []string{hit}
	default: // few tickets may meet the other conditions, so the total number of hits says nothing
		q.where(`t.number IN (SELECT said.ticket FROM messages said WHERE ` + hit + `)`)
	}
}

// listedMessage returns the condition that a message is in the timeline of a customer @viewer who may see its ticket, or was
// written by them, or by a contact who was merged into them. message is the alias of messages; @public holds publicMessageEvents.
func listedMessage(message string) string {
	return `(EXISTS (SELECT FROM events e WHERE e.ticket = ` + message + `.ticket AND e.message = ` + message + `.id AND e.kind = ANY (@public)
			AND coalesce(e.data->>'only', @viewer) IN (SELECT id FROM people WHERE id = @viewer OR merged_into = @viewer))
		OR EXISTS (SELECT FROM commands own WHERE own.ticket = ` + message + `.ticket AND own.message = ` + message + `.id
			AND own.by_person IN (SELECT id FROM people WHERE id = @viewer OR merged_into = @viewer)))`
}

// publicMessageEvents returns the kinds of events that show a message to customers.
func publicMessageEvents() []ticket.EventKind {
	return slices.DeleteFunc([]ticket.EventKind{
		ticket.EventSubmitted, ticket.EventCustomerReplied, ticket.EventAgentReplied, ticket.EventInformationRequested,
		ticket.EventProgressUpdated, ticket.EventNoted, ticket.EventResolved, ticket.EventClosed, ticket.EventReopened,
		ticket.EventAcknowledged, ticket.EventRefused,
	}, func(k ticket.EventKind) bool { return !k.Public() })
}

// maxCounted is how far queues are counted; beyond it the exact number is of no use.
const maxCounted = 1000

// QueueCounts returns the number of tickets in each of the viewer's queues, as their lists show them, at most maxCounted.
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
	rows, _ := s.pool.Query(ctx, `SELECT ARRAY[`+strings.Join(counts, ", ")+`]`, args)
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
