package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestSnooze_movesATicketFromTheQueuesToOneOfItsOwn, sorted by when it wakes, and back; what shows promises shows it on.
func TestSnooze_movesATicketFromTheQueuesToOneOfItsOwn(t *testing.T) {
	d := openUnder(t, quick)
	late, early, awake := d.taken(d.customer), d.taken(d.customer), d.taken(d.customer)
	for _, n := range []ticket.Number{late, early, awake} {
		d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign})
	}
	until := time.Now().UTC().Truncate(time.Second)
	d.do(d.agent, desk.Request{Number: late, Verb: ticket.VerbSnooze, Until: until.Add(72 * time.Hour)})
	d.do(d.agent, desk.Request{Number: early, Verb: ticket.VerbSnooze, Until: until.Add(48 * time.Hour)})
	d.checkQueues(map[desk.Queue][]ticket.Number{
		desk.QueueMine: {awake}, desk.QueueSnoozed: {early, late}, desk.QueueDueSoon: {awake, early, late}, desk.QueueAll: {awake, early, late},
	})
	// The second page goes on where the first ended.
	f := desk.Filter{Viewer: d.agent, Queue: desk.QueueSnoozed, Limit: 1}
	records, more, err := d.List(t.Context(), f)
	if err != nil || !more || records[0].Number != early || !records[0].State.Ticket.SnoozedUntil.Equal(until.Add(48*time.Hour)) {
		t.Fatalf("the first page is %+v, more %v: %v", records, more, err)
	}
	f.After = f.Place(desk.View{Record: records[0]})
	if records, _, err = d.List(t.Context(), f); err != nil || len(records) != 1 || records[0].Number != late {
		t.Errorf("the second page is %+v: %v", records, err)
	}
	d.do(d.customer, desk.Request{Number: late, Verb: ticket.VerbCustomerReply, Body: "And now?"})
	d.do(d.agent, desk.Request{Number: early, Verb: ticket.VerbWake})
	d.checkQueues(map[desk.Queue][]ticket.Number{desk.QueueMine: {awake, early, late}, desk.QueueSnoozed: nil})
}

// checkQueues compares the queues and their counts with what is expected. Only the order of the queue of snoozed
// tickets is compared.
func (d *fixture) checkQueues(want map[desk.Queue][]ticket.Number) {
	d.t.Helper()
	counts, err := d.QueueCounts(d.t.Context(), d.agent)
	if err != nil {
		d.t.Fatal(err)
	}
	for queue, numbers := range want {
		records, _, err := d.List(d.t.Context(), desk.Filter{Viewer: d.agent, Queue: queue, Limit: 10})
		if err != nil {
			d.t.Fatal(err)
		}
		var got []ticket.Number
		for _, r := range records {
			got = append(got, r.Number)
		}
		if queue != desk.QueueSnoozed {
			slices.Sort(got)
			slices.Sort(numbers)
		}
		if !slices.Equal(got, numbers) || counts[queue] != len(numbers) {
			d.t.Errorf("%s holds %v and counts %d, want %v", queue, got, counts[queue], numbers)
		}
	}
}

// TestSnooze_byHandIsACommandWithItsInstant, and what no instant is is recorded as a refusal.
func TestSnooze_byHandIsACommandWithItsInstant(t *testing.T) {
	d := openUnder(t, quick)
	n := d.taken(d.customer)
	until := time.Now().UTC().Truncate(time.Second).Add(time.Minute)
	result := d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{
		{Key: "a", Run: "run", Verb: ticket.VerbSnooze, Until: until},
		{Key: "b", Run: "run", Verb: ticket.VerbSnooze},
	}})
	if len(result.Manual) != 2 || result.Manual[0].Refused || result.Manual[1].Code != ticket.CodeMalformed {
		t.Fatalf("the outcomes are %+v", result.Manual)
	}
	if next := result.Digest.Next; next.Kind != ticket.DueWake || !next.Due.Equal(until) {
		t.Errorf("next is %+v", next)
	}
}
