package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

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

// A wait ends with what a notification carries: nothing else has decided this command.
func TestAwait_returnsWhatANotificationCarries(t *testing.T) {
	d := open(t)
	o := d.listening()
	d.waitFor(listens)
	n := d.taken(d.customer)
	for name, before := range map[string]bool{"before the wait": true, "during the wait": false} {
		seq := int64(50)
		if before {
			seq = 51
		}
		notify := func() {
			d.sql(`SELECT pg_notify('outcome', $1)`, fmt.Sprintf(`%s:%d {"Refused": true, "Code": "a-code", "Reason": "a reason"}`, n, seq))
		}
		if before {
			next := d.heard("outcome")
			notify()
			next()
		} else {
			go notify()
		}
		ctx, cancel := context.WithTimeout(t.Context(), slack)
		answer, decided, err := o.Await(ctx, n, seq)
		cancel()
		if want := (ticket.Outcome{Refused: true, Code: "a-code", Reason: "a reason"}); !decided || err != nil || answer != want {
			t.Errorf("%s: got %+v, %v, %v", name, answer, decided, err)
		}
	}
}

func TestSpendMail_keepsToTheRateOfAllWorkersAndCountsWhatIsSentAnyway(t *testing.T) {
	d := open(t)
	spend := func(always bool) bool {
		t.Helper()
		ok, err := d.SpendMail(t.Context(), 0.01, always) // one in 100 seconds
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !spend(false) || spend(false) {
		t.Error("not one mail is allowed at first")
	}
	left := func() time.Duration {
		return one[time.Duration](d, `SELECT spent_until - clock_timestamp() FROM allowances WHERE key = 'mails of tickets'`)
	}
	before := left()
	if !spend(true) || left() <= before {
		t.Error("a mail that is sent anyway was not counted")
	}
	for range 10 {
		spend(true)
	}
	if debt := left(); debt > 201*time.Second {
		t.Errorf("mails that were sent anyway keep others from being sent for %s", debt)
	}
	d.sql(`UPDATE allowances SET spent_until = clock_timestamp()`)
	if !spend(false) {
		t.Error("no mail is allowed although none was sent for long")
	}
}
