package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

func TestDetails_writesSearchAttributesOnlyWhenOneChanges(t *testing.T) {
	s := newFixture(t)
	s.ask(1*h, words(alice, ticket.VerbNote))
	s.ask(2*h, words(alice, ticket.VerbNote))
	s.at(3*h, func() {
		if len(s.attributes) != 1 {
			t.Errorf("written %d times before anything changed: %v", len(s.attributes), s.attributes)
		}
	})
	s.ask(4*h, assignToAlice())
	s.ask(25*h, ticket.Command{Verb: ticket.VerbEmergencyPause, By: super})
	s.ask(26*h, ticket.Command{Verb: ticket.VerbEmergencyResume, By: super})
	s.closeAt(27 * h)
	s.run()
	first, last := s.attributes[0], s.attributes[len(s.attributes)-1]
	if first["TicketStatus"] != "new" || first["TicketPriority"] != "normal" || first["Assignee"] != nil ||
		first["EscalationStep"] != int64(0) || first["Paused"] != false || !begin.Add(12*h).Equal(first["NextDue"].(time.Time)) {
		t.Errorf("at first: %v", first)
	}
	if last["TicketStatus"] != "closed" || last["Assignee"] != "alice" || last["TicketPriority"] != "high" || last["NextDue"] != nil {
		t.Errorf("at last: %v", last)
	}
	if first["NextEvent"] != "remind" || first["NextPromise"] != "first_response" || first["Breached"] != false ||
		first["PausedFor"] != nil || first["TicketCategory"] == nil || !begin.Add(24*h).Equal(first["PromiseDue"].(time.Time)) {
		t.Errorf("at first, more: %v", first)
	}
	if !slices.ContainsFunc(s.attributes, func(c map[string]any) bool {
		return c["EscalationStep"] == int64(1) && c["Paused"] == true && c["Breached"] == true && c["NextPromise"] == nil &&
			slices.Equal(c["PausedFor"].([]string), []string{"emergency"}) && c["NextEvent"] == nil
	}) {
		t.Errorf("never escalated and paused: %v", s.attributes)
	}
	if len(s.attributes) != 7 {
		t.Errorf("written %d times: %v", len(s.attributes), s.attributes)
	}
}

func TestQuery_showsTheStateAndPendingDeliveries(t *testing.T) {
	s := newFixture(t)
	s.mails(s.until(2*h, desktest.Customer))
	s.ask(1*h, assignToAlice())
	var report workflows.Report
	s.at(90*time.Minute, func() { report = s.report() })
	s.closeAt(3 * h)
	s.run()
	if report.Digest.Status != ticket.StatusOpen || report.Digest.Handle != "alice" || report.LastCommand != 2 {
		t.Errorf("report: %+v", report)
	}
	want := "first response: due Tue 3 Nov 2099 10:00:00 UTC; target 1d of calendar time, 0s used by Mon 2 Nov 2099 10:00:00 UTC"
	if !slices.Contains(report.Summary, want) || !slices.Contains(report.Summary, "waiting for: the first response by alice") {
		t.Errorf("shows: %q", report.Summary)
	}
	if len(report.Owed) != 2 || report.Owed[0].Kind != ticket.MailReceipt {
		t.Errorf("owed: %v", report.Owed)
	}
	if next := report.Digest.Next; !next.Due.Equal(begin.Add(12*h)) || !strings.HasPrefix(next.Label, "first response reminder Mon 2 Nov 22:00 UTC") {
		t.Errorf("next: %+v", next)
	}
}

func TestTimer_isArmedAnewOnlyWhenTheDueInstantChanges(t *testing.T) {
	s := newFixture(t)
	s.ask(1*h, words(alice, ticket.VerbNote))
	s.ask(2*h, assignToAlice())
	s.ask(3*h, words(alice, ticket.VerbAgentReply))
	s.ask(4*h, words(alice, ticket.VerbNote))
	s.closeAt(5 * h)
	s.run()
	if want := []time.Duration{12 * h, 51 * h}; !slices.Equal(s.timers, want) {
		t.Errorf("timers: %s, want %s", s.timers, want)
	}
}

func TestTimer_waitsForADatabaseWhoseClockIsBehind(t *testing.T) {
	s := newFixture(t)
	s.at(1*h, func() { s.behind = 3 * time.Second })
	s.closeAt(13 * h)
	s.run()
	s.checkTimeline("0s submitted", "12h0m0s reminded first_response", "12h59m57s closed by agent")
	if len(s.timers) < 4 || !slices.Equal(s.timers[:4], []time.Duration{12 * h, time.Second, time.Second, time.Second}) {
		t.Errorf("timers: %s", s.timers)
	}
}

func TestDetails_showsWhoWhatAndWhy(t *testing.T) {
	s := newFixture(t)
	s.mails(s.until(2*h, desktest.Customer))
	s.ask(30*time.Minute, assignToAlice())
	s.signalByHand(1*h, ticket.VerbEmergencyPause, map[string]any{"emergency": "snow **day**"})
	var shown string
	s.at(90*time.Minute, func() {
		shown = s.currentDetails()
	})
	s.closeAt(3 * h)
	s.run()
	for _, want := range []string{
		"**open**, priority normal, category general, assigned to alice",
		"- **waiting for**: the end of the emergency that pauses its clocks",
		"- **first response**: paused, emergency; target 1d of calendar time, 1h used by Mon 2 Nov 2099 11:00:00 UTC",
		"- **emergencies**: snow   day   has paused the clocks since Mon 2 Nov 2099 11:00:00 UTC",
		"- **pending deliveries**: 1 receipt to the requester, 2 assignment to the requester",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("the card lacks %q:\n%s", want, shown)
		}
	}
}
