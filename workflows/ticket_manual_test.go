package workflows_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

func TestTicket_whatNeedsNoWordsCanBeDoneByHand(t *testing.T) {
	s := newFixture(t)
	s.signalByHand(1*h, ticket.VerbAssign, map[string]any{"agent": "alice"})
	s.signalByHand(2*h, ticket.VerbReclassify, map[string]any{"priority": "urgent"})
	s.signalByHand(3*h, ticket.VerbEmergencyPause, nil)
	s.signalByHand(4*h, ticket.VerbEmergencyResume, nil)
	s.signalByHand(5*h, ticket.VerbEmergencyExtend, workflows.Signal{Seconds: 3600})
	s.signalByHand(6*h, ticket.VerbResolve, nil)
	s.signalByHand(7*h, ticket.VerbClose, workflows.Signal{})
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "2h0m0s reclassified", "3h0m0s paused", "4h0m0s resumed", "5h0m0s extended",
		"6h0m0s resolved by agent", "6h0m0s question-delivered", "7h0m0s closed by agent",
	)
	end := s.desk.State(number).Ticket
	if end.Handle != "alice" || end.Priority != policy.PriorityUrgent {
		t.Errorf("assigned to %q, priority %s", end.Handle, end.Priority)
	}
	if extension := end.Resolution.Clock.Extension(); extension != h {
		t.Errorf("extended by %s", extension)
	}
	for _, e := range s.desk.Events(number)[1:] {
		if e.Kind != ticket.EventQuestionDelivered && e.By.Role != ticket.RoleOperator || e.By.ID != "" {
			t.Errorf("%s is by %+v", e.Kind, e.By)
		}
	}
}

func TestTicket_whatNeedsWordsOrCannotBeReadIsRefusedByHandWithAnEvent(t *testing.T) {
	s := newFixture(t)
	s.signalByHand(1*h, ticket.VerbNote, nil)
	s.signalByHand(2*h, ticket.VerbAgentReply, workflows.Signal{})
	s.signalByHand(3*h, ticket.VerbAssign, "alice")
	s.signalByHand(4*h, ticket.VerbResolve, []byte{0xff, 0x00})
	s.signalByHand(5*h, ticket.VerbAssign, map[string]any{"agent": 7})
	s.signalByHand(6*h, ticket.VerbAssign, map[string]any{"agent": "nobody"})
	s.closeAt(7 * h)
	s.run()
	s.checkTimeline(
		"0s submitted",
		"1h0m0s refused note: not-allowed", "2h0m0s refused agent-reply: not-allowed",
		"3h0m0s refused assign: malformed", "4h0m0s refused resolve: malformed", "5h0m0s refused assign: malformed",
		"6h0m0s refused assign: agent-missing",
		"7h0m0s closed by agent",
	)
}

func TestTicket_aMadeUpNumberIsRefusedAndHoldsNothingUp(t *testing.T) {
	s := newFixture(t)
	s.signalByHand(1*h, ticket.VerbResolve, workflows.Signal{Seq: 99, By: "alice"})
	s.ask(2*h, words(alice, ticket.VerbAgentReply))
	s.signalByHand(3*h, ticket.VerbNote, workflows.Signal{Seq: -4})
	s.closeAt(4 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s refused resolve: malformed", "2h0m0s assigned", "2h0m0s agent-replied",
		"3h0m0s refused note: malformed", "4h0m0s closed by agent",
	)
}

func TestTicket_equalSignalsByHandAreTwoCommands(t *testing.T) {
	s := newFixture(t)
	s.at(1*h, func() {
		s.env.SignalWorkflowSkippingWorkflowTask(string(ticket.VerbAssign), workflows.Signal{Agent: "alice"})
		s.env.SignalWorkflow(string(ticket.VerbAssign), workflows.Signal{Agent: "alice"})
	})
	s.closeAt(2 * h)
	s.run()
	s.checkTimeline("0s submitted", "1h0m0s assigned", "1h0m0s refused assign: nothing-to-change", "2h0m0s closed by agent")
}

// The last step of a life is under way when one more signal comes.
func TestTicket_nothingIsLeftUnheardWhenALifeEnds(t *testing.T) {
	s := newFixture(t)
	s.mails(func(m ticket.Owed) (bool, error) { return m.Kind == ticket.MailClosure, nil })
	s.desk.OnStep(func(r ticket.StepRequest) error {
		if r.Bounced > 0 {
			s.env.SignalWorkflow(string(ticket.VerbAssign), workflows.Signal{Agent: "alice"})
		}
		return nil
	})
	s.closeAt(1 * h)
	s.run()
	s.checkTimeline("0s submitted", "1h0m0s closed by agent", "1h0m0s mail-bounced", "1h0m0s refused assign: ticket-closed")
}

func TestTicket_aSignalThatHasNoVerbsNameIsNotHeard(t *testing.T) {
	s := newFixture(t)
	s.signalByHand(1*h, "make-coffee", map[string]any{"agent": "alice"})
	s.at(2*h, func() {
		for range 3 {
			s.env.SignalWorkflowSkippingWorkflowTask("asign", workflows.Signal{Agent: "alice"})
		}
		s.env.SignalWorkflow("Assign", nil)
	})
	s.closeAt(3 * h)
	s.run()
	s.checkTimeline("0s submitted", "3h0m0s closed by agent")
}

// What is refused is not carried along: neither to a step nor to a next run.
func TestTicket_whatIsTooLargeOrMeansNothingIsRefusedWithoutWhatItCarries(t *testing.T) {
	s := newFixture(t)
	s.signalByHand(1*h, ticket.VerbAssign, map[string]any{"agent": strings.Repeat("a", 8<<10)})
	s.signalByHand(2*h, ticket.VerbEmergencyExtend, map[string]any{"seconds": math.MaxInt64/int64(time.Second) + 7})
	s.signalByHand(3*h, ticket.VerbEmergencyExtend, map[string]any{"seconds": -3600})
	s.signalByHand(4*h, ticket.VerbReclassify, map[string]any{"priority": "high", "colour": "blue"})
	s.signalByHand(5*h, ticket.VerbAssign, []string{"alice"})
	s.signalByHand(6*h, ticket.VerbEmergencyExtend, map[string]any{"seconds": 1.5})
	s.closeAt(7 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s refused assign: malformed", "2h0m0s refused emergency-extend: malformed",
		"3h0m0s refused emergency-extend: malformed", "4h0m0s refused reclassify: malformed",
		"5h0m0s refused assign: malformed", "6h0m0s refused emergency-extend: malformed", "7h0m0s closed by agent",
	)
	for _, r := range s.desk.Steps() {
		for _, h := range r.Manual {
			if h.Malformed && (h.Agent != "" || h.Priority != "" || h.Extension != 0) {
				t.Errorf("a refused signal goes to a step as %+v", h)
			}
		}
	}
}
