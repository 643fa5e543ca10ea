package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/mailtest"
)

// A ticket's whole life costs at most this much history: ten thousand tickets a day must not fill a disk.
const (
	maxEvents = 100
	maxBytes  = 40 << 10
)

func TestLifecycle_goesThroughEverythingAndCostsLittleHistory(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	number := s.customer.submit("My parcel is late", "It was due last week.")
	s.supervisor.do(number, "assignment", words{"agent": "agent-1"})
	s.agent.do(number, "replies", words{"body": "We are looking for it."})
	s.agent.do(number, "resolution", words{"body": "It has arrived."})
	s.customer.do(number, "confirmation", nil)

	if v := s.customer.ticket(number); v.Status != "closed" || v.Cause != "requester" || v.Assignee.Handle != "agent-1" {
		t.Errorf("the ticket ended as %+v", v)
	}
	entries := s.agent.timeline(number)
	// The question whether that solved it may be delivered in a later second than it was asked, from which silence counts then.
	happened := slices.DeleteFunc(kinds(entries), func(kind string) bool { return kind == "question-delivered" })
	if got, want := happened, []string{"submitted", "assigned", "agent-replied", "resolved", "closed"}; !slices.Equal(got, want) {
		t.Errorf("the timeline is %v, not %v", got, want)
	}
	checkNumbers(t, entries)

	s.mails.WaitCount(t, 6)
	toCustomer := s.mailsTo("customer@demo.example", number)
	wantFirst := []string{"We have received your request", "Demo agent", "We are looking for it.", "It has arrived.", "closed"}
	if len(toCustomer) != len(wantFirst) {
		t.Fatalf("the customer got %d mails, not %d", len(toCustomer), len(wantFirst))
	}
	for i, m := range toCustomer {
		if !strings.Contains(m.Text, wantFirst[i]) {
			t.Errorf("mail %d does not say %q:\n%s", i+1, wantFirst[i], m.Text)
		}
		if i > 0 && (m.InReplyTo != toCustomer[i-1].MessageID || !slices.Contains(m.References, toCustomer[0].MessageID)) {
			t.Errorf("mail %d is not in the receipt's thread: %q, %q", i+1, m.InReplyTo, m.References)
		}
	}
	s.checkHistory(number)
}

func (s *stack) mailsTo(address, number string) []mailtest.Message {
	return slices.DeleteFunc(s.mails.Messages(), func(m mailtest.Message) bool {
		return !slices.Contains(m.To, address) || !strings.Contains(m.Subject, number)
	})
}

func checkNumbers(t testing.TB, entries []entry) {
	t.Helper()
	for i, e := range entries {
		if e.N != i+1 {
			t.Errorf("entry %d of the timeline has number %d", i+1, e.N)
		}
	}
}

func (s *stack) temporalClient() client.Client {
	s.t.Helper()
	if s.dialled == nil {
		c, err := client.Dial(client.Options{HostPort: s.temporal.HostPort})
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(c.Close)
		s.dialled = c
	}
	return s.dialled
}

func (s *stack) checkHistory(number string) {
	s.t.Helper()
	c := s.temporalClient()
	if err := c.GetWorkflow(s.t.Context(), number, "").Get(s.t.Context(), nil); err != nil {
		s.t.Fatalf("the workflow ended with %v", err)
	}
	described, err := c.DescribeWorkflowExecution(s.t.Context(), number, "")
	if err != nil {
		s.t.Fatal(err)
	}
	info := described.GetWorkflowExecutionInfo()
	s.t.Logf("a whole life cost %d events and %d bytes of history", info.GetHistoryLength(), info.GetHistorySizeBytes())
	if info.GetHistoryLength() > maxEvents || info.GetHistorySizeBytes() > maxBytes {
		s.t.Errorf("that is more than %d events or %d bytes", maxEvents, maxBytes)
	}
}

const fast = `
name: Fast policy of a test
contact: desk@demo.example
time_zone: UTC
clocks:
  first_response: {target: 6s, counts: calendar, remind_at: 50%}
  resolution: {target: 1h, counts: calendar, pauses: [waiting, resolved]}
escalation:
  - {after: 0s, tell: [assignee, supervisors], raise_priority: true}
  - {after: 2s, tell: [supervisors]}
`

func TestPromises_remindBreachAndEscalateOnceEachAtTheirInstants(t *testing.T) {
	t.Parallel()
	s := start(t, fast)
	number := s.customer.submit("Fast", "words")
	var entries []entry
	eventually(t, "both escalation steps fire", func() (bool, string) {
		entries = s.agent.timeline(number)
		return len(entries) >= 5, strings.Join(kinds(entries), " ")
	})
	if got, want := kinds(entries), []string{"submitted", "reminded", "breached", "escalated", "escalated"}; !slices.Equal(got, want) {
		t.Fatalf("the timeline is %v, not %v", got, want)
	}
	for i, after := range []time.Duration{0, 3 * time.Second, 6 * time.Second, 6 * time.Second, 8 * time.Second} {
		if got := entries[i].At.Sub(entries[0].At); got != after {
			t.Errorf("%s came %s after the submission, not %s", entries[i].Kind, got, after)
		}
	}
	s.supervisor.do(number, "acknowledgement", nil)
	s.mails.WaitCount(t, 4) // the receipt, the reminder and two escalation steps
	if got := len(s.mailsTo("supervisor@demo.example", number)); got != 3 {
		t.Errorf("the supervisor got %d mails, not 3", got)
	}
	if v := s.agent.ticket(number); v.Priority != "high" {
		t.Errorf("the priority is %s; the first escalation step raises it to high", v.Priority)
	}
}

// The worker is away across a deadline. One ticket was answered before it, the other was not.
func TestDeadline_thatPassesWhileNoWorkerRuns(t *testing.T) {
	s := start(t, fast)
	met, missed := s.customer.submit("Kept", "words"), s.customer.submit("Broken", "words")
	s.agent.awaitStatus(met, "new")
	s.agent.awaitStatus(missed, "new")
	s.worker.kill()
	s.agent.must(http.StatusAccepted, http.MethodPost, "/tickets/"+met+"/replies", words{"body": "In time."})
	due := s.agent.ticket(missed).Clocks["first_response"].Due
	eventually(t, "the deadline passes", func() (bool, string) { return time.Now().After(due.Add(time.Second)), due.String() })
	s.worker.start()
	eventually(t, "the missed target is on record", func() (bool, string) {
		v := s.agent.ticket(missed)
		return !v.Clocks["first_response"].BreachedAt.IsZero(), v.Status
	})
	if at := s.agent.ticket(missed).Clocks["first_response"].BreachedAt; !at.Equal(due) {
		t.Errorf("the breach is recorded at %s; it was due at %s", at, due)
	}
	for _, e := range s.agent.timeline(missed) {
		if e.Kind == "breached" && !e.Recorded.After(e.At) {
			t.Errorf("the breach was due at %s and recorded at %s: the record should say that it fired late", e.At, e.Recorded)
		}
	}
	v := s.agent.awaitStatus(met, "open")
	if clock := v.Clocks["first_response"]; !clock.BreachedAt.IsZero() || clock.MetAt.IsZero() {
		t.Errorf("an answer accepted before the deadline did not keep the promise: %+v", clock)
	}
}
