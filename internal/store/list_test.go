package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// first returns the only ticket of a list.
func (d *fixture) first(f desk.Filter) desk.Record {
	d.t.Helper()
	records, _, err := d.List(d.t.Context(), f)
	if err != nil || len(records) != 1 {
		d.t.Fatalf("%d tickets, %v", len(records), err)
	}
	return records[0]
}

func TestList_showsStaffTheNewestWords(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	last := func() desk.Excerpt {
		t.Helper()
		w := d.first(desk.Filter{Viewer: d.agent}).Last
		if w == nil {
			t.Fatal("there are no last words")
		}
		if time.Since(w.At) > time.Minute {
			t.Errorf("said at %s", w.At)
		}
		w.At = time.Time{}
		return *w
	}
	customer := desk.Ref{ID: d.customer.ID, Name: d.customer.Name, Role: ticket.RoleCustomer}
	agent := desk.Ref{ID: d.agent.ID, Name: d.agent.Name, Handle: d.agent.Handle, Role: ticket.RoleAgent}
	check := func(what string, want desk.Excerpt) {
		t.Helper()
		if got := last(); got != want {
			t.Errorf("after %s the last words are %+v, want %+v", what, got, want)
		}
	}
	check("the submission", desk.Excerpt{Text: submission().Body, By: customer})
	long := strings.Repeat("ä", 200)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: long})
	check("a long reply", desk.Excerpt{Text: strings.Repeat("ä", 160), By: agent})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.second.Handle})
	check("an assignment", desk.Excerpt{Text: strings.Repeat("ä", 160), By: agent})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Between us."})
	check("a note", desk.Excerpt{Text: "Between us.", Internal: true, By: agent})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbReopen, Body: "Refused."})
	check("a refusal", desk.Excerpt{Text: "Between us.", Internal: true, By: agent})
	d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Undecided."})
	check("what is not decided", desk.Excerpt{Text: "Undecided.", By: customer})
	if w := d.first(desk.Filter{Viewer: d.customer}).Last; w != nil {
		t.Errorf("the customer's list shows %+v", w)
	}
}

// TestList_byDeadlineShowsTheLongestOverdueFirst.
func TestList_byDeadlineShowsTheLongestOverdueFirst(t *testing.T) {
	d := openUnder(t, quick)
	old := func(ago time.Duration) ticket.Number { // broken after an hour
		a := d.submit(d.customer)
		d.redate(a, a.At.Add(-ago))
		d.step(ticket.StepRequest{Number: a.Number, Command: 1})
		d.step(ticket.StepRequest{Number: a.Number, Due: a.At.Add(time.Hour - ago)})
		return a.Number
	}
	waiting := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: waiting, Verb: ticket.VerbRequestInformation, Body: "Which?"})
	fresh := d.taken(d.customer)
	broken, longest := old(90*time.Minute), old(100*time.Minute)
	soon := old(30 * time.Minute)
	closed := old(95 * time.Minute)
	d.do(d.agent, desk.Request{Number: closed, Verb: ticket.VerbClose})
	want := []ticket.Number{longest, broken, soon, fresh, waiting}
	for _, limit := range []int{100, 2, 1} {
		f := desk.Filter{Viewer: d.agent, Order: desk.OrderPromise, Open: true, Limit: limit}
		var got []ticket.Number
		for range 9 {
			records, more, err := d.List(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				got = append(got, r.Number)
			}
			if !more {
				break
			}
			last := records[len(records)-1]
			f.After = f.Place(desk.View{Record: last, Ticket: last.State.Ticket})
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d at a time: %v, want %v", limit, got, want)
		}
	}
}

func TestList_filters(t *testing.T) {
	d := open(t)
	mine := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: mine, Verb: ticket.VerbAssign})
	others := d.taken(d.other)
	closed := d.taken(d.other)
	d.do(d.agent, desk.Request{Number: closed, Verb: ticket.VerbClose})
	both := []ticket.Status{ticket.StatusNew, ticket.StatusClosed}
	for name, c := range map[string]struct {
		f    desk.Filter
		want []ticket.Number
	}{
		"two statuses":       {desk.Filter{Statuses: both}, []ticket.Number{others, closed}},
		"and open":           {desk.Filter{Statuses: both, Open: true}, []ticket.Number{others}},
		"in a queue":         {desk.Filter{Statuses: both, Queue: desk.QueueUnassigned}, []ticket.Number{others, closed}},
		"open":               {desk.Filter{Open: true}, []ticket.Number{mine, others}},
		"by ID":              {desk.Filter{Requester: strings.ToLower(string(d.customer.ID))}, []ticket.Number{mine}},
		"by name":            {desk.Filter{Requester: "OTTO"}, []ticket.Number{others, closed}},
		"by a word's start":  {desk.Filter{Requester: "Cust"}, []ticket.Number{mine}},
		"by address":         {desk.Filter{Requester: "otto@example.com"}, []ticket.Number{others, closed}},
		"by part of it":      {desk.Filter{Requester: "carla@ex"}, []ticket.Number{mine}},
		"by domain":          {desk.Filter{Requester: "@example"}, []ticket.Number{mine, others, closed}},
		"no one":             {desk.Filter{Requester: "carla otto"}, nil},
		"no one's ID":        {desk.Filter{Requester: "P-0000000000"}, nil},
		"nothing to look up": {desk.Filter{Requester: "&|!:*"}, nil},
		"no syntax":          {desk.Filter{Requester: "carla' | otto:* \\"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.f.Viewer = d.supervisor
			records, _, err := d.List(t.Context(), c.f)
			var got []ticket.Number
			for _, r := range records {
				got = append(got, r.Number)
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v, %v", got, c.want, err)
			}
		})
	}
	// A customer can't tell by it who else is there.
	if got := d.first(desk.Filter{Viewer: d.customer, Requester: "otto"}).Number; got != mine {
		t.Errorf("a customer who filters by requester sees %s", got)
	}
}

// TestQueueCounts_countWhatTheListsShow: closed tickets are in "all" alone.
func TestQueueCounts_countWhatTheListsShow(t *testing.T) {
	d := openUnder(t, quick)
	d.submit(d.customer)
	for i, verb := range []ticket.Verb{ticket.VerbNote, ticket.VerbAssign, ticket.VerbAssign, ticket.VerbRequestInformation, ticket.VerbResolve, ticket.VerbClose} {
		d.do(d.agent, desk.Request{Number: d.taken(d.customer), Verb: verb, Body: fmt.Sprint(i)})
	}
	d.do(d.agent, desk.Request{Number: d.taken(d.customer), Verb: ticket.VerbSnooze, Until: time.Now().Add(48 * time.Hour)})
	a := d.submit(d.customer)
	d.redate(a, a.At.Add(-90*time.Minute))
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	d.step(ticket.StepRequest{Number: a.Number, Due: a.At.Add(-20 * time.Minute)})
	for _, viewer := range []desk.Person{d.agent, d.second, d.supervisor} {
		counts, err := d.workspace.QueueCounts(t.Context(), viewer)
		if err != nil {
			t.Fatal(err)
		}
		for _, queue := range desk.Queues() {
			records, _, err := d.List(t.Context(), desk.Filter{Viewer: viewer, Queue: queue, Limit: 100})
			if err != nil || len(records) != counts[queue] {
				t.Errorf("%s counts %d in %s and lists %d, %v", viewer.Name, counts[queue], queue, len(records), err)
			}
			if counts[queue] == 0 && (queue != desk.QueueMine || viewer == d.agent) {
				t.Errorf("nothing is in %s: the test proves nothing about it", queue)
			}
		}
	}
	_, err := d.workspace.QueueCounts(t.Context(), d.customer)
	wantKind(t, err, fault.Forbidden)
}

// TestQueueCounts_countToAThousand.
func TestQueueCounts_countToAThousand(t *testing.T) {
	d := open(t)
	d.sql(`INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status, priority, category)
		SELECT 'HM-' || lpad(i::text, 10, '0'), $1, 1, now(), now(), now(), 1, 'new', 'normal', 'order' FROM generate_series(1, 1500) i`, d.customer.ID)
	counts, err := d.workspace.QueueCounts(t.Context(), d.agent)
	if err != nil || counts[desk.QueueAll] != 1000 || counts[desk.QueueUnassigned] != 1000 || counts[desk.QueueMine] != 0 {
		t.Errorf("got %v, %v", counts, err)
	}
}
