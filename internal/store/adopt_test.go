package store_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// publish publishes another version.
func (d *shop) publish(document string) int64 {
	d.t.Helper()
	v, _, err := d.PublishPolicy(d.t.Context(), []byte(document), string(d.supervisor.ID), "another")
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

func TestStep_adoptsAPolicyByHand(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	v := d.publish(quick)
	got := d.step(ticket.StepRequest{Number: n, ByHand: &ticket.ByHand{Key: "run/1", Verb: ticket.VerbAdoptPolicy, Policy: v}})
	due, _ := got.State.Ticket.FirstResponse.Clock.Due()
	if got.State.Ticket.Policy != v || due.Sub(got.State.Ticket.Submitted) > time.Hour {
		t.Errorf("under version %d, due %s", got.State.Ticket.Policy, due)
	}
	if o := d.outcome(n, 2); o.Refused {
		t.Errorf("refused: %+v", o)
	}
	if record, err := d.Track(t.Context(), n); err != nil || record.Policy != v {
		t.Errorf("the row is under version %d, %v", record.Policy, err)
	}
	// The next step counts by the new version too.
	got = d.step(ticket.StepRequest{Number: n, ByHand: &ticket.ByHand{Key: "run/2", Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent}})
	if got.State.Ticket.Priority != policy.PriorityUrgent || got.State.Ticket.Policy != v || got.State.Next.Kind != ticket.MomentRemind {
		t.Errorf("then %+v", got.State)
	}
	for key, h := range map[string]ticket.ByHand{
		ticket.CodeNoPolicy: {Key: "run/3", Verb: ticket.VerbAdoptPolicy, Policy: 99},
		ticket.CodeNothing:  {Key: "run/4", Verb: ticket.VerbAdoptPolicy, Policy: v},
	} {
		got = d.step(ticket.StepRequest{Number: n, ByHand: &h})
		if o := d.outcome(n, got.State.Command); o.Code != key {
			t.Errorf("%+v: %+v", h, o)
		}
	}
	if _, err := d.beside.Exec(t.Context(), `UPDATE tickets SET policy = 1 WHERE number = $1`, n); err == nil {
		t.Error("a row may be under another version than its state")
	}
}

// TestStep_adoptsInTheMiddleOfABurst takes commands before and after the change at once, each under its own policy.
func TestStep_adoptsInTheMiddleOfABurst(t *testing.T) {
	d := open(t)
	a := d.submit(d.customer)
	v := d.publish(quick)
	d.step(ticket.StepRequest{Number: a.Number, ByHand: &ticket.ByHand{Key: "run/1", Verb: ticket.VerbAdoptPolicy, Policy: v}})
	got := d.step(ticket.StepRequest{Number: a.Number, Command: 2})
	first := got.State.Ticket.FirstResponse.Clock
	if len(first.Ledger) != 2 || first.Ledger[0].By != 72*time.Hour || first.Ledger[1].Act != policy.ActAdopted || first.Counts != policy.CountCalendar {
		t.Errorf("the ledger is %+v", first)
	}
	if first.Ledger[1].Was != policy.CountBusinessHours {
		t.Errorf("it counted by %s", first.Ledger[1].Was)
	}
}
