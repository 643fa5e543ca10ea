package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// awaitTransition waits until the database's clock has reached the schedule's last transition, and returns it.
func (d *fixture) awaitTransition() ticket.Transition {
	d.t.Helper()
	d.sql(`SELECT pg_sleep(greatest(extract(epoch FROM max(greatest(starts_at, CASE WHEN ends_at < 'infinity' THEN ends_at ELSE starts_at END)) - clock_timestamp()), 0) + 0.01) FROM emergencies`)
	o, err := d.Outlook(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return o.Reached
}

func (d *fixture) checkFanout(e ticket.Transition) ticket.FanoutCheck {
	d.t.Helper()
	if err := d.Barrier(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	p, err := d.VerifyFanout(d.t.Context(), e)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

func TestFanout_pagesThroughTicketsThatAreBehindUntilNoneIs(t *testing.T) {
	d := open(t)
	var all []ticket.Number
	for range 7 {
		all = append(all, d.taken(d.customer))
	}
	slices.Sort(all)
	waiting := d.submit(d.customer).Number // accepted before the transition; no step yet
	done := d.taken(d.customer)
	d.do(d.customer, desk.Request{Number: done, Verb: ticket.VerbWithdraw})
	d.declare(closedBy("Closed."))
	transition := d.awaitTransition()
	inside := d.submit(d.customer).Number // accepted inside: its first step knows by itself
	if p := d.checkFanout(transition); p.Open != 9 || p.Behind != 8 || p.Wrong != 0 || p.Passed {
		t.Errorf("before any ticket is notified: %+v", p)
	}
	var behind []ticket.Number
	for after := ticket.Number(""); ; {
		page, err := d.OpenBefore(t.Context(), transition.At, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		behind, after = append(behind, page...), page[len(page)-1]
	}
	if want := slices.Sorted(slices.Values(append(slices.Clone(all), waiting))); !slices.Equal(behind, want) {
		t.Errorf("pages %v, want %v", behind, want)
	}
	for _, n := range behind[:5] {
		d.step(ticket.StepRequest{Number: n, CatchUp: true})
	}
	left, err := d.StillBehind(t.Context(), transition.At, behind)
	if err != nil || !slices.Equal(slices.Sorted(slices.Values(left)), behind[5:]) {
		t.Errorf("still behind: %v, %v", left, err)
	}
	if f, ok, err := d.LatestFanout(t.Context()); err != nil || !ok || f.Total != 8 || f.Behind != 3 || !f.VerifiedAt.IsZero() {
		t.Errorf("on its way: %+v, %v", f, err)
	}
	for _, n := range behind[5:] {
		d.step(ticket.StepRequest{Number: n, CatchUp: true})
	}
	if p := d.checkFanout(transition); p.Left() != 0 || p.Passed {
		t.Errorf("when all have been notified: %+v", p)
	}
	if f, ok, err := d.MeasuredFanout(t.Context(), 8); err != nil || !ok || f.VerifiedAt.IsZero() || f.Rate() <= 0 || f.Transition != transition {
		t.Errorf("measured: %+v %v, %v", f, ok, err)
	}
	if _, ok, err := d.MeasuredFanout(t.Context(), 9); ok || err != nil {
		t.Errorf("measured by more tickets than there were: %v", err)
	}
	d.step(ticket.StepRequest{Number: inside, Command: 1})
	if p := d.checkFanout(transition); p.Left() != 0 {
		t.Errorf("a ticket accepted inside is not as the schedule wants it: %+v", p)
	}
}

func TestCheckFanout_findsATicketThatDisagreesWithTheSchedule(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.declare(closedBy("Closed."))
	transition := d.awaitTransition()
	d.step(ticket.StepRequest{Number: n, CatchUp: true})
	if p := d.checkFanout(transition); p.Left() != 0 {
		t.Fatalf("%+v", p)
	}
	d.sql(`UPDATE tickets SET paused_by = NULL`)
	if p := d.checkFanout(transition); p.Wrong != 1 || p.Left() != 1 || !slices.Equal(p.Late, []ticket.Number{n}) {
		t.Errorf("%+v", p)
	}
	if page, err := d.OpenBefore(t.Context(), transition.At, "", 10); err != nil || !slices.Equal(page, []ticket.Number{n}) {
		t.Errorf("to be notified again: %v, %v", page, err)
	}
	if f, _, err := d.LatestFanout(t.Context()); err != nil || !f.VerifiedAt.IsZero() {
		t.Errorf("it still counts as up to date: %+v, %v", f, err)
	}
}

func TestCheckFanout_isPassedOnceALaterTransitionIsReached(t *testing.T) {
	d := open(t)
	d.taken(d.customer)
	e := d.declare(closedBy("Closed."))
	first := d.awaitTransition()
	if _, err := app.EndEmergency(t.Context(), d, d.supervisor, e.ID); err != nil {
		t.Fatal(err)
	}
	if last := d.awaitTransition(); last.Verb != ticket.VerbEmergencyResume {
		t.Fatalf("reached %+v", last)
	}
	if p := d.checkFanout(first); !p.Passed {
		t.Errorf("%+v", p)
	}
}

func TestPendingScheduleRevision_untilItIsMarkedNotified(t *testing.T) {
	d := open(t)
	look := func(revision int64, pending bool) {
		t.Helper()
		if r, p, err := d.PendingScheduleRevision(t.Context()); r != revision || p != pending || err != nil {
			t.Errorf("revision %d, pending %v, %v; want %d, %v", r, p, err, revision, pending)
		}
	}
	look(0, false)
	e := d.declare(closedBy("Closed."))
	look(1, true)
	if err := d.MarkScheduleNotified(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	look(1, false)
	later := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	if _, err := app.ChangeEmergency(t.Context(), d, d.supervisor, e.ID, desk.EmergencyChange{Until: &later}); err != nil {
		t.Fatal(err)
	}
	if err := d.MarkScheduleNotified(t.Context(), 1); err != nil { // late, from another replica
		t.Fatal(err)
	}
	look(2, true)
	if err := d.MarkScheduleNotified(t.Context(), 3); err != nil { // never was
		t.Fatal(err)
	}
	look(2, true)
}
