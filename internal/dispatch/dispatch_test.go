package dispatch_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/temporaltest"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

const number ticket.Number = "HM-7Q2K9XM4TD"

var (
	agent = ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}
	note  = ticket.Command{Verb: ticket.VerbNote, By: agent, Message: 2}
	end   = ticket.Command{Verb: ticket.VerbClose, By: agent}
)

func newSite(t *testing.T) *desktest.Site {
	t.Helper()
	return desktest.NewSite(t, policy.Default())
}

// runID returns the ID of the current or last run of a ticket.s workflow.
func runID(t *testing.T, s *desktest.Site) string {
	t.Helper()
	d, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.TicketID(number), "")
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	return d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
}

func TestDeliver_twiceStartsOneWorkflow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	submit := s.Submit(number)
	s.Tell(number, submit)
	run := runID(t, s)
	s.Tell(number, submit)
	s.Work()
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	s.Tell(number, submit)
	if again := runID(t, s); again != run {
		t.Errorf("started again, as %s after %s", again, run)
	}
	if n := len(s.Events(number)); n != 1 {
		t.Errorf("%d events", n)
	}
}

// A namespace that was lost and registered anew lacks the attributes until a worker registers them.
func TestDeliver_startsATicketWithoutAttributesThatTheNamespaceLacks(t *testing.T) {
	t.Parallel()
	c := dial(t, temporaltest.Start(t))
	delivery := desk.AcceptedCommand{Number: number, Command: ticket.Command{Seq: 1, Verb: ticket.VerbSubmit}, Expected: &ticket.Digest{Status: ticket.StatusNew}}
	if err := dispatch.New(c, dispatch.Pages{}).Deliver(t.Context(), delivery); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DescribeWorkflowExecution(t.Context(), workflows.TicketID(number), ""); err != nil {
		t.Error(err)
	}
}

func TestDeliver_aLaterCommandStartsAWorkflowThatIsMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Submit(number)
	s.Tell(number, s.Accept(number, note))
	s.Work()
	s.Await("both commands", func() bool { return s.State(number).Command == 2 })
}

func TestDeliver_aWorkflowThatHasEndedNeedsNoSignal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Work()
	submit := s.Submit(number)
	s.Tell(number, submit)
	s.Ask(number, end)
	s.Ended(number)
	run := runID(t, s)
	for _, c := range []ticket.Command{submit, s.Accept(number, note)} {
		s.Tell(number, c)
	}
	if again := runID(t, s); again != run {
		t.Errorf("started again, as %s after %s", again, run)
	}
}

// A closed ticket's mail that is to be sent again needs its workflow, however often it is signalled.
func TestDeliver_aMailToBeSentAgainStartsAWorkflowThatHasEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Ask(number, end)
	s.Ended(number)
	run := runID(t, s)
	again := s.Accept(number, ticket.Command{Verb: ticket.VerbResend, By: ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}})
	for range 2 {
		s.Tell(number, again)
		s.Await("the command", func() bool { return s.State(number).Command == again.Seq })
		s.Ended(number)
	}
	if runID(t, s) == run {
		t.Error("it was not started again")
	}
}

func TestDeliver_startsATerminatedWorkflowAnew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	if err := s.Temporal.TerminateWorkflow(t.Context(), workflows.TicketID(number), "", "by mistake"); err != nil {
		t.Fatalf("terminate: %v", err)
	}
	s.Ask(number, note)
	s.Ask(number, end)
	s.Ended(number)
	if n := len(s.Events(number)); n != 3 {
		t.Errorf("%d events", n)
	}
}

func TestDispatcher_saysUnavailableWhileTemporalIsAway(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.New(s.Temporal.Client, dispatch.Pages{})
	if err := d.Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
	s.Server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	for what, err := range map[string]error{
		"deliver a submission": d.Deliver(ctx, desk.AcceptedCommand{Number: number, Command: ticket.Command{Seq: 1, Verb: ticket.VerbSubmit}}),
		"deliver a command":    d.Deliver(ctx, desk.AcceptedCommand{Number: number, Command: ticket.Command{Seq: 2, Verb: ticket.VerbNote}}),
		"ready":                d.Ready(ctx),
	} {
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestRegisterAttributes_repeatedAndAtOnceChangesNothing(t *testing.T) {
	t.Parallel()
	server := temporaltest.Start(t)
	c := dial(t, server)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := dispatch.RegisterAttributes(t.Context(), c, client.DefaultNamespace); err != nil {
				t.Errorf("register: %v", err)
			}
		})
	}
	all.Wait()
	before := attributes(t, c)
	server.Kill()
	server.Restart()
	if err := dispatch.RegisterAttributes(t.Context(), c, client.DefaultNamespace); err != nil {
		t.Errorf("register on a database that exists: %v", err)
	}
	after := attributes(t, c)
	want := []string{
		"Assignee Keyword", "EscalationStep Int", "NextDue Datetime", "Paused Bool", "TicketPriority Keyword", "TicketStatus Keyword",
	}
	for _, got := range [][]string{before, after} {
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("%s is missing in %q", line, got)
			}
		}
	}
}

func TestRegisterAttributes_completesWhatIsThere(t *testing.T) {
	t.Parallel()
	c := dial(t, temporaltest.Start(t))
	add(t, c, "Paused", enumspb.INDEXED_VALUE_TYPE_BOOL)
	if err := dispatch.RegisterAttributes(t.Context(), c, client.DefaultNamespace); err != nil {
		t.Errorf("register: %v", err)
	}
	if got := attributes(t, c); !slices.Contains(got, "NextDue Datetime") {
		t.Errorf("registered: %q", got)
	}
}

func TestRegisterAttributes_anotherTypeIsAClearError(t *testing.T) {
	t.Parallel()
	c := dial(t, temporaltest.Start(t))
	add(t, c, "EscalationStep", enumspb.INDEXED_VALUE_TYPE_KEYWORD)
	err := dispatch.RegisterAttributes(t.Context(), c, client.DefaultNamespace)
	if err == nil || !strings.Contains(err.Error(), "search attribute EscalationStep of namespace default is a Keyword, not a Int") {
		t.Errorf("got %v", err)
	}
}

func dial(t *testing.T, server *temporaltest.Server) client.Client {
	t.Helper()
	c, err := dispatch.Connect(dispatch.Options{Address: server.HostPort, Namespace: client.DefaultNamespace})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(c.Close)
	return c.Client
}

func add(t *testing.T, c client.Client, name string, valueType enumspb.IndexedValueType) {
	t.Helper()
	_, err := c.OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
		Namespace: client.DefaultNamespace, SearchAttributes: map[string]enumspb.IndexedValueType{name: valueType},
	})
	if err != nil {
		t.Fatalf("add %s: %v", name, err)
	}
}

// attributes returns the custom search attributes of a namespace, as "Paused Bool".
func attributes(t *testing.T, c client.Client) []string {
	t.Helper()
	have, err := c.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{
		Namespace: client.DefaultNamespace,
	})
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	var lines []string
	for name, valueType := range have.GetCustomAttributes() {
		lines = append(lines, name+" "+valueType.String())
	}
	return lines
}
