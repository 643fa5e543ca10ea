package e2e_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
)

// refuse answers every recipient with a permanent failure.
func refuse(why string) func(from, to string) *smtp.SMTPError {
	return func(string, string) *smtp.SMTPError {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: why}
	}
}

// Whoever is let into Temporal UI may signal a workflow by hand.
func TestSignalByHand_worksWithoutWordsAndIsRefusedWithAnEvent(t *testing.T) {
	s := start(t, "")
	number := s.customer.submit("By hand", "words")
	s.agent.awaitStatus(number, "new")
	c := s.temporalClient()
	for _, signal := range []struct {
		name    string
		payload any
	}{
		{"assign", map[string]any{"agent": "agent-1"}},
		{"assign", map[string]any{"agent": "nobody"}},
		{"assign", "not an object"},
		{"agent-reply", nil},
		{"resolve", map[string]any{"seq": 999999}},
		{"resolve", map[string]any{"number": 1}},
		{"reclassify", map[string]any{"priority": "urgent"}},
		{"resolve", nil},
	} {
		before := len(s.agent.timeline(number))
		if err := c.SignalWorkflow(context.Background(), number, "", signal.name, signal.payload); err != nil {
			t.Fatal(err)
		}
		eventually(t, signal.name+" is on record", func() (bool, string) {
			seen := s.agent.timeline(number)
			return len(seen) > before, strings.Join(kinds(seen), " ")
		})
	}
	s.agent.awaitStatus(number, "resolved")
	want := []string{"submitted", "assigned", "refused", "refused", "refused", "refused", "refused", "reclassified", "resolved"}
	if got := kinds(s.agent.timeline(number)); !slices.Equal(got, want) {
		t.Errorf("the timeline is %v, not %v", got, want)
	}
}
