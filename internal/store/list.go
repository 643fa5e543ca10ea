package store

import (
	"context"
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
	q := listing{args: pgx.StrictNamedArgs{"limit": limit + 1}}
	q.of(f)
	// Planned anew for each filter: the right index depends on the values, and for a search on how common its words are.
	rows, err := s.pool.Query(ctx, q.sql(), pgx.QueryExecModeCacheDescribe, q.args)
	if err != nil {
		return nil, false, explain(err, "list tickets")
	}
	if f.Viewer.Role.Staff() {
		records, err = collectRecords[wordyRow](rows)
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

// listing builds the statement of one filter from fixed pieces; what people typed is only ever an argument.
type listing struct {
	read, beside string // before and after the page of tickets
	conditions   []string
	args         pgx.StrictNamedArgs
	order        string
}

func (q *listing) where(condition string) { q.conditions = append(q.conditions, condition) }

func (q *listing) equals(column, name, value string) {
	if value != "" {
		q.where(column + " = @" + name)
		q.args[name] = value
	}
}

func (q *listing) sql() string {
	if len(q.conditions) == 0 {
		q.where("true")
	}
	where, order := strings.Join(q.conditions, " AND "), " ORDER BY "+q.order
	// The page is chosen first: what stands beside its tickets is then read for those alone, whatever the plan.
	return q.read + `(SELECT * FROM tickets t WHERE ` + where + order + ` LIMIT @limit) t` + q.beside + order
}

func (q *listing) of(f desk.Filter) {
	q.read, q.beside = recordColumns+" FROM ", recordBeside
	q.equals("t.priority", "priority", string(f.Priority))
	q.equals("t.category", "category", f.Category)
	if f.Assignee != "" {
		q.where(`t.assignee = (SELECT id FROM people WHERE id = @assignee OR lower(handle) = lower(@assignee))`)
		q.args["assignee"] = f.Assignee
	}
	q.statuses(f)
	if f.Viewer.Role.Staff() {
		q.read, q.beside = recordColumns+wordsColumns+" FROM ", recordBeside+wordsBeside
		q.queue(f)
		q.dueBefore(f.DueBefore)
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
func (q *listing) statuses(f desk.Filter) {
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

func (q *listing) queue(f desk.Filter) {
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
	}
}

// dueBefore says next_due as well: no moment comes after a promise that runs, and the index of those goes by it.
func (q *listing) dueBefore(limit time.Time) {
	if !limit.IsZero() {
		q.where(`t.status <> 'closed' AND t.promise_due < @due_before AND t.promise_due < 'infinity' AND t.next_due < @due_before`)
		q.args["due_before"] = limit
	}
}

// requester finds people by their ID, or by the beginnings of words in their name and address.
func (q *listing) requester(typed string) {
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

func (q *listing) byDue(f desk.Filter) {
	column := "t.next_due"
	if f.ByPromise() {
		column = "t.owed_at"
	}
	q.order = column + ", t.number"
	if f.After.Number != "" {
		q.where(`(` + column + `, t.number) > (coalesce(@instant::timestamptz, 'infinity'), @after)`)
		q.args["instant"], q.args["after"] = instant(f.After.Instant), f.After.Number
	}
}

func (q *listing) bySubmission(after desk.Cursor) {
	q.order = "t.submitted_at DESC, t.number DESC"
	if after.Number != "" {
		q.where(`(t.submitted_at, t.number) < (@instant, @after)`)
		q.args["instant"], q.args["after"] = after.Instant, after.Number
	}
}

// search finds tickets by any one of their messages; the subject counts to the first. A customer's search looks where
// their timeline does: what staff wrote is found once a public event shows it, and never if it was refused.
func (q *listing) search(f desk.Filter) {
	condition := `t.number IN (SELECT found.ticket FROM messages found WHERE found.search @@ websearch_to_tsquery('simple', @text)`
	if !f.Viewer.Role.Staff() {
		condition += ` AND NOT found.internal
			AND (EXISTS (SELECT FROM events e WHERE e.ticket = found.ticket AND e.message = found.id AND e.kind = ANY (@public))
				OR EXISTS (SELECT FROM commands own WHERE own.ticket = found.ticket AND own.message = found.id AND own.by_person = @viewer))`
		q.args["public"] = publicWords()
	}
	q.where(condition + `)`)
	q.args["text"] = f.Text
}

// publicWords lists the kinds of events that show words to a ticket's requester.
func publicWords() []ticket.EventKind {
	return slices.DeleteFunc([]ticket.EventKind{
		ticket.EventSubmitted, ticket.EventCustomerReplied, ticket.EventAgentReplied, ticket.EventInformationRequested,
		ticket.EventProgressTold, ticket.EventNoted, ticket.EventResolved, ticket.EventClosed, ticket.EventReopened,
		ticket.EventAcknowledged, ticket.EventRefused,
	}, func(k ticket.EventKind) bool { return !k.Public() })
}
