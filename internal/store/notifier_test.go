package store_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// heard listens on a channel and returns a function that returns the next payload.
func (d *fixture) heard(channel string) (next func() string) {
	d.t.Helper()
	conn, err := pgx.Connect(d.t.Context(), d.dsn)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(d.t.Context(), `LISTEN `+channel); err != nil {
		d.t.Fatal(err)
	}
	return func() string {
		d.t.Helper()
		ctx, cancel := context.WithTimeout(d.t.Context(), slack)
		defer cancel()
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			d.t.Fatalf("no notification came: %v", err)
		}
		return n.Payload
	}
}

func TestNotifications_areSentBeforeTheStoreCloses(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	next := d.heard("change")
	d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "."})
	d.Close()
	want := string(n) + ":" + string(desk.ChangeAccepted)
	for next() != want { // it fails the test if no more come
	}
}

// The notification of an outcome is all that a wait for it needs.
func TestAwait_needsNoQueryOnceAnOutcomeWasNotified(t *testing.T) {
	d := open(t)
	o := d.listening()
	d.waitFor(listens)
	n := d.taken(d.customer)
	a := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbReopen})
	next := d.heard("outcome")
	d.step(ticket.StepRequest{Number: n, Command: a.Seq})
	next() // so has the Outcomes, or will before the wait below ends
	d.sql(`ALTER TABLE outcomes RENAME TO unreadable`)
	ctx, cancel := context.WithTimeout(t.Context(), slack)
	defer cancel()
	answer, decided, err := o.Await(ctx, n, a.Seq)
	if !decided || err != nil || !answer.Refused || answer.Code != ticket.CodeStatus || answer.Reason == "" {
		t.Errorf("got %+v, %v, %v", answer, decided, err)
	}
}
