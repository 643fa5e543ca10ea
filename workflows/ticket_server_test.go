package workflows_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// Every mail is settled before the next command comes, which is the dearest way to live.
func TestTicket_aWholeLifeCostsAtMost100EventsAnd40KB(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	s.Work()
	s.Tell(number, s.Submit(number))
	calm := func() bool {
		report, ok := ask(t, s)
		return ok && len(s.Unsettled(number)) == 0 && len(report.Owed) == 0 && report.Digest.Command == report.LastCommand
	}
	s.Await("the receipt", func() bool { return s.State(number).Command == 1 && calm() })
	for _, c := range []ticket.Command{
		assignToAlice(), words(alice, ticket.VerbAgentReply), words(alice, ticket.VerbResolve),
	} {
		s.Ask(number, c)
		s.Await("its mails", calm)
	}
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: customer})
	s.Ended(number)
	description, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.TicketID(number), "")
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	events, bytes := description.GetWorkflowExecutionInfo().GetHistoryLength(), description.GetWorkflowExecutionInfo().GetHistorySizeBytes()
	t.Logf("%d events, %d bytes", events, bytes)
	if events > 100 || bytes > 40<<10 {
		t.Errorf("a life costs %d events and %d bytes", events, bytes)
	}
}

func ask(t *testing.T, s *desktest.Site) (workflows.Report, bool) {
	t.Helper()
	var report workflows.Report
	value, err := s.Temporal.QueryWorkflow(t.Context(), workflows.TicketID(number), "", workflows.TicketQuery)
	if err != nil || value.Get(&report) != nil {
		return report, false
	}
	return report, true
}

func TestTicket_aSignalWithoutAPayloadIsNotTakenForTheOneBeforeIt(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	s.Tell(number, s.Submit(number))
	signalByHand(s, ticket.VerbAssign, workflows.Signal{Agent: "alice"})
	signalWithoutPayload(s, ticket.VerbAssign)
	s.Work()
	s.Await("both signals", func() bool { return s.State(number).Command == 3 })
	if outcomes := s.Outcomes(number); outcomes[1].Refused || outcomes[2].Code != ticket.CodeNoAgent {
		t.Errorf("outcomes: %+v", outcomes)
	}
}

// The mail server hangs all the time, so that each run has a mail on its way and hands others to the next.
func TestContinueAsNew_losesNothingInAFlood(t *testing.T) {
	t.Parallel()
	const floods, each, handEvery = 8, 750, 3
	const commands, byHand = floods * each, floods * each / handEvery
	s := desktest.NewSite(t, policy.Default())
	server := hangingServer{t: t, trying: map[int]bool{}, over: make(chan struct{})}
	s.OnMail(server.deliver)
	s.Work()
	s.Tell(number, s.Submit(number))
	var flood sync.WaitGroup
	for range floods {
		flood.Go(func() {
			for i := range each {
				switch {
				case i%handEvery == 0: // of several verbs: only signals of one name keep their order
					verbs := []ticket.Verb{ticket.VerbAssign, ticket.VerbReclassify, ticket.VerbReopen, ticket.VerbAcknowledge, ticket.VerbEmergencyResume}
					signalByHand(s, verbs[i/handEvery%len(verbs)], nil)
				case i%100 == 1:
					s.Tell(number, s.Accept(number, words(alice, ticket.VerbProgressUpdate)))
				default:
					s.Tell(number, s.Accept(number, words(alice, ticket.VerbNote)))
				}
			}
		})
	}
	flood.Wait()
	s.Await("every command", func() bool { return s.State(number).Command == 1+commands })
	close(server.over)
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
	s.Ended(number)

	runs := runs(t, s)
	t.Logf("%d signals in %d runs and %d steps", 1+commands, runs, len(s.Steps()))
	if runs < 2 {
		t.Error("the run never went on as new")
	}
	if n := inOrderOnce(t, s, 2+commands); n != byHand {
		t.Errorf("%d commands by hand, want %d", n, byHand)
	}
	if !slices.IsSorted(server.sent) || len(server.sent) != s.State(number).LastDelivery {
		t.Errorf("%d mails owed, sent %v", s.State(number).LastDelivery, server.sent)
	}
}

// hangingServer takes no mail until it is over with that. It sees to it that no mail is tried twice at a time.
type hangingServer struct {
	t    *testing.T
	over chan struct{}

	mu     sync.Mutex
	trying map[int]bool
	sent   []int
}

func (h *hangingServer) deliver(ctx context.Context, m ticket.Owed) (bool, error) {
	h.mu.Lock()
	if h.trying[m.N] {
		h.t.Errorf("mail %d is tried while another try is on its way", m.N)
	}
	h.trying[m.N] = true
	h.mu.Unlock()
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case <-h.over:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trying[m.N] = false
	if err == nil {
		h.sent = append(h.sent, m.N)
	}
	return false, err
}

// inOrderOnce checks that each command has its event, in the order of their numbers, and none twice. It counts those
// that came by hand.
func inOrderOnce(t *testing.T, s *desktest.Site, commands int) (byHand int) {
	t.Helper()
	if n := len(s.Outcomes(number)); n != commands {
		t.Errorf("%d outcomes of %d commands", n, commands)
	}
	var last int64
	for _, e := range s.Events(number) {
		if e.Command != last && e.Command != last+1 {
			t.Fatalf("command %d was taken after command %d", e.Command, last)
		}
		if e.By.Role == ticket.RoleOperator {
			byHand++
		}
		last = e.Command
	}
	if last != int64(commands) {
		t.Errorf("the last command taken was %d of %d", last, commands)
	}
	return byHand
}

// runs follows a workflow from run to run and counts them.
func runs(t *testing.T, s *desktest.Site) int {
	t.Helper()
	description, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.TicketID(number), "")
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	run := description.GetWorkflowExecutionInfo().GetFirstRunId()
	for n := 1; ; n++ {
		events := s.Temporal.GetWorkflowHistory(t.Context(), workflows.TicketID(number), run, false,
			enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
		last, err := events.Next()
		if err != nil {
			t.Fatalf("read the last event of run %d: %v", n, err)
		}
		if run = last.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId(); run == "" {
			return n
		}
	}
}
