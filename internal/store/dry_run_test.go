package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// wakeCounter counts calls of Wake.
type wakeCounter struct{ count int }

func (b *wakeCounter) Wake() { b.count++ }

func (d *fixture) command() (*app.Emergencies, *wakeCounter) {
	b := &wakeCounter{}
	return app.NewEmergencies(d.Store, d.Store, d.Store, d.Store, b), b
}

// ticketsInEveryState adds tickets in every state: two open ones of a customer, one of another customer without a step,
// a waiting one, a resolved one, a closed one and one with breached targets.
func (d *fixture) ticketsInEveryState() (running []ticket.Number, fresh ticket.Number) {
	d.t.Helper()
	running = []ticket.Number{d.taken(d.customer), d.taken(d.customer)}
	fresh = d.submit(d.other).Number
	waiting := d.taken(d.other)
	d.do(d.agent, desk.Request{Number: waiting, Verb: ticket.VerbRequestInformation, Body: "Which one?"})
	for _, verb := range []ticket.Verb{ticket.VerbResolve, ticket.VerbClose} {
		n := d.taken(d.customer)
		d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Done."})
		if verb == ticket.VerbClose {
			d.do(d.agent, desk.Request{Number: n, Verb: verb})
		}
	}
	broken := d.submit(d.customer)
	d.redate(broken, time.Now().Add(-60*24*time.Hour).Truncate(time.Second))
	r := d.step(ticket.StepRequest{Number: broken.Number, Command: 1})
	for i := 0; i < 20 && !r.State.Ticket.Closed() && r.State.Next.Kind != "" && r.State.Next.Due.Before(time.Now()); i++ {
		r = d.step(ticket.StepRequest{Number: broken.Number, Due: r.State.Next.Due})
	}
	return running, fresh
}

func clockOf(d desk.DryRun, name policy.ClockName) desk.ClockShift {
	return d.Clocks[slices.IndexFunc(d.Clocks, func(c desk.ClockShift) bool { return c.Clock == name })]
}

// TestDryRun_predictsWhatHappens compares every target that a dry run lists with its state after the emergency is
// declared, changed and ended.
func TestDryRun_predictsWhatHappens(t *testing.T) {
	d := open(t)
	running, fresh := d.ticketsInEveryState()
	m, notifier := d.command()
	plan := desk.EmergencyPlan{
		Kind: ticket.EmergencyClosed, Notice: "A strike.",
		From: time.Now().Add(24 * time.Hour).Truncate(time.Second), Until: time.Now().Add(72 * time.Hour).Truncate(time.Second),
	}
	dry, err := m.DryDeclare(t.Context(), d.supervisor, plan)
	if err != nil {
		t.Fatal(err)
	}
	if dry.Open != 6 || dry.Owed != 5 || dry.Breached != 1 || dry.Requesters != 2 || dry.Examined != 5 || dry.Sampled() {
		t.Errorf("it concerns %+v, and looked at %d", dry.AffectedCount, dry.Examined)
	}
	first, resolution := clockOf(dry, policy.FirstResponse), clockOf(dry, policy.Resolution)
	if first.Moved() != 3 || first.Breached != 1 || first.Waiting != 0 || resolution.Later != 3 || resolution.Breached != 1 || resolution.Waiting != 1 {
		t.Errorf("of first responses %+v, of resolutions %+v", first, resolution)
	}
	if resolution.Least != 48*time.Hour || resolution.Most != 48*time.Hour {
		t.Errorf("calendar time moves by %s to %s", resolution.Least, resolution.Most)
	}
	if n := one[int64](d, `SELECT count(*) FROM emergencies`); n != 0 || notifier.count != 0 {
		t.Errorf("a dry run declared %d and notified %d times", n, notifier.count)
	}
	e, err := m.Declare(t.Context(), d.supervisor, plan)
	if err != nil || notifier.count != 1 {
		t.Fatalf("%v, notified %d times", err, notifier.count)
	}
	d.checkDryRun(dry, append(running, fresh))

	until := plan.Until.Add(24 * time.Hour)
	dry, err = m.DryChange(t.Context(), d.supervisor, e.ID, desk.EmergencyChange{Until: &until})
	if err != nil || clockOf(dry, policy.Resolution).Least != 24*time.Hour || !dry.Before.Until.Equal(plan.Until) {
		t.Errorf("a day longer: %+v, %v", clockOf(dry, policy.Resolution), err)
	}
	if _, err := m.Change(t.Context(), d.supervisor, e.ID, desk.EmergencyChange{Until: &until}); err != nil {
		t.Fatal(err)
	}
	d.checkDryRun(dry, append(running, fresh))

	words := "Another notice."
	dry, err = m.DryChange(t.Context(), d.supervisor, e.ID, desk.EmergencyChange{Notice: &words})
	if c := clockOf(dry, policy.Resolution); err != nil || c.Moved() != 0 || c.Same != 3 || len(dry.Soonest) != 0 {
		t.Errorf("another notice moves %+v, %v", c, err)
	}
	forever := time.Time{}
	dry, err = m.DryChange(t.Context(), d.supervisor, e.ID, desk.EmergencyChange{Until: &forever})
	if err != nil || clockOf(dry, policy.Resolution).Stopped != 3 {
		t.Errorf("without an end: %+v, %v", clockOf(dry, policy.Resolution), err)
	}
	dry, err = m.DryEnd(t.Context(), d.administrator, e.ID)
	if err != nil || clockOf(dry, policy.Resolution).Sooner != 3 || clockOf(dry, policy.Resolution).Least != -72*time.Hour {
		t.Errorf("cancelled: %+v, %v", clockOf(dry, policy.Resolution), err)
	}
	if _, err := m.End(t.Context(), d.administrator, e.ID); err != nil || notifier.count != 3 {
		t.Fatalf("%v, notified %d times", err, notifier.count)
	}
	d.checkDryRun(dry, append(running, fresh))
}

// checkDryRun compares what a dry run predicted for some tickets with their state after the emergency schedule was
// changed.
func (d *fixture) checkDryRun(dry desk.DryRun, tickets []ticket.Number) {
	d.t.Helper()
	schedule, err := d.Schedule(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	seen := 0
	for _, n := range tickets {
		record, err := d.Track(d.t.Context(), n)
		if err != nil {
			d.t.Fatal(err)
		}
		p, err := d.Policy(d.t.Context(), record.Policy)
		if err != nil {
			d.t.Fatal(err)
		}
		now := ticket.Environment{Policy: p, Schedule: schedule}
		var stands ticket.Ticket
		if record.State != nil {
			stands = record.State.Ticket
		} else if r, err := ticket.Decide(ticket.Draft(n, record.Requester.ID, record.Policy, p), now, record.Submission); err == nil {
			stands = r.Ticket
		}
		dues, err := ticket.Expected(stands, now)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, s := range dry.Soonest {
			due := dues.FirstResponse
			if s.Clock == policy.Resolution {
				due = dues.Resolution
			}
			if s.Number == n {
				seen++
				if !s.After.Equal(due) {
					d.t.Errorf("%s of %s: foretold %s, stands at %s", s.Clock, n, s.After, due)
				}
			}
		}
	}
	if want := 2 * len(tickets); seen != want {
		d.t.Errorf("%d promises were listed, want %d", seen, want)
	}
}

func TestDryRun_predictsTheMails(t *testing.T) {
	d := open(t)
	m, _ := d.command()
	in := func(h int) time.Time { return time.Now().Add(time.Duration(h) * time.Hour).Truncate(time.Second) }
	announces := func(dry desk.DryRun, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		said := string(dry.Announces) + ":"
		for _, o := range dry.Upcoming {
			said += " " + string(o.Announces)
		}
		return said
	}
	plan := closedBy("A flood.")
	for want, p := range map[string]desk.EmergencyPlan{
		"started:":               plan,
		"started: ended":         {Kind: plan.Kind, Notice: "x", Until: in(5)},
		": started":              {Kind: plan.Kind, Notice: "x", From: in(5)},
		"planned: started ended": {Kind: plan.Kind, Notice: "x", From: in(50), Until: in(60)},
	} {
		if got := announces(m.DryDeclare(t.Context(), d.supervisor, p)); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
	e := d.begun(d.declare(plan), time.Hour)
	words, until := "Another notice.", in(9)
	if got := announces(m.DryChange(t.Context(), d.supervisor, e.ID, desk.EmergencyChange{Notice: &words})); got != ":" {
		t.Errorf("a notice alone is announced as %q", got)
	}
	if got := announces(m.DryChange(t.Context(), d.supervisor, e.ID, desk.EmergencyChange{Until: &until})); got != "changed: ended" {
		t.Errorf("an end is announced as %q", got)
	}
	if got := announces(m.DryEnd(t.Context(), d.supervisor, e.ID)); got != "ended:" {
		t.Errorf("lifted is announced as %q", got)
	}
}

func TestEmergencies_areForThoseWhoCommand(t *testing.T) {
	d := open(t)
	m, notifier := d.command()
	e := d.declare(closedBy("A flood."))
	for _, by := range []desk.Person{{}, d.customer, d.agent} {
		for name, try := range map[string]func() error{
			"declare":     func() error { _, err := m.Declare(t.Context(), by, closedBy("x")); return err },
			"change":      func() error { _, err := m.Change(t.Context(), by, e.ID, desk.EmergencyChange{}); return err },
			"end":         func() error { _, err := m.End(t.Context(), by, e.ID); return err },
			"dry declare": func() error { _, err := m.DryDeclare(t.Context(), by, closedBy("x")); return err },
			"dry change":  func() error { _, err := m.DryChange(t.Context(), by, e.ID, desk.EmergencyChange{}); return err },
			"dry end":     func() error { _, err := m.DryEnd(t.Context(), by, e.ID); return err },
			"list":        func() error { _, err := m.List(t.Context(), by); return err },
			"file":        func() error { _, err := m.File(t.Context(), by, e.ID); return err },
		} {
			if err := try(); fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s by %q: %v", name, by.Role, err)
			}
		}
	}
	if notifier.count != 0 || one[int64](d, `SELECT revision FROM emergency_schedule`) != 1 {
		t.Error("something happened")
	}
}
