package ticket_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mailed is a life whose requester is owed mails.
func mailed(t *testing.T) *life {
	t.Helper()
	l := submitted(t, plain)
	l.mailed = true
	return l
}

// delivered has the mail of the event that asks now taken by a server at an instant, of which the ticket hears later.
func (l *life) delivered(since, heard float64) ticket.Result {
	l.t.Helper()
	return l.news(l.ticket.Asked, since, heard)
}

func (l *life) news(event int, since, heard float64) ticket.Result {
	l.t.Helper()
	r, err := ticket.Deliver(l.ticket, l.desk(), 7, event, at(since), at(heard))
	if err != nil {
		l.t.Fatal(err)
	}
	l.keep(r)
	return r
}

func (l *life) bounces(hours float64, event int) ticket.Result {
	l.t.Helper()
	r, err := ticket.Bounce(l.ticket, l.desk(), 7, event, at(hours))
	if err != nil {
		l.t.Fatal(err)
	}
	l.keep(r)
	return r
}

func (l *life) next(kind ticket.MomentKind, hours float64) {
	l.t.Helper()
	if m, ok := ticket.Next(l.ticket, l.policy); !ok || m.Kind != kind || !m.Due.Equal(at(hours)) {
		l.t.Errorf("next is %+v, want %s at %gh", m, kind, hours)
	}
}

func (l *life) nothingNext() {
	l.t.Helper()
	if m, ok := ticket.Next(l.ticket, l.policy); ok {
		l.t.Errorf("next is %+v, want nothing", m)
	}
}

func TestAsking_nothingFallsDueWhileTheMailIsOwed(t *testing.T) {
	l := mailed(t)
	l.says(10, byAgent, ticket.VerbRequestInformation)
	l.until(5000)
	l.nothingNext()
	if len(l.ticket.Resolution.Clock.Reasons()) != 1 || !l.ticket.Unheard() {
		t.Errorf("the ticket is %+v", l.ticket)
	}
	l.delivered(5001, 5002)
	l.until(6000)
	same(t, "moments", moments(l.events), []string{"question-delivered 5002", "nudged 5025"})
	l.delivered(6001, 6001) // the nudge's: 24 of 72 hours were over when it was owed
	l.until(7000)
	same(t, "moments", moments(l.events)[2:], []string{"question-delivered 6001", "resolved 6049"})
	l.delivered(7001, 7001)
	l.until(9000)
	same(t, "moments", moments(l.events)[4:], []string{"question-delivered 7001", "closed 7049"})
}

func TestAsking_countsFromTheServersYesHoweverItIsLearned(t *testing.T) {
	ask := func(t *testing.T) *life {
		l := mailed(t)
		l.says(10, byAgent, ticket.VerbRequestInformation)
		return l
	}
	t.Run("doubled", func(t *testing.T) {
		l := ask(t)
		event := l.ticket.Asked
		l.news(event, 11, 12)
		if r := l.news(event, 13, 14); len(r.Events) > 0 {
			t.Errorf("heard again: %+v", r.Events)
		}
		l.next(ticket.MomentNudge, 35)
	})
	t.Run("late, nothing falls due in the past", func(t *testing.T) {
		l := ask(t)
		l.delivered(11, 50)
		l.next(ticket.MomentNudge, 50)
	})
	t.Run("from the future", func(t *testing.T) {
		l := ask(t)
		l.delivered(99, 12)
		l.next(ticket.MomentNudge, 36)
	})
	t.Run("of another event", func(t *testing.T) {
		l := ask(t)
		event := l.ticket.Asked
		l.says(20, byAgent, ticket.VerbProgressUpdate)
		l.news(event, 21, 21)
		l.nothingNext()
		l.delivered(30, 30)
		l.next(ticket.MomentNudge, 54)
	})
	t.Run("after the answer", func(t *testing.T) {
		l := ask(t)
		event := l.ticket.Asked
		l.says(20, byCustomer, ticket.VerbCustomerReply)
		if r := l.news(event, 15, 21); len(r.Events) > 0 {
			t.Errorf("heard after the answer: %+v", r.Events)
		}
		never(t, "silence", l.ticket.SilentSince)
	})
	t.Run("reopened and asked again", func(t *testing.T) {
		l := ask(t)
		event := l.ticket.Asked
		l.does(20, byAgent, ticket.VerbReopen)
		l.says(30, byAgent, ticket.VerbRequestInformation)
		l.news(event, 21, 31)
		l.nothingNext()
		l.delivered(32, 32)
		l.next(ticket.MomentNudge, 56)
	})
	t.Run("under another policy", func(t *testing.T) {
		l := ask(t)
		short := parse(t, "time_zone: UTC\nclocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 900h, counts: calendar, pauses: [waiting]}}\nsilence: {resolve_after: 2h}\n")
		l.granted(20, bySupervisor, ticket.Command{Verb: ticket.VerbAdoptPolicy, Policy: 2, Adopt: short})
		l.policy = short
		l.nothingNext()
		l.delivered(30, 30)
		l.next(ticket.MomentResolve, 32)
	})
}

func TestAsking_inAnEmergency(t *testing.T) {
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
			l := mailed(t)
			l.says(10, byAgent, ticket.VerbRequestInformation)
			ended := false
			end := func() {
				if !ended {
					l.granted(120, bySupervisor, resume)
				}
				ended = true
			}
			if c.heard < 20 {
				l.delivered(c.since, c.heard)
			}
			l.granted(20, bySupervisor, pause)
			if c.heard > 120 {
				end()
			}
			if c.heard > 20 {
				l.delivered(c.since, c.heard)
			}
			end()
			l.next(ticket.MomentNudge, c.nudge)
		})
	}
}

func TestAsking_aBounceHandsTheTicketBack(t *testing.T) {
	for name, verb := range map[string]ticket.Verb{"a question": ticket.VerbRequestInformation, "a resolution": ticket.VerbResolve} {
		t.Run(name, func(t *testing.T) {
			l := mailed(t)
			l.says(10, byAgent, verb)
			was := l.ticket.Status
			r := l.bounces(60, l.ticket.Asked)
			same(t, "events", kinds(r.Events), []ticket.EventKind{ticket.EventMailBounced, ticket.EventHandedBack})
			same(t, "mails", owed(r.Mails), []string{"undelivered to P-AGENTONE"})
			never(t, "the resolution", l.ticket.Resolution.MetAt)
			l.due(policy.Resolution, 250)
			if l.ticket.Status != ticket.StatusOpen || l.ticket.Returned.Status != was {
				t.Errorf("the ticket is %s, and was %+v", l.ticket.Status, l.ticket.Returned)
			}
			if r := l.bounces(61, l.ticket.Asked); len(r.Events) != 1 {
				t.Errorf("another bounce came to %v", kinds(r.Events))
			}
		})
	}
	t.Run("nobody's", func(t *testing.T) {
		l := mailed(t)
		l.does(10, byHand, ticket.VerbResolve)
		same(t, "mails", owed(l.bounces(60, l.ticket.Asked).Mails), []string{"undelivered to supervisors"})
	})
	t.Run("refused late", func(t *testing.T) {
		l := mailed(t)
		l.says(10, byAgent, ticket.VerbRequestInformation)
		event := l.ticket.Asked
		l.delivered(11, 11)
		l.until(40)
		l.bounces(40, event) // of the question, while the nudge is owed
		if l.ticket.Status != ticket.StatusOpen {
			t.Errorf("the ticket is %s", l.ticket.Status)
		}
	})
	t.Run("after the answer", func(t *testing.T) {
		l := mailed(t)
		l.says(10, byAgent, ticket.VerbRequestInformation)
		event := l.ticket.Asked
		l.says(20, byCustomer, ticket.VerbCustomerReply)
		l.says(30, byAgent, ticket.VerbRequestInformation)
		if r := l.bounces(40, event); len(r.Events) != 1 || l.ticket.Status != ticket.StatusWaiting {
			t.Errorf("it came to %v, and the ticket is %s", kinds(r.Events), l.ticket.Status)
		}
	})
}

// TestAsking_aBreachThatWasDueComesBeforeTheBounce: nothing is told out of order.
func TestAsking_aBreachThatWasDueComesBeforeTheBounce(t *testing.T) {
	l := submitted(t, "time_zone: UTC\nclocks: {first_response: {target: 9h, counts: calendar}, resolution: {target: 50h, counts: calendar}}\nsilence: {resolve_after: 72h}\n")
	l.mailed = true
	l.says(1, byAgent, ticket.VerbRequestInformation)
	l.bounces(60, l.ticket.Asked)
	same(t, "moments", moments(l.events), []string{"breached resolution 50", "mail-bounced 60", "handed-back 60"})
}

func TestResend_makesATicketWhatItsBounceEnded(t *testing.T) {
	for name, verb := range map[string]ticket.Verb{"a question": ticket.VerbRequestInformation, "a resolution": ticket.VerbResolve} {
		t.Run(name, func(t *testing.T) {
			l := mailed(t)
			l.says(10, byAgent, verb)
			was, cause := l.ticket.Status, l.ticket.Cause
			event := l.ticket.Asked
			l.bounces(20, event)
			again := ticket.Command{Verb: ticket.VerbResend, Resend: &ticket.Undelivered{Mail: 7, Kind: ticket.MailResolution, Person: customer, Event: event, Bounced: true}}
			r := l.granted(30, byOtherAgent, again)
			if l.ticket.Status != was || l.ticket.Cause != cause || !l.ticket.Unheard() || l.ticket.Resolution.MetAt.IsZero() != (was == ticket.StatusWaiting) {
				t.Errorf("sent again, the ticket is %+v", l.ticket)
			}
			if m := r.Mails[0]; len(r.Mails) != 1 || !m.Asks || m.Resends != 7 || m.Event != l.ticket.Events {
				t.Errorf("owed %+v", r.Mails)
			}
			l.nothingNext()
			l.bounces(31, event) // told again: another mail asks now
			l.delivered(40, 40)
			l.next(map[ticket.Status]ticket.MomentKind{ticket.StatusWaiting: ticket.MomentNudge, ticket.StatusResolved: ticket.MomentClose}[was],
				map[ticket.Status]float64{ticket.StatusWaiting: 64, ticket.StatusResolved: 88}[was])
		})
	}
	t.Run("not after the requester wrote", func(t *testing.T) {
		l := mailed(t)
		l.says(10, byAgent, ticket.VerbRequestInformation)
		event := l.ticket.Asked
		l.bounces(20, event)
		l.says(25, byCustomer, ticket.VerbCustomerReply)
		r := l.granted(30, byAgent, ticket.Command{Verb: ticket.VerbResend, Resend: &ticket.Undelivered{Mail: 7, Person: customer, Event: event, Bounced: true}})
		if l.ticket.Status != ticket.StatusOpen || r.Mails[0].Asks {
			t.Errorf("the ticket is %s, owed %+v", l.ticket.Status, r.Mails)
		}
	})
}

func TestResend_refusals(t *testing.T) {
	bounced := ticket.Undelivered{Mail: 7, Kind: ticket.MailReceipt, Person: customer, Bounced: true}
	owed, resent := bounced, bounced
	owed.Bounced, resent.Resent = false, true
	for code, c := range map[string]struct {
		mail     *ticket.Undelivered
		disabled bool
	}{
		ticket.CodeNoMail: {}, ticket.CodeNotBounced: {mail: &owed}, ticket.CodeResent: {mail: &resent}, ticket.CodeUnmailed: {mail: &bounced, disabled: true},
	} {
		l := mailed(t)
		l.mailed = !c.disabled
		if r := l.take(3, byAgent, ticket.Command{Verb: ticket.VerbResend, Resend: c.mail}); r.Outcome.Code != code || len(r.Mails) > 0 {
			t.Errorf("%+v, want %s", r.Outcome, code)
		}
	}
}

// TestAsking_eventsOfOldFoldAsTheyDid: those that say nothing of a mail let silence count from themselves.
func TestAsking_eventsOfOldFoldAsTheyDid(t *testing.T) {
	before := ticket.Draft(number, customer, 1, parse(t, plain))
	asked := ticket.Apply(before, ticket.Event{N: 1, Kind: ticket.EventInformationRequested, Status: ticket.StatusWaiting, Answers: true, At: at(1)})
	nudged := ticket.Apply(asked, ticket.Event{N: 2, Kind: ticket.EventNudged, At: at(25)})
	until, ok := nudged.SilentUntil(72 * time.Hour)
	if asked.Unheard() || nudged.Unheard() || !ok || !until.Equal(at(73)) {
		t.Errorf("silent until %s, %v: %+v", until, ok, nudged)
	}
}
