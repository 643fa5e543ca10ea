package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// lastMail returns a ticket's newest mail of a kind.
func (d *fixture) lastMail(n ticket.Number, kind ticket.MailKind) desk.MailData {
	d.t.Helper()
	return d.mailData(n, one[int](d, `SELECT max(n) FROM deliveries WHERE ticket = $1 AND kind = $2`, n, kind))
}

// checkDates checks the dates in a mail's data.
func checkDates(t *testing.T, l desk.MailData, first, firstLate, resolution, resolutionLate time.Time) {
	t.Helper()
	for what, c := range map[string][2]time.Time{
		"first answer": {l.FirstResponseDue, first}, "first answer late": {l.FirstResponseLate, firstLate},
		"resolution": {l.ResolutionDue, resolution}, "resolution late": {l.ResolutionLate, resolutionLate},
	} {
		if !c[0].Equal(c[1]) {
			t.Errorf("%s to %s: %s is %s, want %s", l.Kind, l.To.Name, what, c[0], c[1])
		}
	}
}

// submittedAgo submits a ticket as of some time ago, and takes its first step.
func (d *fixture) submittedAgo(ago time.Duration) (ticket.Number, time.Time) {
	d.t.Helper()
	a := d.submit(d.customer)
	d.redate(a, a.At.Add(-ago))
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	return a.Number, a.At.Add(-ago)
}

// TestMailData_namesTheEarlierDateToTheRequester under a policy that counts the first response to a later date.
func TestMailData_namesTheEarlierDateToTheRequester(t *testing.T) {
	d := open(t)
	a := d.submit(d.customer)
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	d.do(d.supervisor, desk.Request{Number: a.Number, Verb: ticket.VerbAssign, Agent: string(d.agent.ID)})
	none, resolution := time.Time{}, a.At.Add(240*time.Hour)
	checkDates(t, d.lastMail(a.Number, ticket.MailReceipt), resolution, none, resolution, none)
	checkDates(t, d.lastMail(a.Number, ticket.MailAssignment), resolution, none, resolution, none)
	if l := d.lastMail(a.Number, ticket.MailAssigned); !l.FirstResponseDue.After(l.ResolutionDue) || !l.ResolutionDue.Equal(resolution) {
		t.Errorf("the agent reads %s and %s", l.FirstResponseDue, l.ResolutionDue)
	}
}

// TestMailData_saysThatWeAreLate with the date that was promised, whatever happened to the ticket since.
func TestMailData_saysThatWeAreLate(t *testing.T) {
	d := openUnder(t, quick)
	n, at := d.submittedAgo(2 * time.Hour) // the first answer was due an hour ago
	none, first, resolution := time.Time{}, at.Add(time.Hour), at.Add(4*time.Hour)
	checkDates(t, d.lastMail(n, ticket.MailReceipt), none, first, resolution, none) // sent two hours late

	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbProgressUpdate, Body: "Soon."})
	checkDates(t, d.lastMail(n, ticket.MailProgress), none, first, resolution, none)

	laxer := d.publish(strings.Replace(quick, "target: 4h", "target: 10h", 1))
	d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "run/1", Verb: ticket.VerbAdoptPolicy, Policy: laxer}}})
	checkDates(t, d.lastMail(n, ticket.MailPolicyChange), none, first, at.Add(10*time.Hour), none)

	stricter := d.publish(strings.Replace(quick, "target: 4h", "target: 90m", 1))
	d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "run/2", Verb: ticket.VerbAdoptPolicy, Policy: stricter}}})
	l := d.lastMail(n, ticket.MailPolicyChange)
	checkDates(t, l, none, first, l.At, none) // due by the move: the mail says that it is due at once

	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Here it is."})
	checkDates(t, d.lastMail(n, ticket.MailReply), none, none, none, l.At)
	checkDates(t, d.lastMail(n, ticket.MailReceipt), none, none, resolution, none) // the first response has been given since
}

// TestMailData_namesNoDateWhileTheDeskIsClosed, also in a mail that became due before.
func TestMailData_namesNoDateWhileTheDeskIsClosed(t *testing.T) {
	d := openUnder(t, quick)
	n, at := d.submittedAgo(10 * time.Minute)
	var none time.Time
	checkDates(t, d.lastMail(n, ticket.MailReceipt), at.Add(time.Hour), none, at.Add(4*time.Hour), none)
	e := d.begun(d.declare(closedBy("The river is in our hall.")), 5*time.Minute)
	receipt := d.lastMail(n, ticket.MailReceipt)
	checkDates(t, receipt, none, none, none, none)
	if !receipt.Expected.FirstResponse.IsZero() {
		t.Errorf("expected by %s, though no end is known", receipt.Expected.FirstResponse)
	}
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	if _, err := app.ChangeEmergency(t.Context(), d, d.supervisor, e.ID, desk.EmergencyChange{Until: &until}); err != nil {
		t.Fatal(err)
	}
	receipt = d.lastMail(n, ticket.MailReceipt)
	checkDates(t, receipt, none, none, none, none)
	stood := until.Sub(e.From)
	if first := receipt.Expected.FirstResponse; !first.Equal(at.Add(time.Hour + stood)) {
		t.Errorf("expected by %s, want %s", first, at.Add(time.Hour+stood))
	}
}

// TestMailData_namesTheDatesOnceTheDeskIsOpenAgain, also in a mail that became due while it was closed.
func TestMailData_namesTheDatesOnceTheDeskIsOpenAgain(t *testing.T) {
	d := openUnder(t, quick)
	e := d.begun(d.declare(closedBy("The river is in our hall.")), 20*time.Minute)
	n, _ := d.submittedAgo(10 * time.Minute)
	var none time.Time
	checkDates(t, d.lastMail(n, ticket.MailReceipt), none, none, none, none)
	if _, err := app.EndEmergency(t.Context(), d, d.supervisor, e.ID); err != nil {
		t.Fatal(err)
	}
	d.sql(`UPDATE emergencies SET ends_at = ends_at - interval '3 seconds' WHERE id = $1`, e.ID)
	over := one[time.Time](d, `SELECT ends_at FROM emergencies WHERE id = $1`, e.ID)
	checkDates(t, d.lastMail(n, ticket.MailReceipt), over.Add(time.Hour), none, over.Add(4*time.Hour), none)
}

// TestMailData_isNotLateOnceADelayHasMovedTheDate, however long ago the first one passed, until the new one has too.
func TestMailData_isNotLateOnceADelayHasMovedTheDate(t *testing.T) {
	d := openUnder(t, quick)
	n, at := d.submittedAgo(90 * time.Minute)
	d.begun(d.declare(desk.EmergencyPlan{Kind: ticket.EmergencyDelayed, By: 10 * time.Hour, Notice: "Slow."}), 65*time.Minute)
	var none time.Time
	checkDates(t, d.lastMail(n, ticket.MailReceipt), at.Add(11*time.Hour), none, at.Add(14*time.Hour), none)
	d.step(ticket.StepRequest{Number: n, CatchUp: true})
	checkDates(t, d.lastMail(n, ticket.MailReceipt), at.Add(11*time.Hour), none, at.Add(14*time.Hour), none)
}

// TestMailData_isNotLateWhileTheRequesterIsAsked: the clock is paused. Once they have answered it has a later date.
func TestMailData_isNotLateWhileTheRequesterIsAsked(t *testing.T) {
	d := openUnder(t, quick)
	n, at := d.submittedAgo(5 * time.Hour)
	asked := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbRequestInformation, Body: "Which one?"})
	d.redate(asked, at.Add(10*time.Minute))
	d.step(ticket.StepRequest{Number: n, Command: asked.Seq})
	var none time.Time
	checkDates(t, d.lastMail(n, ticket.MailReceipt), none, none, none, none)
	after := d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "The red one."})
	due, runs := after.State.Ticket.Resolution.Due()
	if !runs || !due.After(time.Now()) {
		t.Fatalf("due %s, %t", due, runs)
	}
	checkDates(t, d.lastMail(n, ticket.MailReceipt), none, none, due, none)
}
