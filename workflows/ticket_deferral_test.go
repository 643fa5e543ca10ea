package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// deferAttributes sends the signal of a fan-out over very many tickets.
func (s *fixture) deferAttributes(d time.Duration, verb ticket.Verb, later time.Duration, emergencies ...ticket.Emergency) {
	s.at(d, func() {
		s.desk.SetSchedule(ticket.EmergencySchedule{Revision: 1, Emergencies: emergencies})
		s.env.SignalWorkflow(string(verb), workflows.Signal{Schedule: 1, Emergency: string(flood), AttributesAfter: int64(later / time.Second)})
	})
}

func (s *fixture) pausedAt() []bool {
	var all []bool
	for _, c := range s.attributes {
		all = append(all, c["Paused"].(bool))
	}
	return all
}

func TestDetails_inARushSearchAttributesFollowLaterOnce(t *testing.T) {
	s := newFixture(t)
	s.deferAttributes(h1, ticket.VerbEmergencyPause, 10*time.Minute, closure(flood, h1, 0))
	s.at(h1+9*time.Minute, func() {
		if got := s.pausedAt(); !slices.Equal(got, []bool{false}) {
			t.Errorf("written before their time: %v", got)
		}
		if !s.report().Digest.Paused {
			t.Error("the query does not tell that the ticket is paused")
		}
	})
	s.at(h1+11*time.Minute, func() {
		if got := s.pausedAt(); !slices.Equal(got, []bool{false, true}) {
			t.Errorf("when their time has come: %v", got)
		}
	})
	s.closeAt(3 * h1)
	s.run()
}

func TestDetails_whenTheDeskMovesAgainSearchAttributesAreWrittenOnce(t *testing.T) {
	s := newFixture(t)
	s.deferAttributes(h1, ticket.VerbEmergencyPause, 30*time.Minute, closure(flood, h1, 0))
	s.deferAttributes(h1+20*time.Minute, ticket.VerbEmergencyResume, 30*time.Minute, closure(flood, h1, h1+20*time.Minute))
	var before, after int
	s.at(h1+49*time.Minute, func() { before = len(s.attributes) })
	s.at(h1+51*time.Minute, func() { after = len(s.attributes) })
	s.closeAt(3 * h1)
	s.run()
	if before != 1 || after != 2 || s.attributes[1]["Paused"] != false {
		t.Errorf("written %d times, then %d: %v", before, after, s.attributes)
	}
}

func TestDetails_whateverElseHappensWritesSearchAttributesAtOnce(t *testing.T) {
	s := newFixture(t)
	s.deferAttributes(h1, ticket.VerbEmergencyPause, 30*time.Minute, closure(flood, h1, 0))
	s.ask(h1+time.Minute, assignToAlice())
	s.at(h1+2*time.Minute, func() {
		if n := len(s.attributes); n != 2 || s.attributes[1]["Paused"] != true || s.attributes[1]["Assignee"] != "alice" {
			t.Errorf("written: %v", s.attributes)
		}
	})
	s.closeAt(3 * h1)
	s.run()
	if len(s.attributes) != 3 {
		t.Errorf("written %d times: %v", len(s.attributes), s.attributes)
	}
}

func TestDetails_aFewTicketsShowAtOnce(t *testing.T) {
	s := newFixture(t)
	s.deferAttributes(h1, ticket.VerbEmergencyPause, 0, closure(flood, h1, 0))
	s.at(h1+time.Second, func() {
		if got := s.pausedAt(); !slices.Equal(got, []bool{false, true}) {
			t.Errorf("written: %v", got)
		}
	})
	s.closeAt(2 * h1)
	s.run()
}
