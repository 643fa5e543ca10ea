package workflows_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// vintage is code of another day: it answers every question of versions.go for good, and records nothing of that, as
// code does that was written before, or without, the patch.
type vintage struct {
	interceptor.InterceptorBase
	version workflow.Version
	regular bool // its steps are no local activities
}

var (
	older     = &vintage{version: workflow.DefaultVersion}                // before the changes that are patched
	careless  = &vintage{version: 1}                                      // with the changes, and without their patches
	rewritten = &vintage{version: workflow.DefaultVersion, regular: true} // with a change that asks for other commands
)

func (v *vintage) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &vintageInbound{vintage: v}
	in.Next = next
	return in
}

type vintageInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	vintage *vintage
}

func (v *vintageInbound) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &vintageOutbound{vintage: v.vintage}
	out.Next = outbound
	return v.Next.Init(out)
}

type vintageOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	vintage *vintage
}

func (v *vintageOutbound) GetVersion(workflow.Context, string, workflow.Version, workflow.Version) workflow.Version {
	return v.vintage.version
}

func (v *vintageOutbound) ExecuteLocalActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	if !v.vintage.regular {
		return v.Next.ExecuteLocalActivity(ctx, activityType, args...)
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second},
	})
	return v.Next.ExecuteActivity(ctx, activityType, args...)
}

// pressing has a deadline soon enough to be waited for, and late enough to be pending while workers change.
const pressing = `
time_zone: UTC
clocks:
  first_response: {target: 8s, counts: calendar, remind_at: 25%}
  resolution: {target: 1h, counts: calendar, remind_at: 90%, pauses: [waiting, resolved]}
silence: {nudge_after: 1d, resolve_after: 2d, close_after: 3d}
escalation:
  - {after: 0s, tell: [assignee, supervisors], raise_priority: true}
`

// Not parallel: workers of one process share what they keep in memory, and here each is to know what the server says.
func TestUpgrade_inTheMiddleOfALifeLosesNothing(t *testing.T) {
	const second ticket.Number = "HM-8Q2K9XM4TD"
	s := desktest.NewSite(t, parse(t, pressing))
	stop := s.WorkAs(older)
	ignored(s)
	s.Tell(second, s.Submit(second))
	s.Await("the second one", func() bool { return s.State(second).Command == 1 })
	stop()
	for _, n := range []ticket.Number{number, second} {
		if s.Happened(n, ticket.EventBreached, 1) {
			t.Fatalf("%s: the timer that was to be pending has fired", n)
		}
	}

	s.Work()
	for _, n := range []ticket.Number{number, second} {
		s.Await("the timer that the older worker set", func() bool { return s.Happened(n, ticket.EventEscalated, 1) })
		s.Check(s.Temporal.SignalWorkflow(t.Context(), workflows.TicketID(n), "", string(strange), nil))
		s.Ask(n, ticket.Command{Verb: ticket.VerbNote, By: alice, Message: 7})
		s.Await("its mails", func() bool { return len(s.Unsettled(n)) == 0 })
	}
	s.Await("the refusal", func() bool { return s.Happened(second, ticket.EventRefused, 1) })
	for _, n := range []ticket.Number{number, second} {
		s.Ask(n, ticket.Command{Verb: ticket.VerbClose, By: alice})
		s.Ended(n)
		if failed := failedTasks(t, s, n); len(failed) > 0 {
			t.Errorf("%s: tasks failed: %v", n, failed)
		}
	}
	if s.Happened(number, ticket.EventRefused, 1) {
		t.Error("a run that began with the older code does not go on in its way")
	}
}

// The counter-test: the same change without its patch goes another way through the same history. Temporal's own check
// does not see it, because it knows a local activity by its number alone; the transcript does.
func TestUpgrade_withoutThePatchIsSeenInTheTranscript(t *testing.T) {
	file := filepath.Join(histories, "v2-stray-ignored.json")
	want := replay(t, file, older)
	if strings.Contains(want, `"verb":"unknown"`) {
		t.Errorf("the older code refuses strays too:\n%s", want)
	}
	if got := replay(t, file); got != want {
		t.Errorf("with the patch, the transcript is\n%s\nand was\n%s", got, want)
	}
	if got := replay(t, file, careless); !strings.Contains(got, `"verb":"unknown"`) {
		t.Errorf("without the patch nothing differs:\n%s", got)
	}
}

// A rollout that no replay was asked about fails loudly, and harms nothing that the next one does not mend.
func TestUpgrade_toOtherCommandsIsCaughtByReplayAndHarmsNothing(t *testing.T) {
	s := desktest.NewSite(t, parse(t, promises))
	stop := s.Work()
	s.Tell(number, s.Submit(number))
	s.Ask(number, assignToAlice())
	s.Await("its mails", func() bool { return len(s.Unsettled(number)) == 0 })
	stop()

	file := filepath.Join(t.TempDir(), "history.json")
	writeFile(t, file, fetch(t, s.Temporal, workflows.TicketID(number)))
	if _, err := tryReplay(t, file, rewritten); err == nil || !strings.Contains(err.Error(), "TMPRL1100") {
		t.Errorf("a replay says %v", err)
	}
	if _, err := tryReplay(t, file); err != nil {
		t.Errorf("of today's code, a replay says: %v", err)
	}

	stop = s.WorkAs(rewritten)
	s.Tell(number, s.Accept(number, words(alice, ticket.VerbAgentReply)))
	s.Await("a failed task", func() bool { return len(failedTasks(t, s, number)) > 0 })
	if failed := failedTasks(t, s, number); failed[0] != enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR {
		t.Errorf("it failed for %v", failed)
	}
	if s.State(number).Command != 2 {
		t.Errorf("a step was taken by code that does not know where it is: command %d", s.State(number).Command)
	}
	stop()

	s.Work()
	s.Await("the reply", func() bool { return s.State(number).Command == 3 })
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
	s.Ended(number)
}

// failedTasks gives the causes of the workflow tasks that failed.
func failedTasks(t *testing.T, s *desktest.Site, n ticket.Number) []enumspb.WorkflowTaskFailedCause {
	t.Helper()
	var causes []enumspb.WorkflowTaskFailedCause
	history := s.Temporal.GetWorkflowHistory(t.Context(), workflows.TicketID(n), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err != nil {
			t.Fatalf("read the history: %v", err)
		}
		if failed := event.GetWorkflowTaskFailedEventAttributes(); failed != nil {
			causes = append(causes, failed.GetCause())
		}
	}
	return causes
}
