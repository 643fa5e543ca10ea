package store_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// awaitChange receives changes until a certain one, and returns those before it.
func (d *fixture) awaitChange(changes <-chan desk.Change, want desk.Change) (before []desk.Change) {
	d.t.Helper()
	for {
		select {
		case c := <-changes:
			if c == want {
				return before
			}
			before = append(before, c)
		case <-time.After(slack):
			d.t.Fatalf("%+v was not reported; but %+v", want, before)
		}
	}
}

// subscribe subscribes to a ticket's changes.
func (d *fixture) subscribe(o *store.Outcomes, n ticket.Number) <-chan desk.Change {
	d.t.Helper()
	d.waitFor(listens)
	changes, leave := o.Subscribe(n)
	d.t.Cleanup(leave)
	return changes
}

func TestSubscribe_reportsEveryKindOfChange(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	changes := d.subscribe(d.listening(), n)
	a := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign})
	d.awaitChange(changes, desk.Change{Number: n, Kind: desk.ChangeAccepted})
	d.step(ticket.StepRequest{Number: n, Command: a.Seq})
	d.awaitChange(changes, desk.Change{Number: n, Kind: desk.ChangeStepped})
	if err := d.Sent(t.Context(), n, 1); err != nil {
		t.Fatal(err)
	}
	d.awaitChange(changes, desk.Change{Number: n, Kind: desk.ChangeMail})
	if err := d.workspace.RecordPresence(t.Context(), d.agent, n, false); err != nil {
		t.Fatal(err)
	}
	d.awaitChange(changes, desk.Change{Number: n, Kind: desk.ChangePresence})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Done."})
	if _, err := d.tickets.Rate(t.Context(), d.customer, desk.Rating{Number: n, Score: 5}); err != nil {
		t.Fatal(err)
	}
	d.awaitChange(changes, desk.Change{Number: n, Kind: desk.ChangeRated})
}

// TestSubscribe_reportsMails that are deferred and that bounce.
func TestSubscribe_reportsMails(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	changes := d.subscribe(d.listening(), n)
	if _, err := d.Deferred(t.Context(), n, 1); err != nil {
		t.Fatal(err)
	}
	d.awaitChange(changes, desk.Change{Number: n, Kind: desk.ChangeMail})
	if err := d.Bounced(t.Context(), n, 1, "no such mailbox"); err != nil {
		t.Fatal(err)
	}
	d.awaitChange(changes, desk.Change{Number: n, Kind: desk.ChangeMail})
}

func TestSubscribe_reportsOneTicketOrAll(t *testing.T) {
	d := open(t)
	o := d.listening()
	n, other := d.taken(d.customer), d.taken(d.customer)
	one, all := d.subscribe(o, n), d.subscribe(o, "")
	d.do(d.agent, desk.Request{Number: other, Verb: ticket.VerbAssign})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign})
	d.awaitChange(all, desk.Change{Number: other, Kind: desk.ChangeStepped})
	d.awaitChange(all, desk.Change{Number: n, Kind: desk.ChangeStepped})
	for _, c := range d.awaitChange(one, desk.Change{Number: n, Kind: desk.ChangeStepped}) {
		if c.Number == other {
			t.Errorf("who subscribed to %s is notified of %+v", n, c)
		}
	}
}

// TestSubscribe_waitsForNoSubscriber: a subscriber that never receives holds up no one, and finds a change when it does.
func TestSubscribe_waitsForNoSubscriber(t *testing.T) {
	d := open(t)
	o := d.listening()
	n := d.taken(d.customer)
	slow, brisk := d.subscribe(o, n), d.subscribe(o, n)
	for range 50 { // more than may wait
		d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "A note."})
		d.awaitChange(brisk, desk.Change{Number: n, Kind: desk.ChangeStepped})
	}
	d.awaitChange(slow, desk.Change{})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign})
	d.awaitChange(slow, desk.Change{Number: n, Kind: desk.ChangeStepped})
}

// TestSubscribe_notifiesEverySubscriberAfterAnOutage of the listening connection, with the zero Change.
func TestSubscribe_notifiesEverySubscriberAfterAnOutage(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	changes := d.subscribe(d.listening(), n)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "A note."})
	d.awaitChange(changes, desk.Change{Number: n, Kind: desk.ChangeStepped}) // and the changes of the start
	d.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN outcome'`)
	d.awaitChange(changes, desk.Change{})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign})
	d.awaitChange(changes, desk.Change{Number: n, Kind: desk.ChangeStepped})
}

func TestSubscribe_endsWithLeaving(t *testing.T) {
	d := open(t)
	o := d.listening()
	n := d.taken(d.customer)
	stays := d.subscribe(o, n)
	gone, leave := o.Subscribe(n)
	leave()
	leave() // twice is once
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign})
	d.awaitChange(stays, desk.Change{Number: n, Kind: desk.ChangeStepped})
	select {
	case c := <-gone:
		if c != (desk.Change{}) { // from when the connection began to listen
			t.Errorf("notified of %+v after leaving", c)
		}
	default:
	}
}
