package ticket_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// submittedWithMail returns a fixture whose requester gets mails.
func submittedWithMail(t *testing.T) *fixture {
	t.Helper()
	f := submitted(t, plainPolicy)
	f.mailed = true
	return f
}

// deliverAsking reports, at heard, that the mail that asks for an answer was delivered at since.
func (f *fixture) deliverAsking(since, heard float64) ticket.Result {
	f.t.Helper()
	return f.deliver(f.ticket.Asked, since, heard)
}

func (f *fixture) deliver(event int, since, heard float64) ticket.Result {
	f.t.Helper()
	r, err := ticket.RecordDelivery(f.ticket, f.desk(), 7, event, at(since), at(heard))
	if err != nil {
		f.t.Fatal(err)
	}
	f.add(r)
	return r
}

func (f *fixture) bounce(hours float64, event int) ticket.Result {
	f.t.Helper()
	r, err := ticket.RecordBounce(f.ticket, f.desk(), 7, event, at(hours))
	if err != nil {
		f.t.Fatal(err)
	}
	f.add(r)
	return r
}

func (f *fixture) wantNext(kind ticket.DueKind, hours float64) {
	f.t.Helper()
	if m, ok := ticket.Next(f.ticket, f.policy); !ok || m.Kind != kind || !m.Due.Equal(at(hours)) {
		f.t.Errorf("next is %+v, want %s at %gh", m, kind, hours)
	}
}

func (f *fixture) wantNothingNext() {
	f.t.Helper()
	if m, ok := ticket.Next(f.ticket, f.policy); ok {
		f.t.Errorf("next is %+v, want nothing", m)
	}
}

func TestSilence_startsAtTheDelivery(t *testing.T) {
	f := submittedWithMail(t)
	f.write(10, byAgent, ticket.VerbRequestInformation)
	f.advance(5000)
	f.wantNothingNext()
	if len(f.ticket.Resolution.Clock.Reasons()) != 1 || !f.ticket.AwaitsDelivery() {
		t.Errorf("the ticket is %+v", f.ticket)
	}
	f.deliverAsking(5001, 5002)
	f.advance(6000)
	wantEqual(t, "due events", automatic(f.events), []string{"question-delivered 5002", "nudged 5025"})
	f.deliverAsking(6001, 6001) // of the nudge: 24 of 72 hours had passed when it was owed
	f.advance(7000)
	wantEqual(t, "due events", automatic(f.events)[2:], []string{"question-delivered 6001", "resolved 6049"})
	f.deliverAsking(7001, 7001)
	f.advance(9000)
	wantEqual(t, "due events", automatic(f.events)[4:], []string{"question-delivered 7001", "closed 7049"})
}

func TestSilence_countsFromTheDeliveryHoweverLateItIsReported(t *testing.T) {
	ask := func(t *testing.T) *fixture {
		f := submittedWithMail(t)
		f.write(10, byAgent, ticket.VerbRequestInformation)
		return f
	}
	t.Run("doubled", func(t *testing.T) {
		f := ask(t)
		event := f.ticket.Asked
		f.deliver(event, 11, 12)
		if r := f.deliver(event, 13, 14); len(r.Events) > 0 {
			t.Errorf("heard again: %+v", r.Events)
		}
		f.wantNext(ticket.DueNudge, 35)
	})
	t.Run("late, nothing falls due in the past", func(t *testing.T) {
		f := ask(t)
		f.deliverAsking(11, 50)
		f.wantNext(ticket.DueNudge, 50)
	})
	t.Run("from the future", func(t *testing.T) {
		f := ask(t)
		f.deliverAsking(99, 12)
		f.wantNext(ticket.DueNudge, 36)
	})
	t.Run("of another event", func(t *testing.T) {
		f := ask(t)
		event := f.ticket.Asked
		f.write(20, byAgent, ticket.VerbProgressUpdate)
		f.deliver(event, 21, 21)
		f.wantNothingNext()
		f.deliverAsking(30, 30)
		f.wantNext(ticket.DueNudge, 54)
	})
	t.Run("after the answer", func(t *testing.T) {
		f := ask(t)
		event := f.ticket.Asked
		f.write(20, byCustomer, ticket.VerbCustomerReply)
		if r := f.deliver(event, 15, 21); len(r.Events) > 0 {
			t.Errorf("heard after the answer: %+v", r.Events)
		}
		wantZero(t, "silence", f.ticket.SilentSince)
	})
	t.Run("reopened and asked again", func(t *testing.T) {
		f := ask(t)
		event := f.ticket.Asked
		f.do(20, byAgent, ticket.VerbReopen)
		f.write(30, byAgent, ticket.VerbRequestInformation)
		f.deliver(event, 21, 31)
		f.wantNothingNext()
		f.deliverAsking(32, 32)
		f.wantNext(ticket.DueNudge, 56)
	})
	t.Run("under another policy", func(t *testing.T) {
		f := ask(t)
		short := parse(t, "time_zone: UTC\nclocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 900h, counts: calendar, pauses: [waiting]}}\nsilence: {resolve_after: 2h}\n")
		f.mustDecide(20, bySupervisor, ticket.Command{Verb: ticket.VerbAdoptPolicy, Policy: 2, Adopt: short})
		f.policy = short
		f.wantNothingNext()
		f.deliverAsking(30, 30)
		f.wantNext(ticket.DueResolve, 32)
	})
}

func TestSilence_excludesEmergencies(t *testing.T) {
	pause := ticket.Command{Verb: ticket.VerbEmergencyPause}
	resume := ticket.Command{Verb: ticket.VerbEmergencyResume}
	for name, c := range map[string]struct {
		since, heard float64
		nudge        float64
	}{
		"delivered before it":         {11, 12, 11 + 24 + 100},
		"heard of within it":          {11, 60, 11 + 24 + 100},
		"delivered within it":         {50, 60, 120 + 24},
		"heard of after it":           {11, 130, 120 + 24}, // never too early
		"delivered within, and after": {50, 130, 120 + 24},
		"delivered after it":          {125, 130, 125 + 24},
	} {
		t.Run(name, func(t *testing.T) {
			f := submittedWithMail(t)
			f.write(10, byAgent, ticket.VerbRequestInformation)
			ended := false
			end := func() {
				if !ended {
					f.mustDecide(120, bySupervisor, resume)
				}
				ended = true
			}
			if c.heard < 20 {
				f.deliverAsking(c.since, c.heard)
			}
			f.mustDecide(20, bySupervisor, pause)
			if c.heard > 120 {
				end()
			}
			if c.heard > 20 {
				f.deliverAsking(c.since, c.heard)
			}
			end()
			f.wantNext(ticket.DueNudge, c.nudge)
		})
	}
}

func TestBounce_handsTheTicketBack(t *testing.T) {
	for name, verb := range map[string]ticket.Verb{"a question": ticket.VerbRequestInformation, "a resolution": ticket.VerbResolve} {
		t.Run(name, func(t *testing.T) {
			f := submittedWithMail(t)
			f.write(10, byAgent, verb)
			was := f.ticket.Status
			r := f.bounce(60, f.ticket.Asked)
			wantEqual(t, "events", kinds(r.Events), []ticket.EventKind{ticket.EventMailBounced, ticket.EventHandedBack})
			wantEqual(t, "mails", mailLines(r.Mails), []string{"undelivered to P-AGENTONE"})
			wantZero(t, "the resolution", f.ticket.Resolution.MetAt)
			f.wantDue(policy.Resolution, 250)
			if f.ticket.Status != ticket.StatusOpen || f.ticket.BeforeBounce.Status != was {
				t.Errorf("the ticket is %s, and was %+v", f.ticket.Status, f.ticket.BeforeBounce)
			}
			if r := f.bounce(61, f.ticket.Asked); len(r.Events) != 1 {
				t.Errorf("another bounce came to %v", kinds(r.Events))
			}
		})
	}
	t.Run("no one's", func(t *testing.T) {
		f := submittedWithMail(t)
		f.do(10, byOperator, ticket.VerbResolve)
		wantEqual(t, "mails", mailLines(f.bounce(60, f.ticket.Asked).Mails), []string{"undelivered to supervisors"})
	})
	t.Run("refused late", func(t *testing.T) {
		f := submittedWithMail(t)
		f.write(10, byAgent, ticket.VerbRequestInformation)
		event := f.ticket.Asked
		f.deliverAsking(11, 11)
		f.advance(40)
		f.bounce(40, event) // of the question, while the nudge is owed
		if f.ticket.Status != ticket.StatusOpen {
			t.Errorf("the ticket is %s", f.ticket.Status)
		}
	})
	t.Run("after the answer", func(t *testing.T) {
		f := submittedWithMail(t)
		f.write(10, byAgent, ticket.VerbRequestInformation)
		event := f.ticket.Asked
		f.write(20, byCustomer, ticket.VerbCustomerReply)
		f.write(30, byAgent, ticket.VerbRequestInformation)
		if r := f.bounce(40, event); len(r.Events) != 1 || f.ticket.Status != ticket.StatusWaiting {
			t.Errorf("it came to %v, and the ticket is %s", kinds(r.Events), f.ticket.Status)
		}
	})
}

func TestBounce_comesAfterAnEarlierBreach(t *testing.T) {
	f := submitted(t, "time_zone: UTC\nclocks: {first_response: {target: 9h, counts: calendar}, resolution: {target: 50h, counts: calendar}}\nsilence: {resolve_after: 72h}\n")
	f.mailed = true
	f.write(1, byAgent, ticket.VerbRequestInformation)
	f.bounce(60, f.ticket.Asked)
	wantEqual(t, "due events", automatic(f.events), []string{"breached resolution 50", "mail-bounced 60", "handed-back 60"})
}

func TestResend_restoresTheStatusBeforeTheBounce(t *testing.T) {
	for name, verb := range map[string]ticket.Verb{"a question": ticket.VerbRequestInformation, "a resolution": ticket.VerbResolve} {
		t.Run(name, func(t *testing.T) {
			f := submittedWithMail(t)
			f.write(10, byAgent, verb)
			was, cause := f.ticket.Status, f.ticket.Cause
			event := f.ticket.Asked
			f.bounce(20, event)
			again := ticket.Command{Verb: ticket.VerbResend, Resend: &ticket.BouncedMail{Mail: 7, Kind: ticket.MailResolution, Person: customer, Event: event, Bounced: true}}
			r := f.mustDecide(30, byOtherAgent, again)
			if f.ticket.Status != was || f.ticket.Cause != cause || !f.ticket.AwaitsDelivery() || f.ticket.Resolution.MetAt.IsZero() != (was == ticket.StatusWaiting) {
				t.Errorf("sent again, the ticket is %+v", f.ticket)
			}
			if m := r.Mails[0]; len(r.Mails) != 1 || !m.Asks || m.Resends != 7 || m.Event != f.ticket.Events {
				t.Errorf("owed %+v", r.Mails)
			}
			f.wantNothingNext()
			f.bounce(31, event) // reported again: another mail asks now
			f.deliverAsking(40, 40)
			f.wantNext(map[ticket.Status]ticket.DueKind{ticket.StatusWaiting: ticket.DueNudge, ticket.StatusResolved: ticket.DueClose}[was],
				map[ticket.Status]float64{ticket.StatusWaiting: 64, ticket.StatusResolved: 88}[was])
		})
	}
	t.Run("not after the requester wrote", func(t *testing.T) {
		f := submittedWithMail(t)
		f.write(10, byAgent, ticket.VerbRequestInformation)
		event := f.ticket.Asked
		f.bounce(20, event)
		f.write(25, byCustomer, ticket.VerbCustomerReply)
		r := f.mustDecide(30, byAgent, ticket.Command{Verb: ticket.VerbResend, Resend: &ticket.BouncedMail{Mail: 7, Person: customer, Event: event, Bounced: true}})
		if f.ticket.Status != ticket.StatusOpen || r.Mails[0].Asks {
			t.Errorf("the ticket is %s, owed %+v", f.ticket.Status, r.Mails)
		}
	})
}

func TestResend_refusals(t *testing.T) {
	bounced := ticket.BouncedMail{Mail: 7, Kind: ticket.MailReceipt, Person: customer, Bounced: true}
	owed, resent := bounced, bounced
	owed.Bounced, resent.Resent = false, true
	for code, c := range map[string]struct {
		mail     *ticket.BouncedMail
		disabled bool
	}{
		ticket.CodeNoMail: {}, ticket.CodeNotBounced: {mail: &owed}, ticket.CodeResent: {mail: &resent}, ticket.CodeRequesterDisabled: {mail: &bounced, disabled: true},
	} {
		f := submittedWithMail(t)
		f.mailed = !c.disabled
		if r := f.decide(3, byAgent, ticket.Command{Verb: ticket.VerbResend, Resend: c.mail}); r.Outcome.Code != code || len(r.Mails) > 0 {
			t.Errorf("%+v, want %s", r.Outcome, code)
		}
	}
}

// As events did before they recorded whether their mails ask for an answer.
func TestSilence_eventsWithoutAMailCountFromThemselves(t *testing.T) {
	before := ticket.Draft(number, customer, 1, parse(t, plainPolicy))
	asked := ticket.Apply(before, ticket.Event{N: 1, Kind: ticket.EventInformationRequested, Status: ticket.StatusWaiting, Answers: true, At: at(1)})
	nudged := ticket.Apply(asked, ticket.Event{N: 2, Kind: ticket.EventNudged, At: at(25)})
	until, ok := nudged.SilentUntil(72 * time.Hour)
	if asked.AwaitsDelivery() || nudged.AwaitsDelivery() || !ok || !until.Equal(at(73)) {
		t.Errorf("silent until %s, %v: %+v", until, ok, nudged)
	}
}
