package store_test

import (
	"slices"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// whom returns a request about a person of a ticket.
func whom(n ticket.Number, verb ticket.Verb, person string) desk.Request {
	return desk.Request{Number: n, Verb: verb, Whom: desk.Whom{Person: person}}
}

// reach returns by which ways a viewer reaches a ticket.
func (d *fixture) reach(viewer desk.Person, n ticket.Number) (ways []string) {
	d.t.Helper()
	ctx := d.t.Context()
	check := func(way string, err error) {
		switch {
		case err == nil:
			ways = append(ways, way)
		case fault.KindOf(err) != fault.NotFound:
			d.t.Errorf("%s: %v", way, err)
		}
	}
	_, err := d.Ticket(ctx, viewer, n)
	check("ticket", err)
	_, err = d.tickets.Timeline(ctx, viewer, n)
	check("timeline", err)
	for way, f := range map[string]desk.Filter{"list": {Viewer: viewer}, "search": {Viewer: viewer, Text: "parcel"}} {
		records, _, err := d.List(ctx, f)
		if err == nil && !slices.ContainsFunc(records, func(r desk.Record) bool { return r.Number == n }) {
			err = fault.New(fault.NotFound, "not listed")
		}
		check(way, err)
	}
	_, err = d.ReadLink(ctx, d.conversationLink(n, viewer.ID))
	check("link", err)
	_, err = d.Command(ctx, viewer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Me, too."})
	check("reply", err)
	slices.Sort(ways)
	return ways
}

func TestParticipant_reachesTheTicketUntilRemoved(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	everything := []string{"link", "list", "reply", "search", "ticket", "timeline"}
	for name, leave := range map[string]func(){
		"removed by address": func() { d.do(d.agent, whom(n, ticket.VerbRemoveParticipant, "OTTO@example.com")) },
		"removed by ID":      func() { d.do(d.agent, whom(n, ticket.VerbRemoveParticipant, string(d.other.ID))) },
		"left":               func() { d.do(d.other, desk.Request{Number: n, Verb: ticket.VerbLeave}) },
	} {
		if ways := d.reach(d.other, n); len(ways) > 0 {
			t.Fatalf("before %s, a stranger reaches the ticket by %v", name, ways)
		}
		d.do(d.agent, whom(n, ticket.VerbAddParticipant, "Otto@example.com"))
		if ways := d.reach(d.other, n); !slices.Equal(ways, everything) {
			t.Errorf("%s: a participant reaches the ticket by %v", name, ways)
		}
		leave()
		if ways := d.reach(d.other, n); len(ways) > 0 {
			t.Errorf("%s: still reached by %v", name, ways)
		}
		d.consistent(n)
	}
	if ways := d.reach(d.customer, n); !slices.Equal(ways, everything) {
		t.Errorf("the requester reaches it by %v", ways)
	}
}

func TestParticipant_seesNoMessageForTheRequesterAlone(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.do(d.agent, whom(n, ticket.VerbAddParticipant, d.other.Address))
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "The code is zinnober.", Alone: true})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "All may read marigold."})
	for _, c := range []struct {
		viewer         desk.Person
		secret, shared bool
	}{{d.customer, true, true}, {d.other, false, true}, {d.agent, true, true}} {
		entries, err := d.tickets.Timeline(t.Context(), c.viewer, n)
		if err != nil {
			t.Fatal(err)
		}
		has := func(body string) bool {
			return slices.ContainsFunc(entries, func(e desk.Entry) bool { return e.Body == body })
		}
		if has("The code is zinnober.") != c.secret || has("All may read marigold.") != c.shared {
			t.Errorf("%s reads %+v", c.viewer.Name, entries)
		}
		for i, e := range entries {
			if e.N != i+1 {
				t.Errorf("%s: entry %d has number %d", c.viewer.Name, i+1, e.N)
			}
		}
		for text, want := range map[string]bool{"zinnober": c.secret, "marigold": c.shared} {
			found, _, err := d.List(t.Context(), desk.Filter{Viewer: c.viewer, Text: text})
			if err != nil || (len(found) > 0) != want {
				t.Errorf("%s finds %d tickets with %s, %v", c.viewer.Name, len(found), text, err)
			}
		}
	}
	if n := one[int](d, `SELECT count(*) FROM deliveries m JOIN events e ON e.ticket = m.ticket AND e.n = m.event
		WHERE m.person = $1 AND e.data ? 'only'`, d.other.ID); n != 0 {
		t.Errorf("%d mails to the participant with a message for the requester alone", n)
	}
	d.consistent(n)
}

func TestParticipant_isForwardedByNoFollowUp(t *testing.T) {
	d := open(t)
	first := d.taken(d.customer)
	d.do(d.agent, whom(first, ticket.VerbAddParticipant, d.other.Address))
	sub := submission()
	sub.Follows = first
	next, err := d.Submit(t.Context(), d.customer, sub)
	if err != nil {
		t.Fatal(err)
	}
	d.step(ticket.StepRequest{Number: next.Number, Command: 1})
	if r, err := d.Ticket(t.Context(), d.other, first); err != nil || len(r.FollowedBy) != 0 {
		t.Errorf("a participant sees the follow-ups %v, %v", r.FollowedBy, err)
	}
	d.do(d.agent, whom(next.Number, ticket.VerbAddParticipant, d.other.Address))
	d.do(d.agent, whom(first, ticket.VerbRemoveParticipant, d.other.Address))
	if r, err := d.Ticket(t.Context(), d.other, next.Number); err != nil || r.Follows != "" {
		t.Errorf("a participant sees that it follows %q, %v", r.Follows, err)
	}
	if r, err := d.Ticket(t.Context(), d.customer, next.Number); err != nil || r.Follows != first {
		t.Errorf("the requester sees that it follows %q, %v", r.Follows, err)
	}
}

func TestChangeRequester_movesTheRowAndKeepsTheFormerOne(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	result := d.do(d.agent, whom(n, ticket.VerbChangeRequester, "nina@example.com"))
	if result.State.Ticket.Requester == d.customer.ID {
		t.Fatalf("the outcome is %v", result.Outcomes)
	}
	d.consistent(n)
	nina, err := d.PersonByAddress(t.Context(), "nina@example.com")
	if err != nil || d.claimed(nina) {
		t.Fatalf("%+v, %v", nina, err)
	}
	r, err := d.Ticket(t.Context(), d.agent, n)
	if err != nil || r.Requester.ID != nina.ID || len(r.People) != 2 || r.People[0].ID != nina.ID || !r.People[0].Contact || r.People[1].Address != d.customer.Address {
		t.Errorf("the people are %+v, %v", r.People, err)
	}
	if r, err = d.Ticket(t.Context(), d.customer, n); err != nil || slices.ContainsFunc(r.People, func(p desk.Involved) bool { return p.Address != "" }) {
		t.Errorf("a customer sees the people %+v, %v", r.People, err)
	}
	for _, verb := range []ticket.Verb{ticket.VerbWithdraw, ticket.VerbClose} {
		_, err = d.Command(t.Context(), d.customer, desk.Request{Number: n, Verb: verb})
		wantKind(t, err, fault.Forbidden)
	}
	if _, rated, err := d.Rate(t.Context(), d.customer, desk.Rating{Number: n, Score: 5}); rated || err != nil {
		t.Errorf("the former requester rates: %v, %v", rated, err)
	}
	token, err := d.ConversationLink(t.Context(), n, nina.ID, r.Submitted.Add(link.Lifetime/2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReadLink(t.Context(), token); err != nil {
		t.Errorf("the new requester's link: %v", err)
	}
	d.do(d.agent, whom(n, ticket.VerbRemoveParticipant, string(d.customer.ID)))
	d.do(d.agent, whom(n, ticket.VerbChangeRequester, d.other.Address))
	d.do(d.agent, whom(n, ticket.VerbChangeRequester, string(nina.ID)))
	d.consistent(n)
}

func TestAddParticipant_refuses(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	before := one[int](d, `SELECT count(*) FROM people`)
	for name, c := range map[string]struct {
		by   desk.Person
		w    desk.Whom
		kind fault.Kind
	}{
		"by a customer":        {d.customer, desk.Whom{Person: "new@example.com"}, fault.Forbidden},
		"nobody":               {d.agent, desk.Whom{}, fault.Invalid},
		"no address":           {d.agent, desk.Whom{Person: "somebody"}, fault.Invalid},
		"two addresses":        {d.agent, desk.Whom{Person: "a@example.com b@example.com"}, fault.Invalid},
		"an unknown ID":        {d.agent, desk.Whom{Person: "P-0000000000"}, fault.Invalid},
		"a member of staff":    {d.agent, desk.Whom{Person: d.second.Address}, fault.Invalid},
		"a name of two lines":  {d.agent, desk.Whom{Person: "new@example.com", Name: "a\nb"}, fault.Invalid},
		"a ticket that is not": {d.agent, desk.Whom{Person: d.other.Address}, fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			r := desk.Request{Number: n, Verb: ticket.VerbAddParticipant, Whom: c.w}
			if c.kind == fault.NotFound {
				r.Number = "HM-0000000000"
			}
			_, err := d.Command(t.Context(), c.by, r)
			wantKind(t, err, c.kind)
		})
	}
	if after := one[int](d, `SELECT count(*) FROM people`); after != before {
		t.Errorf("%d people were added", after-before)
	}
}

func TestSubmit_byStaffIsTheTicketOfTheCustomerThatTheyName(t *testing.T) {
	d := open(t)
	sub := submission()
	sub.Requester = desk.Whom{Person: "walk-in@example.com", Name: "Wanda Walk-in"}
	sub.IdempotencyKey = desk.IdempotencyKey{Key: "a phone call", Fingerprint: []byte{1}}
	a, err := d.Submit(t.Context(), d.agent, sub)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := d.Submit(t.Context(), d.agent, sub); err != nil || again.Number != a.Number || !again.Again {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	d.consistent(a.Number)
	wanda, err := d.PersonByAddress(t.Context(), "walk-in@example.com")
	if err != nil || wanda.Name != "Wanda Walk-in" || d.claimed(wanda) {
		t.Fatalf("%+v, %v", wanda, err)
	}
	r, err := d.Ticket(t.Context(), wanda, a.Number)
	if err != nil || r.Requester.ID != wanda.ID || r.Submission.By.ID != d.agent.ID {
		t.Errorf("%+v, %v", r, err)
	}
	if got := one[string](d, `SELECT string_agg(kind || ' ' || person, ', ') FROM deliveries WHERE ticket = $1`, a.Number); got != "receipt "+string(wanda.ID) {
		t.Errorf("the mails are %s", got)
	}
	if first := r.State.Ticket.FirstResponse; !first.MetAt.IsZero() || r.State.Ticket.Status != ticket.StatusNew {
		t.Errorf("a submission by staff counts as an answer: %+v", first)
	}
}
