package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fastPolicy has due events within seconds, so that a test can wait for them on a real clock.
const fastPolicy = `
name: Brisk
time_zone: UTC
clocks:
  first_response: {target: 3s, counts: calendar, remind_at: 50%}
  resolution: {target: 6s, counts: calendar, remind_at: 50%, pauses: [waiting, resolved]}
silence: {nudge_after: 2s, resolve_after: 5s, close_after: 4s}
escalation: [{after: 0s, tell: [supervisors]}, {after: 2s, tell: [administrators]}]
`

// acceptedTicket is the receipt of an accepted ticket, and its requester.
type acceptedTicket struct {
	desk.Receipt
	by desk.Person
}

// TestSchedule_isExactWhileItChanges submits and steps at full rate while emergencies begin, change and end. Whatever
// was in progress when the schedule changed, each ticket's events are those that an oracle computes from its commands and
// the final schedule, and each receipt agrees with them.
func TestSchedule_isExactWhileItChanges(t *testing.T) {
	d := openUnder(t, fastPolicy)
	front := app.NewTickets(d.Store, d.Store, d.Store, nil, desktest.NoRelay{})
	open, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var mu sync.Mutex
	var receipts []acceptedTicket
	least := time.Now().Add(7 * time.Second)
	enough := func() bool { // by mu; a twentieth of a slow machine's few tickets is found among those looked at, too
		inside := 0
		for _, r := range receipts {
			if len(r.Emergencies) > 0 {
				inside++
			}
		}
		return time.Now().After(least) && inside > 20+len(receipts)/20 && len(receipts)-inside > 20+len(receipts)/20
	}
	var work sync.WaitGroup
	for range 6 {
		work.Go(func() {
			for open.Err() == nil {
				s := submission()
				s.Category = ""
				r, err := front.Submit(t.Context(), d.customer, s)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				receipts = append(receipts, acceptedTicket{r, d.customer})
				if len(receipts)%50 == 0 && enough() {
					stop()
				}
				mu.Unlock()
			}
		})
	}
	for i := range 4 {
		random := rand.New(rand.NewPCG(uint64(i), 8))
		work.Go(func() {
			for open.Err() == nil {
				mu.Lock()
				known := len(receipts)
				var r acceptedTicket
				if known > 0 {
					r = receipts[random.IntN(known)]
				}
				mu.Unlock()
				if known > 0 {
					d.stepAtRandom(random, r.Number)
				}
			}
		})
	}
	d.changeSchedule(open)
	stop()
	work.Wait()
	d.settled(receipts)
}

// stepAtRandom has a ticket take a random step or accept a random command.
func (d *fixture) stepAtRandom(random *rand.Rand, n ticket.Number) {
	r := ticket.StepRequest{Number: n, Command: 1}
	switch random.IntN(6) {
	case 0, 1:
		r = ticket.StepRequest{Number: n, CatchUp: true}
	case 2:
		r = ticket.StepRequest{Number: n, Due: time.Now().Truncate(time.Second)}
	case 3:
		verb := []ticket.Verb{ticket.VerbRequestInformation, ticket.VerbNote, ticket.VerbProgressUpdate, ticket.VerbResolve}[random.IntN(4)]
		if _, err := d.Command(d.t.Context(), d.agent, desk.Request{Number: n, Verb: verb, Body: "Something."}); err == nil && random.IntN(2) == 0 {
			r.Command = 100
		}
	}
	if _, err := d.Step(d.t.Context(), r); err != nil {
		d.t.Error(err)
	}
}

// changeSchedule changes the schedule at random for at least 7 seconds, and longer on a busy machine: emergencies overlap,
// follow each other, are planned, changed and lifted.
func (d *fixture) changeSchedule(open context.Context) {
	random := rand.New(rand.NewPCG(7, 7))
	var live []ticket.EmergencyID
	began, closed := time.Now(), 0
	for open.Err() == nil && (closed < 3 || time.Since(began) < 7*time.Second) {
		var err error
		switch pick := random.IntN(5); {
		case len(live) == 0 || pick == 0 && len(live) < 3:
			p := desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "A test."}
			if random.IntN(3) == 0 {
				p.Kind, p.By = ticket.EmergencyDelayed, time.Duration(1+random.IntN(3))*time.Second
			}
			if random.IntN(3) == 0 {
				p.From = time.Now().Add(3 * time.Second).Truncate(time.Second)
			}
			var e desk.Emergency
			if e, err = app.DeclareEmergency(d.t.Context(), d, d.supervisor, p); err == nil {
				live = append(live, e.ID)
				if e.Kind == ticket.EmergencyClosed && p.From.IsZero() {
					closed++
				}
			}
		case pick == 1:
			by := time.Duration(1+random.IntN(4)) * time.Second
			_, err = app.ChangeEmergency(d.t.Context(), d, d.supervisor, live[0], desk.EmergencyChange{By: &by})
		case pick == 2:
			end := time.Now().Add(4 * time.Second).Truncate(time.Second)
			_, err = app.ChangeEmergency(d.t.Context(), d, d.supervisor, live[0], desk.EmergencyChange{Until: &end})
		default:
			i := random.IntN(len(live))
			_, err = app.EndEmergency(d.t.Context(), d, d.supervisor, live[i])
			live = append(live[:i], live[i+1:]...)
		}
		_ = err // what comes too late, or means nothing for its kind, is refused
		select {
		case <-open.Done():
		case <-time.After(time.Duration(50+random.IntN(500)) * time.Millisecond):
		}
	}
	for _, id := range live {
		if _, err := app.EndEmergency(d.t.Context(), d, d.supervisor, id); err != nil {
			d.t.Log(err)
		}
	}
}

// settled brings every ticket up to one instant, and holds it against the oracle.
func (d *fixture) settled(receipts []acceptedTicket) {
	d.t.Helper()
	schedule, err := d.Schedule(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	p, err := d.Policy(d.t.Context(), 1)
	if err != nil {
		d.t.Fatal(err)
	}
	closed, inside, looked, count := 0, 0, 0, 0
	for _, e := range schedule.Emergencies {
		if e.Kind == ticket.EmergencyClosed {
			closed++
		}
	}
	const most = 400 // looking at one costs a hundred times what it took to accept it
	for i := 0; i < len(receipts); i += 1 + len(receipts)/most {
		r := receipts[i]
		d.step(ticket.StepRequest{Number: r.Number, CatchUp: true})
		events := d.eventsOf(r.Number)
		want := d.expectedEvents(r.Number, ticket.Environment{Policy: p, Schedule: schedule}, events[len(events)-1].At)
		for i, e := range want {
			if i >= len(events) || asJSON(d.t, events[i]) != asJSON(d.t, e) {
				d.t.Fatalf("event %d of %s is\n%s, want\n%s", i+1, r.Number, asJSON(d.t, events[min(i, len(events)-1)]), asJSON(d.t, e))
			}
		}
		if len(events) < len(want) {
			d.t.Fatalf("%d events of %s, want %d", len(events), r.Number, len(want))
		}
		looked, count = looked+1, count+len(events)
		d.heldTo(r, events, p)
		if len(r.Emergencies) > 0 {
			inside++
		}
	}
	if closed == 0 || inside == 0 || inside == looked {
		d.t.Errorf("%d times closed, %d of %d tickets accepted in an emergency: that proves little", closed, inside, looked)
	}
	d.t.Logf("%d tickets; of %d looked at %d were accepted in an emergency; %d emergencies, %d events", len(receipts), looked, inside, len(schedule.Emergencies), count)
}

func (d *fixture) eventsOf(n ticket.Number) (events []ticket.Event) {
	for _, e := range d.timeline(n) {
		events = append(events, e.Event)
	}
	return events
}

// heldTo checks that a receipt promised what the ticket then had, from its first second.
func (d *fixture) heldTo(r acceptedTicket, events []ticket.Event, p *policy.Policy) {
	d.t.Helper()
	t := ticket.Draft(r.Number, d.customer.ID, 1, p)
	for _, e := range events {
		if e.N > 1 && (e.Command != 0 || !e.At.Equal(r.At)) {
			break
		}
		t = ticket.Apply(t, e)
	}
	first, _ := t.FirstResponse.Clock.Due()
	resolution, _ := t.Resolution.Clock.Due()
	if got := (policy.Deadlines{FirstResponse: first, Resolution: resolution}); !t.Submitted.Equal(r.At) || !reflect.DeepEqual(got, r.Promises) {
		d.t.Fatalf("%s was promised %+v at %s, and has %+v since %s", r.Number, r.Promises, r.At, got, t.Submitted)
	}
}

// expectedEvents is the oracle: it steps through every second with the ticket's commands under the final schedule, and
// returns the events. A schedule's past never changes, so that is also the schedule as it was.
func (d *fixture) expectedEvents(n ticket.Number, dsk ticket.Environment, until time.Time) []ticket.Event {
	d.t.Helper()
	rows, err := d.beside.Query(d.t.Context(), `SELECT seq, verb, coalesce(by_person, ''), by_role, accepted_at, coalesce(message, 0),
		coalesce(priority, ''), coalesce(category, '') FROM commands WHERE ticket = $1 ORDER BY seq`, n)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	var commands []ticket.Command
	for rows.Next() {
		c := ticket.Command{Handle: d.agent.Handle}
		if err := rows.Scan(&c.Seq, &c.Verb, &c.By.ID, &c.By.Role, &c.At, &c.Message, &c.Priority, &c.Category); err != nil {
			d.t.Fatal(err)
		}
		c.At = c.At.UTC()
		commands = append(commands, c)
	}
	t := ticket.Draft(n, d.customer.ID, 1, dsk.Policy)
	var events []ticket.Event
	keep := func(r ticket.Result, err error) {
		if err != nil {
			d.t.Fatal(err)
		}
		t, events = r.Ticket, append(events, r.Events...)
	}
	for at := commands[0].At; !at.After(until); at = at.Add(time.Second) {
		for len(commands) > 0 && !commands[0].At.After(at) {
			keep(ticket.Decide(t, dsk, commands[0]))
			commands = commands[1:]
		}
		keep(ticket.Advance(t, dsk, at))
	}
	return events
}

// TestBarrier_waitsForWhatIsUnderWay and gives up if that takes too long.
func TestBarrier_waitsForWhatIsUnderWay(t *testing.T) {
	d := open(t)
	if err := d.Barrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := d.taken(d.customer)
	inside, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inside.Rollback(context.WithoutCancel(t.Context())) }()
	// A step that shares the schedule's lock while it waits for its ticket.
	if _, err := inside.Exec(t.Context(), `SELECT FROM tickets WHERE number = $1 FOR UPDATE`, n); err != nil {
		t.Fatal(err)
	}
	stepped, passed := make(chan error, 1), make(chan error, 1)
	go func() { _, err := d.Step(t.Context(), ticket.StepRequest{Number: n, CatchUp: true}); stepped <- err }()
	d.waiting(1)
	go func() { passed <- d.Barrier(t.Context()) }()
	d.waiting(2)
	select {
	case err := <-passed:
		t.Errorf("it was passed while a step was under way: %v", err)
	default:
	}
	if err := inside.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-stepped, <-passed); err != nil {
		t.Error(err)
	}
}

// TestSchedule_isReadOnceItsChangeIsCommitted: a submission and a step that come in the middle of a change see all of it.
func TestSchedule_isReadOnceItsChangeIsCommitted(t *testing.T) {
	d := openUnder(t, fastPolicy)
	front := app.NewTickets(d.Store, d.Store, d.Store, nil, desktest.NoRelay{})
	n := d.taken(d.customer)
	change, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = change.Rollback(context.WithoutCancel(t.Context())) }() // unblocks the waiting call if the test fails
	for _, statement := range []string{
		fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, store.ScheduleLock),
		`INSERT INTO emergencies (id, kind, notice, starts_at, revision) VALUES ('E-0000000001', 'closed', 'A test.', date_trunc('second', clock_timestamp()) + interval '1 second', 1)`,
		`UPDATE emergency_schedule SET revision = 1`,
		`SELECT pg_sleep(1.1)`,
	} {
		if _, err := change.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var receipt desk.Receipt
	var result ticket.StepResult
	var both sync.WaitGroup
	both.Go(func() {
		s := submission()
		s.Category = ""
		var err error
		if receipt, err = front.Submit(t.Context(), d.customer, s); err != nil {
			t.Error(err)
		}
	})
	both.Go(func() {
		var err error
		if result, err = d.Step(t.Context(), ticket.StepRequest{Number: n, Command: 1}); err != nil {
			t.Error(err)
		}
	})
	d.waiting(2)
	if err := change.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	both.Wait()
	if receipt.Promises != (policy.Deadlines{}) || len(receipt.Emergencies) != 1 || receipt.Schedule != 1 {
		t.Errorf("the receipt is %+v", receipt)
	}
	if held := result.Digest.Emergency; held != "E-0000000001" {
		t.Errorf("the ticket stepped is held by %q: %+v", held, d.kinds(n))
	}
	if row := one[string](d, `SELECT paused_by FROM tickets WHERE number = $1`, n); row != "E-0000000001" {
		t.Errorf("its row says %q", row)
	}
	d.consistent(n)
	view, err := front.Ticket(t.Context(), d.customer, receipt.Number) // no step has taken it yet
	if err != nil || !view.Ticket.InEmergency() || !view.Expected.Resolution.IsZero() {
		t.Errorf("it is shown as %+v: %v", view.Ticket, err)
	}
	l, _, err := d.mails.LoadMail(t.Context(), d.takenOf(receipt.Number), 1)
	if err != nil || l.Kind != ticket.MailReceipt || !l.FirstResponseDue.IsZero() || !l.ResolutionDue.IsZero() {
		t.Errorf("its receipt by mail is %+v: %v", l, err)
	}
}

// takenOf takes a ticket's first step.
func (d *fixture) takenOf(n ticket.Number) ticket.Number {
	d.t.Helper()
	d.step(ticket.StepRequest{Number: n, Command: 1})
	return n
}

// TestStep_recordsTheLastTransitionItTookUp, even if it changes nothing for the ticket: the fan-out's check
// relies on it.
func TestStep_recordsTheLastTransitionItTookUp(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.sql(`UPDATE tickets SET transitions_until = '-infinity', submitted_at = submitted_at - interval '1 hour', latest_at = latest_at - interval '1 hour' WHERE number = $1`, n)
	d.sql(`INSERT INTO emergencies (id, kind, notice, starts_at, ends_at, revision)
		VALUES ('E-0000000001', 'closed', 'A test.', clock_timestamp() - interval '9 hours', clock_timestamp() - interval '8 hours', 1)`)
	d.sql(`UPDATE emergency_schedule SET revision = 1`)
	before := len(d.kinds(n))
	d.step(ticket.StepRequest{Number: n, CatchUp: true})
	if got := d.kinds(n); len(got) != before {
		t.Errorf("an emergency of long ago was applied: %v", got)
	}
	if one[bool](d, `SELECT transitions_until < starts_at FROM tickets, emergencies WHERE number = $1`, n) {
		t.Error("the ticket's row is behind a transition that changes nothing for it")
	}
}

// TestOpenBefore_findsTicketsWithSomethingOverdue: earlier due events come first, so no step has applied the transition.
func TestOpenBefore_findsTicketsWithSomethingOverdue(t *testing.T) {
	d := openUnder(t, fastPolicy)
	n := d.taken(d.customer)
	d.until(d.submittedAt(n).Add(2 * time.Second)) // the reminder is due
	e, err := app.DeclareEmergency(t.Context(), d, d.supervisor, desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "A test."})
	if err != nil {
		t.Fatal(err)
	}
	d.until(e.From)
	d.step(ticket.StepRequest{Number: n, Command: 1})
	if behind, err := d.OpenBefore(t.Context(), e.From, "", 10); err != nil || len(behind) != 1 {
		t.Errorf("%v are behind: %v; it has %v", behind, err, d.kinds(n))
	}
	d.step(ticket.StepRequest{Number: n, CatchUp: true})
	if behind, err := d.OpenBefore(t.Context(), e.From, "", 10); err != nil || len(behind) != 0 {
		t.Errorf("notified, %v are behind: %v", behind, err)
	}
}

// until waits for the database's clock.
func (d *fixture) until(at time.Time) {
	d.t.Helper()
	for one[bool](d, `SELECT clock_timestamp() < $1`, at) {
		time.Sleep(20 * time.Millisecond)
	}
}

func (d *fixture) submittedAt(n ticket.Number) time.Time {
	return one[time.Time](d, `SELECT submitted_at FROM tickets WHERE number = $1`, n)
}

// TestOpenBefore_findsTicketsThatAreAheadOfAClockSetBack: a transition lies after the clock and before their last command.
func TestOpenBefore_findsTicketsThatAreAheadOfAClockSetBack(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	a := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Written an hour ago, and the clock is set back two."})
	d.redate(a, time.Now().Add(time.Hour).UTC().Truncate(time.Second))
	d.step(ticket.StepRequest{Number: n, Command: a.Seq})
	e, err := app.DeclareEmergency(t.Context(), d, d.supervisor, desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "A test."})
	if err != nil {
		t.Fatal(err)
	}
	behind, err := d.OpenBefore(t.Context(), e.From, "", 10)
	if err != nil || len(behind) != 1 {
		t.Fatalf("%v are behind: %v", behind, err)
	}
	d.until(e.From)
	state := d.step(ticket.StepRequest{Number: n, CatchUp: true}).State
	if held := state.Ticket.PausingEmergency(); held != e.ID {
		t.Errorf("notified, it is paused by %q", held)
	}
	if proof, err := d.VerifyFanout(t.Context(), ticket.Transition{At: e.From, Verb: ticket.VerbEmergencyPause, Emergency: e.ID}); err != nil || proof.Left() != 0 {
		t.Errorf("then %+v: %v", proof, err)
	}
	d.consistent(n)
}

// waiting waits until so many connections wait for a lock.
func (d *fixture) waiting(n int64) {
	d.t.Helper()
	for patience := time.Now().Add(20 * time.Second); one[int64](d, `SELECT count(DISTINCT pid) FROM pg_locks
		JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()`) < n; {
		if time.Now().After(patience) {
			d.t.Fatalf("fewer than %d wait", n)
		}
	}
}

// TestView_knowsOfAnEmergencyBeforeItsTicketDoes: no page names a date under "closed until further notice", however long the
// fan-out takes to reach the ticket, nor leaves it out once the desk is open again.
func TestView_knowsOfAnEmergencyBeforeItsTicketDoes(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	front := app.NewTickets(d.Store, d.Store, d.Store, nil, desktest.NoRelay{})
	promised := func() (desk.Promised, desk.Promised) {
		t.Helper()
		v, err := front.Ticket(t.Context(), d.customer, n)
		if err != nil {
			t.Fatal(err)
		}
		all, _, err := front.List(t.Context(), desk.Filter{Viewer: d.customer, Queue: desk.QueueAll, Limit: 10})
		if err != nil || len(all) != 1 {
			t.Fatal(len(all), err)
		}
		return v.Promised(), all[0].Promised()
	}
	before, _ := promised()
	e := d.declare(closedBy("Closed."))
	d.until(e.From.Add(time.Second))
	if one, listed := promised(); !one.FirstResponse.Due.IsZero() || !one.Resolution.Due.IsZero() || !listed.Resolution.Due.IsZero() || before.Resolution.Due.IsZero() {
		t.Errorf("while closed: %+v, %+v; before: %+v", one, listed, before)
	}
	d.applyTransitions(n)
	if _, err := app.EndEmergency(t.Context(), d, d.supervisor, e.ID); err != nil {
		t.Fatal(err)
	}
	ended, err := d.Emergency(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	d.until(ended.Until.Add(time.Second))
	if one, listed := promised(); one.Resolution.Due.IsZero() || listed.Resolution.Due.IsZero() {
		t.Errorf("once open again: %+v, %+v", one, listed)
	}
}
