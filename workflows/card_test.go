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

func TestCard_writesSearchAttributesOnlyWhenOneChanges(t *testing.T) {
	s := newStage(t)
	s.ask(1*h, words(alice, ticket.VerbNote))
	s.ask(2*h, words(alice, ticket.VerbNote))
	s.at(3*h, func() {
		if len(s.cards) != 1 {
			t.Errorf("written %d times before anything changed: %v", len(s.cards), s.cards)
		}
	})
	s.ask(4*h, assignToAlice())
	s.ask(25*h, ticket.Command{Verb: ticket.VerbEmergencyPause, By: super})
	s.ask(26*h, ticket.Command{Verb: ticket.VerbEmergencyResume, By: super})
	s.stop(27 * h)
	s.play()
	first, last := s.cards[0], s.cards[len(s.cards)-1]
	if first["TicketStatus"] != "new" || first["TicketPriority"] != "normal" || first["Assignee"] != nil ||
		first["EscalationRung"] != int64(0) || first["Paused"] != false || !begin.Add(12*h).Equal(first["NextDue"].(time.Time)) {
		t.Errorf("at first: %v", first)
	}
	if last["TicketStatus"] != "closed" || last["Assignee"] != "alice" || last["TicketPriority"] != "high" || last["NextDue"] != nil {
		t.Errorf("at last: %v", last)
	}
	if !slices.ContainsFunc(s.cards, func(c map[string]any) bool { return c["EscalationRung"] == int64(1) && c["Paused"] == true }) {
		t.Errorf("never escalated and paused: %v", s.cards)
	}
	if len(s.cards) != 7 {
		t.Errorf("written %d times: %v", len(s.cards), s.cards)
	}
}

func TestQuery_tellsTheStateAndWhatIsOwed(t *testing.T) {
	s := newStage(t)
	s.mails(s.until(2*h, desktest.Customer))
	s.ask(1*h, assignToAlice())
	var report workflows.Report
	s.at(90*time.Minute, func() { report = s.report() })
	s.stop(3 * h)
	s.play()
	if report.State.Ticket.Status != ticket.StatusOpen || report.State.Ticket.Handle != "alice" || report.Pending != 2 {
		t.Errorf("report: %+v", report)
	}
	if len(report.Owed) != 2 || report.Owed[0].Kind != ticket.MailReceipt {
		t.Errorf("owed: %v", report.Owed)
	}
	if next := report.State.Next; !next.Due.Equal(begin.Add(12*h)) || !strings.HasPrefix(next.Label, "reminder of the first response Mon 2 Nov 22:00 UTC") {
		t.Errorf("next: %+v", next)
	}
}

func TestAlarm_isArmedAnewOnlyWhenTheDueInstantChanges(t *testing.T) {
	s := newStage(t)
	s.ask(1*h, words(alice, ticket.VerbNote))
	s.ask(2*h, assignToAlice())
	s.ask(3*h, words(alice, ticket.VerbAgentReply))
	s.ask(4*h, words(alice, ticket.VerbNote))
	s.stop(5 * h)
	s.play()
	if want := []time.Duration{12 * h, 51 * h}; !slices.Equal(s.timers, want) {
		t.Errorf("timers: %s, want %s", s.timers, want)
	}
}

func TestAlarm_waitsForADatabaseWhoseClockIsBehind(t *testing.T) {
	s := newStage(t)
	s.at(1*h, func() { s.behind = 3 * time.Second })
	s.stop(13 * h)
	s.play()
	s.tells("0s submitted", "12h0m0s reminded first_response", "12h59m57s closed by agent")
	if len(s.timers) < 4 || !slices.Equal(s.timers[:4], []time.Duration{12 * h, time.Second, time.Second, time.Second}) {
		t.Errorf("timers: %s", s.timers)
	}
}
