package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

func TestEmergency_beginsAndEndsByItselfAsPlanned(t *testing.T) {
	h := newEmergencyFixture(t, 9)
	h.declareAt(30*time.Minute, closure(flood, 2*h1, 5*h1))
	next := h.run(workflows.EmergencyStart{}, 8*h1)
	h.checkTickets("2h0m0s emergency-pause", "5h0m0s emergency-resume")
	if next.Fanout.DoneAt.IsZero() || next.Fanout.Transition.Verb != ticket.VerbEmergencyResume || next.Fanout.Total != 9 {
		t.Errorf("at last: %+v", next.Fanout)
	}
	if h.barriers < 4 {
		t.Errorf("%d barriers before two transitions' proofs", h.barriers)
	}
}

// h1 is an hour; h is a fixture here.
const h1 = time.Hour

func TestEmergency_followsEveryChangeOfPlan(t *testing.T) {
	for name, c := range map[string]struct {
		plan func(*emergencyFixture)
		want []string
	}{
		"extended": {func(h *emergencyFixture) {
			h.declareAt(0, closure(flood, h1, 3*h1))
			h.declareAt(2*h1, closure(flood, h1, 6*h1))
		}, []string{"1h0m0s emergency-pause", "6h0m0s emergency-resume"}},
		"shortened": {func(h *emergencyFixture) {
			h.declareAt(0, closure(flood, h1, 6*h1))
			h.declareAt(2*h1, closure(flood, h1, 3*h1))
		}, []string{"1h0m0s emergency-pause", "3h0m0s emergency-resume"}},
		"lifted": {func(h *emergencyFixture) {
			h.declareAt(0, closure(flood, h1, 0))
			h.declareAt(2*h1, closure(flood, h1, 2*h1+time.Second))
		}, []string{"1h0m0s emergency-pause", "2h0m1s emergency-resume"}},
		"cancelled": {func(h *emergencyFixture) {
			h.declareAt(0, closure(flood, 3*h1, 4*h1))
			h.declareAt(2 * h1)
		}, nil},
		"moved to earlier": {func(h *emergencyFixture) {
			h.declareAt(0, closure(flood, 5*h1, 7*h1))
			h.declareAt(h1, closure(flood, 2*h1, 7*h1))
		}, []string{"2h0m0s emergency-pause", "7h0m0s emergency-resume"}},
		"another delay": {func(h *emergencyFixture) {
			first := ticket.Delay{From: begin.Add(h1), By: h1}
			h.declareAt(0, delay(flood, h1, first))
			h.declareAt(3*h1, delay(flood, h1, first, ticket.Delay{From: begin.Add(3*h1 + time.Second), By: 2 * h1}))
		}, []string{"1h0m0s emergency-extend", "3h0m1s emergency-extend"}},
		"one after the other": {func(h *emergencyFixture) {
			h.declareAt(0, closure(flood, h1, 2*h1), closure(strike, 3*h1, 4*h1))
		}, []string{"1h0m0s emergency-pause", "2h0m0s emergency-resume", "3h0m0s emergency-pause", "4h0m0s emergency-resume"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newEmergencyFixture(t, 6)
			c.plan(h)
			next := h.run(workflows.EmergencyStart{}, 9*h1)
			h.checkTickets(c.want...)
			if next.Fanout.DoneAt.IsZero() != (c.want == nil) {
				t.Errorf("at last: %+v", next.Fanout)
			}
		})
	}
}

// A ticket notified of the older transition is notified again of the newer, and no ticket of the older any more.
func TestEmergency_theNewestTransitionWinsAndSkipsNoTicket(t *testing.T) {
	h := newEmergencyFixture(t, 40)
	h.parts.Slice = time.Nanosecond // a page each
	h.set(begin)
	changed := false
	h.onNotify = func(n ticket.Number) {
		if n == ticketNumber(9) && !changed {
			changed = true
			h.change(closure(flood, h1, h1+time.Minute))
			h.behind = -2 * time.Minute // the second transition has come while tickets were notified of the first
			h.env.SignalWorkflow(workflows.ScheduleSignal, nil)
		}
	}
	h.declareAt(0, closure(flood, h1, 0))
	next := h.run(workflows.EmergencyStart{}, 2*h1)
	for n, at := range h.takenUp {
		if at.Before(begin.Add(h1 + time.Minute)) {
			t.Errorf("%s is left behind at %s", n, at)
		}
	}
	pauses := slices.DeleteFunc(slices.Clone(h.notified), func(l string) bool { return !strings.Contains(l, "emergency-pause") })
	if len(pauses) > 20 || len(pauses) == 0 {
		t.Errorf("%d tickets of 40 were notified of the transition that was past", len(pauses))
	}
	if next.Fanout.Transition.Verb != ticket.VerbEmergencyResume || next.Fanout.DoneAt.IsZero() {
		t.Errorf("at last: %+v", next.Fanout)
	}
}

func TestEmergency_notifiesLateTicketsAgainWithGrowingPausesUntilNoneIsLate(t *testing.T) {
	h := newEmergencyFixture(t, 10)
	h.ignoring[ticketNumber(3)], h.ignoring[ticketNumber(7)] = 4, 1
	h.declareAt(0, closure(flood, h1, 0))
	var unverified workflows.EmergencyReport
	h.at(h1+2*time.Second, func() { unverified = h.report() })
	next := h.run(workflows.EmergencyStart{}, 2*h1)
	again := slices.DeleteFunc(slices.Clone(h.notified), func(l string) bool { return strings.HasPrefix(l, "1h0m0s ") })
	equal(t, "notified again", again, []string{
		"1h0m1s emergency-pause HM-0000000003", "1h0m1s emergency-pause HM-0000000007", "1h0m3s emergency-pause HM-0000000003",
		"1h0m7s emergency-pause HM-0000000003", "1h0m15s emergency-pause HM-0000000003",
	})
	if f := unverified.Fanout; !f.DoneAt.IsZero() || f.Check.Behind != 1 || f.RetryAt.IsZero() {
		t.Errorf("while one was behind: %+v", f)
	}
	if f := next.Fanout; f.DoneAt.IsZero() || f.Check.Behind != 0 || f.Total != 10 || f.Notified != 15 {
		t.Errorf("at last: %+v", f)
	}
	if n := len(h.announceRequests); n == 0 || h.announceRequests[n-1].CheckedAt.Before(begin.Add(h1)) || h.announceRequests[n-1].Revision != 1 {
		t.Errorf("announced: %+v", h.announceRequests)
	}
}

// What is announced has happened: no one hears of an emergency that their tickets do not know of. After two minutes it
// is announced to the others, and it is said which tickets are behind.
func TestEmergency_announcesItToTheOthersWhenATicketStaysBehind(t *testing.T) {
	h := newEmergencyFixture(t, 3)
	h.ignoring[ticketNumber(1)] = 12
	h.declareAt(0, closure(flood, h1, 0))
	later := closure(flood, h1, 0)
	later.Until = begin.Add(20 * h1)
	h.declareAt(h1+20*time.Minute, later) // another end, and no other transition yet
	var early, late string
	var report workflows.EmergencyReport
	h.at(h1+time.Minute, func() { early = h.details() })
	h.at(h1+3*time.Minute, func() { late, report = h.details(), h.report() })
	next := h.run(workflows.EmergencyStart{}, 3*h1)
	var parts []string
	verified := false
	for i, r := range h.announceRequests {
		switch {
		case r.CheckedAt.Before(begin.Add(h1)):
		case r.Partial:
			parts = append(parts, h.announced[i].Truncate(time.Second).String())
		default:
			verified = true
		}
		if verified && r.Partial {
			t.Errorf("it is announced to some when all are right: %+v", h.announceRequests)
		}
	}
	equal(t, "announced to some at", parts, []string{"1h2m0s", "1h4m0s", "1h8m0s", "1h16m0s", "1h20m0s", "1h22m0s", "1h26m0s", "1h34m0s"})
	if !verified || next.Fanout.DoneAt.IsZero() {
		t.Errorf("announced %+v at %s; at last: %+v", h.announceRequests, h.announced, next.Fanout)
	}
	if strings.Contains(early, string(ticketNumber(1))) || !strings.Contains(late, "not up to date: "+string(ticketNumber(1))+";") || !strings.Contains(late, "7 held until") {
		t.Errorf("the card after a minute:\n%s\nafter three:\n%s", early, late)
	}
	if got := report.Fanout.Check.Late; !slices.Equal(got, []ticket.Number{ticketNumber(1)}) {
		t.Errorf("the query names %v", got)
	}
	if next.Announcements.Held != 0 {
		t.Errorf("mails are held back still: %+v", next.Announcements)
	}
}

func TestEmergency_aTicketThatNeverTakesItUpIsNotifiedSeldom(t *testing.T) {
	h := newEmergencyFixture(t, 3)
	h.ignoring[ticketNumber(1)] = 1 << 20
	h.declareAt(0, closure(flood, h1, 0))
	h.run(workflows.EmergencyStart{}, 10*h1)
	if n := len(h.notified); n > 100 {
		t.Errorf("it was notified %d times within nine hours", n)
	}
	if n := len(h.announceRequests); n > 70 {
		t.Errorf("%d announcements within nine hours", n)
	}
}

func TestEmergency_goesOnAsNewInTheMiddleOfAFanoutWithEverything(t *testing.T) {
	h := newEmergencyFixture(t, 30)
	h.parts.Slice = time.Nanosecond
	h.set(begin)
	h.onNotify = func(n ticket.Number) {
		if n == ticketNumber(9) {
			h.env.SetContinueAsNewSuggested(true)
			h.env.SignalWorkflow("lift", map[string]any{})
			h.env.SignalWorkflow("lift", map[string]any{})
		}
	}
	h.declareAt(0, closure(flood, h1, 0))
	next := h.run(workflows.EmergencyStart{}, 3*h1)
	if f := next.Fanout; f.After != ticketNumber(11) || f.Notified != 12 || f.Total != 30 || !f.DoneAt.IsZero() {
		t.Fatalf("handed on: %+v", f)
	}
	if len(next.Manual) == 0 || next.Received["lift"]+next.Received["change"]+next.Received["declare"] != 2 {
		t.Errorf("signals handed on: %+v of %v", next.Manual, next.Received)
	}
	h.onNotify = func(ticket.Number) {}
	h.set(begin.Add(h1 + time.Minute))
	last := h.run(next, 2*h1)
	for n, at := range h.takenUp {
		if at.Before(begin.Add(h1)) {
			t.Errorf("%s is left behind at %s", n, at)
		}
	}
	if len(h.orders) != 2 || h.orders[0].Key == h.orders[1].Key || last.Fanout.DoneAt.IsZero() {
		t.Errorf("carried out %+v; at last %+v", h.orders, last.Fanout)
	}
	notified := map[string]int{}
	for _, l := range h.notified {
		notified[l[strings.LastIndexByte(l, ' '):]]++
	}
	if notified[" "+string(ticketNumber(0))] > 2 {
		t.Errorf("the next run began from the start: %v", notified)
	}
}

// Terminated by mistake and started anew, it finds out by itself where every ticket is.
func TestEmergency_startedAgainNotifiesOnlyTicketsThatAreBehind(t *testing.T) {
	h := newEmergencyFixture(t, 5)
	h.change(closure(flood, -2*h1, -h1), closure(strike, -time.Minute, 0))
	h.takenUp[ticketNumber(2)] = begin.Add(-h1)
	h.run(workflows.EmergencyStart{}, h1)
	equal(t, "notified", h.notified, []string{"0s emergency-pause " + string(ticketNumber(2))})
}

func TestEmergency_survivesAnOutageOfPostgreSQLAndLosesNoTransition(t *testing.T) {
	h := newEmergencyFixture(t, 6)
	h.fails = func(what string) error {
		if what != "tell" && h.env.Now().After(begin.Add(h1+time.Minute)) && h.env.Now().Before(begin.Add(9*h1)) {
			return away
		}
		return nil
	}
	h.declareAt(0, closure(flood, 2*h1, 3*h1))
	next := h.run(workflows.EmergencyStart{}, 12*h1)
	if f := next.Fanout; f.Transition.Verb != ticket.VerbEmergencyResume || f.DoneAt.IsZero() || f.Began.Before(begin.Add(9*h1)) {
		t.Errorf("at last: %+v", f)
	}
	for n, at := range h.takenUp {
		if at.Before(begin.Add(3 * h1)) {
			t.Errorf("%s is left behind at %s", n, at)
		}
	}
}

func TestEmergency_waitsForADatabaseWhoseClockIsBehind(t *testing.T) {
	h := newEmergencyFixture(t, 3)
	h.behind = 7 * time.Second
	h.declareAt(time.Minute, closure(flood, h1, 0))
	h.run(workflows.EmergencyStart{}, 2*h1)
	h.checkTickets("1h0m7s emergency-pause")
}

func TestEmergency_aRequestToCancelItIsIgnored(t *testing.T) {
	h := newEmergencyFixture(t, 3)
	h.declareAt(0, closure(flood, h1, 0))
	h.at(30*time.Minute, h.env.CancelWorkflow)
	h.run(workflows.EmergencyStart{}, 2*h1)
	h.checkTickets("1h0m0s emergency-pause")
}

func TestEmergency_itsTimersSayWhatTheyAreFor(t *testing.T) {
	h := newEmergencyFixture(t, 3)
	var waits []time.Duration
	h.env.SetOnTimerScheduledListener(func(_ string, d time.Duration) { waits = append(waits, d) })
	h.declareAt(time.Second, closure(flood, h1, 2*h1))
	h.run(workflows.EmergencyStart{}, 3*h1)
	if want := []time.Duration{h1 - time.Second, h1}; !slices.Equal(waits, want) {
		t.Errorf("timers: %s, want %s: one for each transition", waits, want)
	}
}

// A mail server that puts mails off for days fills the history, while nothing happens to the schedule.
func TestEmergency_goesOnAsNewWhileOnlyMailsGoOut(t *testing.T) {
	h := newEmergencyFixture(t, 1)
	h.onMail = func() ticket.SendAnnouncementsResult {
		return ticket.SendAnnouncementsResult{Left: 1, Next: h.env.Now().Add(time.Minute)}
	}
	h.at(h1, func() { h.env.SetContinueAsNewSuggested(true) })
	next := h.run(workflows.EmergencyStart{}, 5*h1)
	if late := h.env.Now().Sub(begin); late > h1+2*time.Minute {
		t.Errorf("a run that is full since an hour goes on as new after %s", late)
	}
	if next.Announcements.Unsent != 1 || next.Announcements.Idle {
		t.Errorf("handed on: %+v", next.Announcements)
	}
}

// What Temporal refuses for one ticket, the last of a page, is no outage: nothing else waits for it.
func TestEmergency_aTicketThatCannotBeNotifiedHoldsUpNothing(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Internal, fault.Unavailable} {
		t.Run(kind.String(), func(t *testing.T) {
			h := newEmergencyFixture(t, 1)
			h.fails = func(what string) error {
				if what == "tell" {
					return fault.New(kind, "Temporal refuses the request")
				}
				return nil
			}
			h.declareAt(0, closure(flood, h1, 0))
			h.at(h1+30*time.Minute, func() { h.env.SignalWorkflow("lift", map[string]any{}) })
			next := h.run(workflows.EmergencyStart{}, 2*h1)
			if len(h.orders) != 1 {
				t.Errorf("carried out: %+v", h.orders)
			}
			if f := next.Fanout; f.Round < 3 || f.Notified != 0 || !f.DoneAt.IsZero() {
				t.Errorf("at last: %+v", f)
			}
			if i := slices.IndexFunc(h.announceRequests, func(r ticket.AnnounceRequest) bool { return r.Partial }); i < 0 || h.announced[i] > h1+3*time.Minute {
				t.Errorf("announced %+v at %s", h.announceRequests, h.announced)
			}
		})
	}
}
