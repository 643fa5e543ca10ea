package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestStep_whatTheRequesterSeesAsTheLastChange: notes, refusals of staff's commands and the like leave it alone, or the
// requester would learn that they were written. The migration has the same result for older tickets.
func TestStep_whatTheRequesterSeesAsTheLastChange(t *testing.T) {
	d := open(t)
	fill := backfill(t, "00027_shown.sql")
	n := d.taken(d.customer)
	for _, c := range []struct {
		by      desk.Person
		request desk.Request
		seen    bool
	}{
		{d.agent, desk.Request{Verb: ticket.VerbNote, Body: "They are lying."}, false},
		{d.agent, desk.Request{Verb: ticket.VerbAssign}, true},
		{d.agent, desk.Request{Verb: ticket.VerbAssign}, false}, // refused: they have it
		{d.agent, desk.Request{Verb: ticket.VerbAgentReply, Body: "We are on it."}, true},
		{d.agent, desk.Request{Verb: ticket.VerbReclassify, Priority: "high"}, true},
		{d.supervisor, desk.Request{Verb: ticket.VerbAcknowledge}, false}, // refused: nothing is escalated
		{d.customer, desk.Request{Verb: ticket.VerbClose}, true},          // refused, and their own command
		{d.customer, desk.Request{Verb: ticket.VerbCustomerReply, Body: "Thanks."}, true},
		{d.agent, desk.Request{Verb: ticket.VerbNote, Body: "Not lying."}, false},
		{d.agent, desk.Request{Verb: ticket.VerbResolve, Body: "Done."}, true},
	} {
		before := time.Now().Add(-time.Hour).Truncate(time.Second)
		d.sql(`UPDATE tickets SET updated_at = $2, shown_at = $2 WHERE number = $1`, n, before)
		d.sql(`UPDATE events SET recorded_at = $2 WHERE ticket = $1`, n, before)
		c.request.Number = n
		d.do(c.by, c.request)
		for from, act := range map[string]func(){"the step": func() {}, "the migration": func() { d.sql(`UPDATE tickets SET shown_at = NULL`); d.sql(fill) }} {
			act()
			record, err := d.Ticket(t.Context(), d.customer, n)
			if err != nil {
				t.Fatal(err)
			}
			if moved := record.Shown.After(before); moved != c.seen || !record.Updated.After(before) {
				t.Errorf("%s %q by %s: %s has the last change move: %t", c.request.Verb, c.request.Body, c.by.Role, from, moved)
			}
		}
	}
}

// TestTimeline_aRequesterFindsNoGapWhereANoteIs: their numbers go on, and what they say they had seen counts as they count.
func TestTimeline_aRequesterFindsNoGapWhereANoteIs(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "One."})
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbClose}) // refused, and theirs
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Two."})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Three."})
	d.do(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbAcknowledge}) // refused, and staff's
	entries, err := d.tickets.Timeline(t.Context(), d.customer, n)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []ticket.EventKind
	for i, e := range entries {
		if kinds = append(kinds, e.Kind); e.N != i+1 {
			t.Errorf("entry %d has number %d", i+1, e.N)
		}
	}
	want := []ticket.EventKind{ticket.EventSubmitted, ticket.EventRefused, ticket.EventAssigned, ticket.EventAgentReplied}
	if !slices.Equal(kinds, want) {
		t.Fatalf("they read %v, want %v", kinds, want)
	}
	blind := d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Hello?", Seen: 3})
	d.step(ticket.StepRequest{Number: n, Command: blind.Seq})
	if o := d.outcome(n, blind.Seq); o.Code != ticket.CodeUnseen {
		t.Errorf("words that they had not seen: %+v", o)
	}
	saw := d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Thanks.", Seen: 4})
	d.step(ticket.StepRequest{Number: n, Command: saw.Seq})
	if o := d.outcome(n, saw.Seq); o.Refused {
		t.Errorf("words that they had seen: %+v", o)
	}
	d.consistent(n)
}
