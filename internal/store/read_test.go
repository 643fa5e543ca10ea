package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestTicket_beforeAndAfterTheFirstStep(t *testing.T) {
	d := open(t)
	sub := submission()
	sub.Order = "A-17"
	a, err := d.Submit(t.Context(), d.customer, sub)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Ticket(t.Context(), d.customer, a.Number)
	if err != nil {
		t.Fatal(err)
	}
	want := desk.Record{
		Number: a.Number, Subject: sub.Subject, Order: "A-17", FollowedBy: []ticket.Number{},
		Requester: desk.Ref{ID: d.customer.ID, Name: d.customer.Name, Role: ticket.RoleCustomer},
		People:    []desk.Involved{{Ref: d.customer.Ref()}},
		Submitted: a.At, Updated: a.At, Shown: a.At, Policy: 1, LastCommand: 1,
		Submission: ticket.Command{
			Seq: 1, Verb: ticket.VerbSubmit, By: d.customer.Actor(), At: a.At, Message: got.Submission.Message,
			Priority: sub.Priority, Category: sub.Category,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	d.ask(d.agent, desk.Request{Number: a.Number, Verb: ticket.VerbAssign})
	state := d.step(ticket.StepRequest{Number: a.Number, Command: 2}).State
	got, err = d.Ticket(t.Context(), d.customer, a.Number)
	if err != nil || !reflect.DeepEqual(*got.State, state) || got.LastCommand != 2 || got.Assignee == nil || got.Assignee.Handle != d.agent.Handle {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReads_keepCustomersApart(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "The customer is upset: zebra."})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "A public giraffe."})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbReopen}) // refused: staff's own business
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbClose})

	_, err := d.Ticket(t.Context(), d.other, n)
	wantKind(t, err, fault.NotFound)
	_, err = d.Timeline(t.Context(), d.other, n)
	wantKind(t, err, fault.NotFound)
	for _, f := range []desk.Filter{
		{}, {Text: "giraffe"}, {Assignee: d.agent.Handle}, {Queue: desk.QueueAll}, {Category: "delivery"},
		{Statuses: []ticket.Status{ticket.StatusOpen}}, {Priority: policy.PriorityNormal}, {Queue: desk.QueueUnassigned},
	} {
		f.Viewer = d.other
		if records, _, err := d.List(t.Context(), f); len(records) != 0 || err != nil {
			t.Errorf("%+v shows %d of another's tickets, %v", f, len(records), err)
		}
	}
	for text, want := range map[string]int{"zebra": 0, "giraffe": 1, "parcel": 1, "parcel monday": 1, "elephant": 0, `"due on"`: 1, "parcel -monday": 0} {
		if records, _, err := d.List(t.Context(), desk.Filter{Viewer: d.customer, Text: text}); len(records) != want || err != nil {
			t.Errorf("%q finds %d of one's own tickets, want %d; %v", text, len(records), want, err)
		}
	}
	if records, _, err := d.List(t.Context(), desk.Filter{Viewer: d.agent, Text: "zebra"}); len(records) != 1 || err != nil {
		t.Errorf("a note is found by staff %d times, %v", len(records), err)
	}
	entries, err := d.tickets.Timeline(t.Context(), d.customer, n)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []ticket.EventKind
	for _, e := range entries {
		kinds = append(kinds, e.Kind)
		if strings.Contains(e.Body, "zebra") {
			t.Error("a note is shown to the requester")
		}
	}
	want := []ticket.EventKind{ticket.EventSubmitted, ticket.EventAssigned, ticket.EventAgentReplied, ticket.EventRefused}
	if !slices.Equal(kinds, want) {
		t.Errorf("the requester sees %v, want %v", kinds, want)
	}
}

func TestList_searchFindsACustomerOnlyWhatTheirTimelineShows(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "A public giraffe."})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbProgressUpdate, Body: "A refused xylophone."})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAcknowledge, Body: "An acknowledged zebra."})
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "One's own elephant."})
	d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "An undecided walrus."})
	d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "One's own undecided hamster."})
	for text, want := range map[string]struct{ customer, staff int }{
		"giraffe": {1, 1}, "xylophone": {0, 1}, "zebra": {0, 1}, "elephant": {1, 1}, "walrus": {0, 1}, "hamster": {1, 1}, "monday": {1, 1},
	} {
		for viewer, want := range map[desk.Person]int{d.customer: want.customer, d.agent: want.staff, d.other: 0} {
			if found, _, err := d.List(t.Context(), desk.Filter{Viewer: viewer, Text: text}); len(found) != want || err != nil {
				t.Errorf("%q finds %s %d tickets, want %d; %v", text, viewer.Name, len(found), want, err)
			}
		}
	}
}

func TestTimeline_carriesWordsAndAuthors(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Hello."})
	d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "k", Verb: ticket.VerbResolve}}})
	entries := d.timeline(n)
	if e := entries[0]; e.Body != submission().Body || e.Author.ID != d.customer.ID || time.Since(e.Recorded) > time.Minute {
		t.Errorf("got %+v", e)
	}
	if e := entries[2]; e.Body != "Hello." || e.Author.Handle != d.agent.Handle || e.Message == 0 {
		t.Errorf("got %+v", e)
	}
	if e := entries[3]; e.Body != "" || e.Author != (desk.Ref{}) || e.By.Role != ticket.RoleOperator {
		t.Errorf("got %+v", e)
	}
}

func TestList_queues(t *testing.T) {
	d := openUnder(t, quick)
	pending := d.submit(d.customer).Number
	fresh := d.taken(d.customer)
	mine := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: mine, Verb: ticket.VerbAssign})
	waiting := d.taken(d.customer)
	d.do(d.second, desk.Request{Number: waiting, Verb: ticket.VerbRequestInformation, Body: "Which?"})
	resolved := d.taken(d.customer)
	d.do(d.second, desk.Request{Number: resolved, Verb: ticket.VerbResolve, Body: "Done."})
	closed := d.taken(d.customer)
	d.do(d.second, desk.Request{Number: closed, Verb: ticket.VerbAssign, Agent: d.agent.Handle})
	d.do(d.second, desk.Request{Number: closed, Verb: ticket.VerbClose})
	a := d.submit(d.customer)
	breached := a.Number
	d.redate(a, a.At.Add(-90*time.Minute))
	d.step(ticket.StepRequest{Number: breached, Command: 1})
	d.step(ticket.StepRequest{Number: breached, Due: a.At.Add(-20 * time.Minute)})

	for name, c := range map[string]struct {
		f    desk.Filter
		want []ticket.Number
	}{
		"all":                  {desk.Filter{}, []ticket.Number{pending, fresh, mine, waiting, resolved, closed, breached}},
		"mine":                 {desk.Filter{Queue: desk.QueueMine}, []ticket.Number{mine}},
		"mine, closed":         {desk.Filter{Queue: desk.QueueMine, Statuses: []ticket.Status{ticket.StatusClosed}}, []ticket.Number{closed}},
		"unassigned":           {desk.Filter{Queue: desk.QueueUnassigned}, []ticket.Number{pending, fresh, breached}},
		"due soon":             {desk.Filter{Queue: desk.QueueDueSoon}, []ticket.Number{fresh, mine, breached}},
		"due before":           {desk.Filter{DueBefore: time.Now().Add(24 * time.Hour)}, []ticket.Number{fresh, mine, breached}},
		"due by now":           {desk.Filter{DueBefore: time.Now()}, nil},
		"breached":             {desk.Filter{Queue: desk.QueueBreached}, []ticket.Number{breached}},
		"waiting":              {desk.Filter{Queue: desk.QueueWaiting}, []ticket.Number{waiting}},
		"resolved":             {desk.Filter{Queue: desk.QueueResolved}, []ticket.Number{resolved}},
		"new":                  {desk.Filter{Statuses: []ticket.Status{ticket.StatusNew}}, []ticket.Number{pending, fresh, breached}},
		"by handle":            {desk.Filter{Assignee: d.second.Handle}, []ticket.Number{waiting, resolved}},
		"by ID":                {desk.Filter{Assignee: string(d.agent.ID)}, []ticket.Number{mine, closed}},
		"raised by escalation": {desk.Filter{Priority: policy.PriorityHigh}, []ticket.Number{breached}},
		"no category":          {desk.Filter{Category: "payment"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.f.Viewer = d.agent
			records, more, err := d.List(t.Context(), c.f)
			if err != nil || more {
				t.Fatal(more, err)
			}
			var got []ticket.Number
			for _, r := range records {
				got = append(got, r.Number)
			}
			if !slices.IsSortedFunc(records, byDue) {
				t.Errorf("not by the next moment: %v", got)
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// byDue is the order of the lists of staff.
func byDue(a, b desk.Record) int {
	due := func(r desk.Record) time.Time {
		if r.State == nil || r.State.Next.Due.IsZero() {
			return time.Unix(1<<40, 0)
		}
		return r.State.Next.Due
	}
	if c := due(a).Compare(due(b)); c != 0 {
		return c
	}
	return strings.Compare(string(a.Number), string(b.Number))
}

func TestList_pagesAreStableUnderInserts(t *testing.T) {
	d := open(t)
	for i := range 25 {
		if a := d.submit(d.customer); i%2 == 0 { // every other one without a next due event yet
			d.redate(a, a.At.Add(-time.Duration(i)*time.Minute))
			d.step(ticket.StepRequest{Number: a.Number, Command: 1})
		}
	}
	for _, viewer := range []desk.Person{d.customer, d.agent} {
		t.Run(string(viewer.Role), func(t *testing.T) {
			before := map[ticket.Number]bool{}
			for _, r := range d.pages(viewer, func() {}) {
				before[r.Number] = true
			}
			seen := map[ticket.Number]int{}
			for _, r := range d.pages(viewer, func() { d.taken(d.customer); d.submit(d.customer) }) {
				seen[r.Number]++
			}
			for n := range before {
				if seen[n] != 1 {
					t.Errorf("%s was shown %d times", n, seen[n])
				}
			}
		})
	}
}

// pages reads a list to its end, and does something between two pages.
func (d *fixture) pages(viewer desk.Person, between func()) []desk.Record {
	d.t.Helper()
	var all []desk.Record
	f := desk.Filter{Viewer: viewer, Limit: 4}
	for page := range 40 {
		records, more, err := d.List(d.t.Context(), f)
		if err != nil {
			d.t.Fatal(err)
		}
		all = append(all, records...)
		if !more {
			return all
		}
		if len(records) != f.Limit {
			d.t.Fatalf("%d on a page, and more", len(records))
		}
		last := records[len(records)-1]
		f.After = desk.Cursor{Number: last.Number}
		switch {
		case !viewer.Role.Staff():
			f.After.Instant = last.Submitted
		case last.State != nil:
			f.After.Instant = last.State.Next.Due
		}
		if page < 5 {
			between()
		}
	}
	d.t.Fatal("the list has no end")
	return nil
}

func TestList_searchUsesItsIndex(t *testing.T) {
	d := open(t)
	d.sql(`INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status, priority, category)
		SELECT 'HM-' || lpad(i::text, 10, '0'), $1, 1, now(), now(), now(), 1, 'new', 'normal', 'order' FROM generate_series(1, 5000) i`, d.customer.ID)
	d.sql(`INSERT INTO messages (ticket, subject, body) SELECT number, 'Parcel ' || number, 'words about ' || md5(number) FROM tickets`)
	d.sql(`VACUUM ANALYZE messages`)
	rows, err := d.beside.Query(t.Context(), fmt.Sprintf(`EXPLAIN SELECT ticket FROM messages WHERE search @@ websearch_to_tsquery('simple', '%s')`, "needle"))
	if err != nil {
		t.Fatal(err)
	}
	if plan := lines(t, rows); !strings.Contains(plan, "messages_search") {
		t.Errorf("the search reads every message:\n%s", plan)
	}
}

// lines reads a plan.
func lines(t testing.TB, rows pgx.Rows) string {
	t.Helper()
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}
