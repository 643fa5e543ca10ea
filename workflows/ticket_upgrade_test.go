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

// otherVersion is code whose steps differ from today's.
type otherVersion struct {
	interceptor.InterceptorBase
	regular bool // they are regular activities: other commands
	forgets bool // they ask for every mail again: the same commands, with other arguments
}

var (
	rewritten = &otherVersion{regular: true}
	forgetful = &otherVersion{forgets: true}
)

func (v *otherVersion) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &otherVersionInbound{vintage: v}
	in.Next = next
	return in
}

type otherVersionInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	vintage *otherVersion
}

func (v *otherVersionInbound) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &otherVersionOutbound{vintage: v.vintage}
	out.Next = outbound
	return v.Next.Init(out)
}

type otherVersionOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	vintage *otherVersion
}

func (v *otherVersionOutbound) ExecuteLocalActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	if r, ok := args[0].(ticket.StepRequest); ok && v.vintage.forgets {
		r.LastDelivery = 0
		args = []any{r}
	}
	if !v.vintage.regular {
		return v.Next.ExecuteLocalActivity(ctx, activityType, args...)
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second},
	})
	return v.Next.ExecuteActivity(ctx, activityType, args...)
}

// Temporal's own check knows a local activity by its number alone, so it passes a step that asks for something else; the
// transcript shows it.
func TestReplay_aStepWithOtherArgumentsIsSeenInTheTranscript(t *testing.T) {
	for _, file := range []string{stored("answered"), stored("escalated")} {
		today, err := tryReplay(t, file)
		if err != nil {
			t.Fatal(err)
		}
		other, err := tryReplay(t, file, forgetful)
		if err != nil || other == today {
			t.Errorf("%s: the replay says %v, and the transcript is the same: %t", file, err, other == today)
		}
	}
}

// A rollout that no replay was asked about fails loudly, and harms nothing that the next one does not mend.
func TestUpgrade_toOtherCommandsIsCaughtByReplayAndHarmsNothing(t *testing.T) {
	s := desktest.NewSite(t, parse(t, testPolicy))
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

// failedTasks returns the causes of the workflow tasks that failed.
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
