package e2e_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// refuse answers every recipient with a permanent failure.
func refuse(why string) func(from, to string) *smtp.SMTPError {
	return func(string, string) *smtp.SMTPError {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: why}
	}
}

// unheard is what comes of a signal whose name is no verb's: nothing.
const unheard = "unheard"

// byHand is a signal as someone sends it who has only Temporal UI, and what the timeline then shows.
type byHand struct {
	name    string
	payload any // nil: no input
	want    string
}

// signals has every verb, done well where that is possible by hand, and done wrong in every way.
var signals = []byHand{
	{"assign", map[string]any{"agent": "agent-1"}, "assigned"},
	{"assign", map[string]any{"agent": "agent-1"}, "refused nothing-to-change"},
	{"assign", map[string]any{"agent": "nobody"}, "refused agent-missing"},
	{"assign", map[string]any{"agent": 7}, "refused malformed"},
	{"assign", map[string]any{"agent": strings.Repeat("a", 300)}, "refused malformed"},
	{"assign", map[string]any{"agent": strings.Repeat("a", 100_000)}, "refused malformed"},
	{"assign", map[string]any{"agent": "agent\x00-1"}, "refused malformed"},
	{"assign", "not an object", "refused malformed"},
	{"assign", json.RawMessage(`{"agent": "agent-1"`), "refused malformed"},
	{"assign", []any{}, "refused malformed"},
	{"assign", nil, "refused agent-missing"},
	{"customer-reply", nil, "refused not-allowed"},
	{"agent-reply", map[string]any{"body": "words"}, "refused malformed"},
	{"agent-reply", nil, "refused not-allowed"},
	{"request-information", nil, "refused not-allowed"},
	{"progress-update", nil, "refused not-allowed"},
	{"note", nil, "refused not-allowed"},
	{"withdraw", nil, "refused not-allowed"},
	{"resend-mail", nil, "refused not-allowed"},
	{"add-participant", map[string]any{"person": "customer@demo.example"}, "refused malformed"},
	{"add-participant", nil, "refused not-allowed"},
	{"remove-participant", nil, "refused not-allowed"},
	{"change-requester", map[string]any{"person": "customer@demo.example"}, "refused malformed"},
	{"change-requester", nil, "refused not-allowed"},
	{"leave", nil, "refused not-allowed"},
	{"merge-person", nil, "refused not-allowed"},
	{"reclassify", map[string]any{"priority": "high"}, "reclassified"},
	{"reclassify", map[string]any{"priority": "purple"}, "refused malformed"},
	{"reclassify", map[string]any{"category": "purple"}, "refused unknown-category"},
	{"reclassify", nil, "refused nothing-to-change"},
	{"acknowledge-escalation", nil, "refused nothing-to-change"},
	{"emergency-pause", map[string]any{"emergency": "E-7Q2K9XM4TD"}, "refused whole-desk"},
	{"emergency-pause", map[string]any{"emergency": "flood"}, "paused"},
	{"emergency-pause", nil, "refused nothing-to-change"},
	{"emergency-resume", map[string]any{"emergency": "snow"}, "refused no-emergency"},
	{"emergency-resume", nil, "resumed"},
	{"emergency-extend", map[string]any{"seconds": 3600}, "extended"},
	{"emergency-extend", map[string]any{"seconds": -1}, "refused malformed"},
	{"emergency-extend", map[string]any{"seconds": 1.5}, "refused malformed"},
	{"emergency-extend", map[string]any{"seconds": math.MaxInt64}, "refused malformed"},
	{"adopt-policy", map[string]any{"policy": 99}, "refused"},
	{"adopt-policy", nil, "refused"},
	{"snooze", map[string]any{"until": time.Now().Add(48 * time.Hour).UTC()}, "snoozed"},
	{"snooze", map[string]any{"until": "tomorrow"}, "refused malformed"},
	{"snooze", nil, "refused"},
	{"wake", nil, "woke"},
	{"wake", nil, "refused nothing-to-change"},
	{"reopen", nil, "refused wrong-status"},
	{"resolve", map[string]any{"seq": 999999}, "refused malformed"},
	{"resolve", map[string]any{"seq": int64(math.MaxInt64)}, "refused malformed"},
	{"resolve", map[string]any{"seq": -5}, "refused malformed"},
	{"resolve", map[string]any{"by": map[string]any{"id": "P-X", "role": "supervisor"}}, "refused malformed"}, // it can't say who it is from
	{"resolve", map[string]any{"policy": 1}, "refused malformed"},                                             // a field of another verb
	{"resolve", map[string]any{"agent": "agent-1", "seconds": 60}, "refused malformed"},
	{"emergency-pause", map[string]any{"policy": 1}, "refused malformed"},
	{"adopt-policy", map[string]any{"policy": -1}, "refused malformed"},
	{"resolve", nil, "resolved"},
	{"resolve", nil, "refused wrong-status"},
	{"reopen", nil, "reopened"},
	{"resolve", map[string]any{"number": 1}, "refused malformed"},
	{"resolve", map[string]any{"schedule": 1}, "refused malformed"},
	{"asign", map[string]any{"agent": "agent-1"}, unheard},
	{"submit", nil, unheard},
	{"__temporal_resolve", nil, unheard},
	{"__temporal_", map[string]any{"policy": 1}, unheard},
	{strings.Repeat("resolve", 100), nil, unheard},
	{"unheard", strings.Repeat("a", 100_000), unheard},
	{"reclassify", map[string]any{"priority": "low"}, "reclassified"}, // the ticket goes on after all of these
	{"", nil, ""},
	{"close", nil, "closed"},
}

// Whoever is let into Temporal UI may signal a workflow by hand.
func TestSignalByHand_worksWithoutWordsAndIsRefusedWithAnEvent(t *testing.T) {
	t.Parallel()
	for _, verb := range ticket.Signals() {
		if !slices.ContainsFunc(signals, func(s byHand) bool { return s.name == string(verb) }) {
			t.Errorf("no signal of the table is a %s", verb)
		}
	}
	s := start(t, "")
	number := s.customer.submit("By hand", "words")
	s.agent.awaitStatus(number, "new")
	c := s.temporalClient()
	for _, signal := range signals {
		before := s.agent.timeline(number)
		err := s.signal(c, number, signal)
		if signal.want == "" {
			if err == nil {
				t.Errorf("Temporal takes a signal %q", signal.name)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", signal.name, err)
		}
		if signal.want == unheard {
			continue
		}
		var seen []entry
		eventually(t, signal.name+" is on record", func() (bool, string) {
			seen = s.agent.timeline(number)
			return outcomeOf(seen[len(before):]) != "", strings.Join(kinds(seen), " ")
		})
		if got := outcomeOf(seen[len(before):]); got != signal.want && !(signal.want == "refused" && strings.HasPrefix(got, "refused ")) {
			t.Errorf("%s %.80v: the timeline shows %q, want %q", signal.name, signal.payload, got, signal.want)
		}
	}
	eventually(t, "its workflow ends", func() (bool, string) {
		err := s.signal(c, number, byHand{name: "reopen"})
		_, gone := errors.AsType[*serviceerror.NotFound](err)
		return gone, fmt.Sprint(err)
	})
	if all := s.agent.timeline(number); all[len(all)-1].Kind != "closed" && all[len(all)-1].Code != "ticket-closed" {
		t.Errorf("something happened after the end: %v", kinds(all))
	}
}

// signal sends one without any payload where none is given, as Temporal UI does.
func (s *stack) signal(c client.Client, number string, signal byHand) error {
	request := &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: client.DefaultNamespace, SignalName: signal.name,
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: number},
		RequestId:         rand.Text(), // the call may be repeated beneath us: it is one signal
	}
	if raw, unchecked := signal.payload.(json.RawMessage); unchecked {
		request.Input = &commonpb.Payloads{Payloads: []*commonpb.Payload{{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)}, Data: raw,
		}}}
	} else if signal.payload != nil {
		var err error
		if request.Input, err = converter.GetDefaultDataConverter().ToPayloads(signal.payload); err != nil {
			return err
		}
	}
	_, err := c.WorkflowService().SignalWorkflowExecution(context.Background(), request)
	return err
}

// outcomeOf is what one signal came to: its event, and of a refusal why.
func outcomeOf(entries []entry) string {
	var lines []string
	for _, e := range entries {
		if e.Kind != "question-delivered" { // which comes in its own time
			lines = append(lines, strings.TrimSpace(e.Kind+" "+e.Code))
		}
	}
	return strings.Join(lines, ", ")
}
