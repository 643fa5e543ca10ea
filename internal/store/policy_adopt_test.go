package store_test

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// publish publishes another version of the policy.
func (d *fixture) publish(document string) int64 {
	d.t.Helper()
	v, _, err := app.PublishPolicy(d.t.Context(), d, []byte(document), string(d.supervisor.ID), "another")
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

func TestStep_adoptsAPolicyByHand(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	v := d.publish(quick)
	got := d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "run/1", Verb: ticket.VerbAdoptPolicy, Policy: v}}})
	due, _ := got.State.Ticket.FirstResponse.Clock.Due()
	if got.State.Ticket.Policy != v || due.Sub(got.State.Ticket.Submitted) > time.Hour+time.Minute { // the adoption is not at the same second
		t.Errorf("under version %d, due %s", got.State.Ticket.Policy, due)
	}
	if o := d.outcome(n, 2); o.Refused {
		t.Errorf("refused: %+v", o)
	}
	if record, err := d.Track(t.Context(), n); err != nil || record.Policy != v {
		t.Errorf("the row is under version %d, %v", record.Policy, err)
	}
	// The next step counts by the new version too.
	got = d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "run/2", Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent}}})
	if got.State.Ticket.Priority != policy.PriorityUrgent || got.State.Ticket.Policy != v || got.State.Next.Kind != ticket.DueReminder {
		t.Errorf("then %+v", got.State)
	}
	for key, h := range map[string]ticket.ManualCommand{
		ticket.CodeNoPolicy: {Key: "run/3", Verb: ticket.VerbAdoptPolicy, Policy: 99},
		ticket.CodeNothing:  {Key: "run/4", Verb: ticket.VerbAdoptPolicy, Policy: v},
	} {
		got = d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{h}})
		if o := d.outcome(n, got.State.Command); o.Code != key {
			t.Errorf("%+v: %+v", h, o)
		}
	}
	if _, err := d.beside.Exec(t.Context(), `UPDATE tickets SET policy = 1 WHERE number = $1`, n); err == nil {
		t.Error("a row may be under another version than its state")
	}
}

// TestStep_adoptsInTheMiddleOfABurst decides commands before and after the change in one step, each under its own policy.
func TestStep_adoptsInTheMiddleOfABurst(t *testing.T) {
	d := open(t)
	a := d.submit(d.customer)
	v := d.publish(quick)
	d.step(ticket.StepRequest{Number: a.Number, Manual: []ticket.ManualCommand{{Key: "run/1", Verb: ticket.VerbAdoptPolicy, Policy: v}}})
	got := d.step(ticket.StepRequest{Number: a.Number, Command: 2})
	first := got.State.Ticket.FirstResponse.Clock
	if len(first.Ledger) != 2 || first.Ledger[0].By != 72*time.Hour || first.Ledger[1].Kind != policy.EntryAdopted || first.Counts != policy.CountCalendar {
		t.Errorf("the ledger is %+v", first)
	}
	if first.Ledger[1].Was != policy.CountBusinessHours {
		t.Errorf("it counted by %s", first.Ledger[1].Was)
	}
}

func TestAdoptPolicy_movesTheChosenOpenTicketsOnce(t *testing.T) {
	d := open(t)
	open1, open2, closed, untaken := d.taken(d.customer), d.taken(d.other), d.taken(d.customer), d.submit(d.customer).Number
	d.do(d.agent, desk.Request{Number: closed, Verb: ticket.VerbClose})
	v := d.publish(quick)
	already := d.taken(d.customer)
	choice := desk.TicketChoice{Tickets: []ticket.Number{open2, closed, open1, already, "HM-0000000000", untaken}}
	once := desk.IdempotencyKey{Key: "k", Fingerprint: []byte("f")}
	policies := app.NewPolicies(d, d, d, wakeFunc(func() {}))
	a, err := policies.Adopt(t.Context(), d.supervisor, v, choice, once)
	if err != nil || len(a.Accepted) != 3 || a.Again {
		t.Fatalf("%+v, %v", a, err)
	}
	codes := map[ticket.Number]string{}
	for _, u := range a.Unmoved {
		codes[u.Number] = u.Code
	}
	if want := map[ticket.Number]string{closed: ticket.CodeClosed, already: ticket.CodeNothing, "HM-0000000000": "not-found"}; !maps.Equal(codes, want) {
		t.Errorf("not moved: %v, want %v", codes, want)
	}
	var waiting int
	if err := d.beside.QueryRow(t.Context(), `SELECT count(*) FROM undelivered u JOIN commands c USING (ticket, seq) WHERE c.verb = 'adopt-policy'`).Scan(&waiting); err != nil || waiting != 3 {
		t.Errorf("%d commands wait for the relay, %v", waiting, err)
	}
	for _, m := range a.Accepted {
		got := d.step(ticket.StepRequest{Number: m.Number, Command: m.Seq})
		if got.State.Ticket.Policy != v || d.outcome(m.Number, m.Seq).Refused {
			t.Errorf("%s is under version %d", m.Number, got.State.Ticket.Policy)
		}
	}
	again, err := policies.Adopt(t.Context(), d.supervisor, v, choice, once)
	if err != nil || !again.Again || !slices.Equal(again.Accepted, a.Accepted) {
		t.Errorf("again: %+v, %v", again, err)
	}
	once.Fingerprint = []byte("g")
	_, err = policies.Adopt(t.Context(), d.supervisor, v, choice, once)
	wantKind(t, err, fault.Conflict)
	audit, err := policies.Audit(t.Context(), v)
	if err != nil || audit.Granted != 3 || audit.Refused+audit.Undecided != 0 || len(audit.Latest) != 3 || audit.Latest[0].By != d.supervisor.Name || audit.Latest[0].From != 1 {
		t.Errorf("audit %+v, %v", audit, err)
	}
}

// TestAdoptPolicy_onceForAKeyThatArrivesTwiceAtTheSameTime: neither request finds the commands of the other when it looks.
func TestAdoptPolicy_onceForAKeyThatArrivesTwiceAtTheSameTime(t *testing.T) {
	d := open(t)
	choice := desk.TicketChoice{Tickets: []ticket.Number{d.taken(d.customer)}}
	v := d.publish(quick)
	policies := app.NewPolicies(d, d, d, wakeFunc(func() {}))
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE commands IN EXCLUSIVE MODE`); err != nil { // which does not block reads
		t.Fatal(err)
	}
	var adoptions [2]desk.Adoption
	var all sync.WaitGroup
	for i := range adoptions {
		all.Go(func() {
			var err error
			adoptions[i], err = policies.Adopt(t.Context(), d.supervisor, v, choice, desk.IdempotencyKey{Key: "k", Fingerprint: []byte("f")})
			if err != nil {
				t.Error(err)
			}
		})
	}
	d.waitFor(`SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if a, b := adoptions[0], adoptions[1]; len(a.Accepted) != 1 || !slices.Equal(a.Accepted, b.Accepted) || a.Again == b.Again {
		t.Errorf("%+v and %+v", a, b)
	}
	if n := one[int](d, `SELECT count(*) FROM commands WHERE verb = 'adopt-policy'`); n != 1 {
		t.Errorf("%d commands were accepted", n)
	}
}

// wakeFunc is a function with the method Wake.
type wakeFunc func()

func (w wakeFunc) Wake() { w() }

func TestAdoptPolicy_isForSupervisorsAndVersionsThatAreThere(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	v := d.publish(quick)
	policies := app.NewPolicies(d, d, d, wakeFunc(func() {}))
	for _, by := range []desk.Person{d.customer, d.agent} {
		_, err := policies.Adopt(t.Context(), by, v, desk.TicketChoice{Tickets: []ticket.Number{n}}, desk.IdempotencyKey{})
		wantKind(t, err, fault.Forbidden)
	}
	_, err := policies.Adopt(t.Context(), d.supervisor, 99, desk.TicketChoice{Tickets: []ticket.Number{n}}, desk.IdempotencyKey{})
	wantKind(t, err, fault.NotFound)
	for _, c := range []desk.TicketChoice{{}, {Tickets: []ticket.Number{n}, From: 1}, {From: v}} {
		_, err := policies.Adopt(t.Context(), d.supervisor, v, c, desk.IdempotencyKey{})
		wantKind(t, err, fault.Invalid)
	}
}

func TestDryRun_predictsWhatTheMoveThenDoes(t *testing.T) {
	d := open(t)
	d.taken(d.customer)
	other := d.taken(d.other)
	d.do(d.agent, desk.Request{Number: other, Verb: ticket.VerbAgentReply, Body: "On its way."})
	v := d.publish(quick)
	policies := app.NewPolicies(d, d, d, wakeFunc(func() {}))
	run, err := policies.DryRun(t.Context(), v, desk.TicketChoice{From: 1}, time.Now())
	if err != nil || run.Tickets != 2 || run.Earlier != 3 || run.Mails != 2 || run.DueAtOnce != 0 || len(run.Moves) != 2 {
		t.Fatalf("%+v, %v", run, err)
	}
	if a, err := policies.Adopt(t.Context(), d.supervisor, v, desk.TicketChoice{From: 1}, desk.IdempotencyKey{}); err != nil || len(a.Accepted) != 2 {
		t.Fatalf("%+v, %v", a, err)
	}
	for _, m := range run.Moves {
		got := d.step(ticket.StepRequest{Number: m.Number, Command: 9}).State.Ticket
		for _, p := range m.Promises {
			if due, _ := got.Promise(p.Clock).Clock.Due(); !due.Equal(p.Is) {
				t.Errorf("%s of %s: due %s, foretold %s", p.Clock, m.Number, due, p.Is)
			}
		}
		if len(m.Promises) == 0 {
			t.Errorf("nothing changes for %s", m.Number)
		}
	}
}

// Customers see that their ticket was moved, and by which role.
func TestTimeline_showsOnlyStaffWhoMovedATicket(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	v := d.publish(quick)
	if _, err := app.NewPolicies(d, d, d, wakeFunc(func() {})).Adopt(t.Context(), d.supervisor, v, desk.TicketChoice{Tickets: []ticket.Number{n}}, desk.IdempotencyKey{}); err != nil {
		t.Fatal(err)
	}
	d.step(ticket.StepRequest{Number: n, Command: 2})
	for who, names := range map[desk.Person]bool{d.customer: false, d.agent: true} {
		entries, err := d.tickets.Timeline(t.Context(), who, n)
		if err != nil {
			t.Fatal(err)
		}
		e := entries[len(entries)-1]
		if e.Kind != ticket.EventPolicyAdopted || e.By.Role != ticket.RoleSupervisor || (e.Author.Name != "") != names || (e.By.ID != "") != names {
			t.Errorf("%s is shown %+v", who.Role, e)
		}
	}
}
