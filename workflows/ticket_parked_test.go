package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// What can't be recorded is tried again at its time, and not without a pause; signals by hand are numbered meanwhile; and
// once it succeeds everything happens in its order.
func TestTicket_whatIsParkedIsTriedAgainAndHoldsNothingForGood(t *testing.T) {
	s := newFixture(t)
	s.at(11*h, func() {
		s.desk.Park(&ticket.Parked{Since: begin.Add(12 * h), Retry: begin.Add(13 * h), Reason: "SQLSTATE 23514"})
	})
	s.signalByHand(12*h+time.Minute, ticket.VerbAssign, workflows.Signal{Agent: "alice"})
	s.ask(12*h+2*time.Minute, words(alice, ticket.VerbNote))
	var report workflows.Report
	var steps int
	s.at(12*h+3*time.Minute, func() { report, steps = s.report(), len(s.desk.Steps()) })
	s.at(12*h+59*time.Minute, func() {
		if n := len(s.desk.Steps()) - steps; n != 0 {
			t.Errorf("%d steps while nothing happens", n)
		}
		s.desk.Park(nil)
	})
	s.closeAt(14 * h)
	s.run()
	if report.Digest.Parked == nil || !slices.ContainsFunc(report.Summary, func(line string) bool { return strings.HasPrefix(line, "stuck: ") }) {
		t.Errorf("report: %+v", report)
	}
	if report.LastCommand != 3 || report.Digest.Command != 1 || len(s.desk.Outcomes(number)) != 4 {
		t.Errorf("pending %d, decided %d; in the end %d outcomes", report.LastCommand, report.Digest.Command, len(s.desk.Outcomes(number)))
	}
	s.checkTimeline(
		"0s submitted", "12h0m0s reminded first_response", "12h1m0s assigned", "12h2m0s noted", "14h0m0s closed by agent",
	)
}

// The result of a delivery waits, too: a step can't record it before it has recorded what is due.
func TestTicket_whatIsParkedHoldsBackTheResultsOfDeliveries(t *testing.T) {
	s := newFixture(t)
	s.mails(func(m ticket.Owed) (bool, error) {
		if m.N == 1 && s.env.Now().Before(begin.Add(12*h+30*time.Minute)) {
			return false, away
		}
		return m.N == 1, nil
	})
	s.at(11*h, func() {
		s.desk.Park(&ticket.Parked{Since: begin.Add(12 * h), Retry: begin.Add(13 * h), Reason: "SQLSTATE 23514"})
	})
	s.signalByHand(12*h+time.Minute, ticket.VerbAssign, workflows.Signal{Agent: "alice"})
	var steps int
	s.at(12*h+29*time.Minute, func() { steps = len(s.desk.Steps()) })
	s.at(12*h+59*time.Minute, func() {
		if n := len(s.desk.Steps()) - steps; n != 0 {
			t.Errorf("%d steps for a mail that bounced", n)
		}
		s.desk.Park(nil)
	})
	s.closeAt(14 * h)
	s.run()
	if got := s.desk.Events(number); !slices.ContainsFunc(got, func(e ticket.Event) bool { return e.Kind == ticket.EventMailBounced && e.Mail == 1 }) {
		t.Errorf("the bounce is not recorded: %+v", got)
	}
}
