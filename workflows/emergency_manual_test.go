package workflows_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/workflows"
)

func TestEmergencyByHand_isCarriedOutInOrderAndTheTicketsAreNotified(t *testing.T) {
	h := newEmergencyFixture(t, 4)
	h.at(h1, func() { h.env.SignalWorkflow("declare", map[string]any{"kind": "closed"}) })
	next := h.run(workflows.EmergencyStart{}, 2*h1)
	h.checkTickets("1h0m1s emergency-pause")
	if len(h.orders) != 1 || h.orders[0].Name != "declare" || h.orders[0].Payload != `{"kind":"closed"}` || h.orders[0].Key == "" {
		t.Errorf("carried out: %+v", h.orders)
	}
	if len(next.Outcomes) != 1 || next.Outcomes[0].Done != "done" || next.Outcomes[0].Emergency != flood {
		t.Errorf("log: %+v", next.Outcomes)
	}
}

func TestEmergencyByHand_whatMakesNoSenseIsRefusedInViewAndHarmsNothing(t *testing.T) {
	h := newEmergencyFixture(t, 2)
	for i, signal := range []struct {
		name    string
		payload any
	}{
		{"declare", []byte{0xff, 0x00}}, // not JSON
		{"lift", strings.Repeat("x", 5<<10)},
		{"change", "refuse"},
		{"close-the-desk", map[string]any{"now": true}},
		{"emergency-pause", nil},
	} {
		h.at(time.Duration(i+1)*time.Minute, func() { h.env.SignalWorkflow(signal.name, signal.payload) })
	}
	var report workflows.EmergencyReport
	h.at(h1, func() { report = h.report() })
	h.declareAt(2*h1, closure(flood, 2*h1+time.Minute, 0))
	h.run(workflows.EmergencyStart{}, 3*h1)
	var refused []string
	for _, l := range report.Outcomes {
		refused = append(refused, l.At.Sub(begin).String()+" "+l.Command+": "+l.Refused)
	}
	equal(t, "refused", refused, []string{
		"1m0s declare: the payload is not JSON", "2m0s lift: the payload is too long", "3m0s change: it makes no sense",
	})
	if report.Refused != 3 {
		t.Errorf("%d were refused", report.Refused)
	}
	h.checkTickets("2h1m0s emergency-pause")
}

func TestEmergencyByHand_aFloodIsBoundedAndHoldsUpNoTransition(t *testing.T) {
	h := newEmergencyFixture(t, 2)
	h.fails = func(what string) error {
		if what == "carry out" && h.env.Now().Before(begin.Add(90*time.Minute)) {
			return away
		}
		return nil
	}
	h.at(h1, func() {
		for range 1000 {
			h.env.SignalWorkflow("change", "refuse")
		}
	})
	h.declareAt(0, closure(flood, 2*h1, 0))
	next := h.run(workflows.EmergencyStart{}, 3*h1)
	if len(h.orders) > 101 || len(next.Outcomes) > 10 || next.Received["change"] != 1000 {
		t.Errorf("%d carried out of %d, %d lines in the log", len(h.orders), next.Received["change"], len(next.Outcomes))
	}
	h.checkTickets("2h0m0s emergency-pause")
}

func TestEmergencyByHand_keepsTheKeyWhenItIsTriedAgain(t *testing.T) {
	h := newEmergencyFixture(t, 1)
	tries := map[string]int{}
	h.fails = func(what string) error {
		if what == "carry out" {
			tries[what]++
			if tries[what] < 4 {
				return away
			}
		}
		return nil
	}
	h.at(h1, func() { h.env.SignalWorkflow("declare", map[string]any{"kind": "closed"}) })
	h.run(workflows.EmergencyStart{}, 2*h1)
	if len(h.orders) != 1 || tries["carry out"] != 4 {
		t.Errorf("%d tries, carried out %+v", tries["carry out"], h.orders)
	}
}

// Signals that the workflow does not listen to fill its history all the same.
func TestEmergency_goesOnInANewRunWhenOnlyUnknownSignalsFillItsHistory(t *testing.T) {
	h := newEmergencyFixture(t, 1)
	h.at(h1, func() {
		h.env.SetContinueAsNewSuggested(true)
		h.env.SignalWorkflow("close-the-desk", nil)
	})
	h.env.ExecuteWorkflow(workflows.EmergencyWorkflow, workflows.EmergencyStart{})
	if _, ok := errors.AsType[*workflow.ContinueAsNewError](h.env.GetWorkflowError()); !ok {
		t.Errorf("the run ended with %v", h.env.GetWorkflowError())
	}
}
