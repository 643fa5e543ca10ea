package workflows_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/workflows"
)

// transcriber records what a workflow's code asks for, in full. The replayer compares types and IDs only: it accepts a
// timer of another length.
type transcriber struct {
	interceptor.WorkerInterceptorBase
	lines  []string
	report func() (any, error) // the query's answer, without its words: no replay hangs on those
}

func (s *transcriber) add(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// transcript is everything that was asked for, and the state at the end.
func (s *transcriber) transcript() (string, error) {
	report, err := s.report()
	if err != nil {
		return "", err
	}
	end, err := json.MarshalIndent(report, "", "  ")
	return strings.Join(s.lines, "\n") + "\nreport " + string(end) + "\n", err
}

func (s *transcriber) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &transcriberInbound{transcriber: s}
	in.Next = next
	return in
}

type transcriberInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	transcriber *transcriber
}

func (s *transcriberInbound) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &transcriberOutbound{transcriber: s.transcriber}
	out.Next = outbound
	return s.Next.Init(out)
}

// ExecuteWorkflow writes down what a run that goes on as new hands to the next.
func (s *transcriberInbound) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	result, err := s.Next.ExecuteWorkflow(ctx, in)
	if again, ok := errors.AsType[*workflow.ContinueAsNewError](err); ok {
		for _, payload := range again.Input.GetPayloads() {
			s.transcriber.add("continue as new %s", payload.GetData())
		}
	}
	return result, err
}

type transcriberOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	transcriber *transcriber
}

func (s *transcriberOutbound) ExecuteLocalActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	o := workflow.GetLocalActivityOptions(ctx)
	s.transcriber.add("local %s %s, %s in all, %d tries: %s", activityType, encode(args), o.ScheduleToCloseTimeout,
		o.RetryPolicy.MaximumAttempts, o.Summary)
	return s.Next.ExecuteLocalActivity(ctx, activityType, args...)
}

func (s *transcriberOutbound) ExecuteActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	o := workflow.GetActivityOptions(ctx)
	s.transcriber.add("activity %s %s on %q, %s a try, %s in all, retries %s to %s: %s", activityType, encode(args), o.TaskQueue,
		o.StartToCloseTimeout, o.ScheduleToCloseTimeout, o.RetryPolicy.InitialInterval, o.RetryPolicy.MaximumInterval, o.Summary)
	return s.Next.ExecuteActivity(ctx, activityType, args...)
}

func (s *transcriberOutbound) NewTimerWithOptions(ctx workflow.Context, d time.Duration, o workflow.TimerOptions) workflow.Future {
	s.transcriber.add("timer %s: %s", d, o.Summary)
	return s.Next.NewTimerWithOptions(ctx, d, o)
}

func (s *transcriberOutbound) UpsertTypedSearchAttributes(ctx workflow.Context, updates ...temporal.SearchAttributeUpdate) error {
	values := map[string]any{}
	for key, value := range temporal.NewSearchAttributes(updates...).GetUntypedValues() {
		values[key.GetName()] = value
	}
	var line []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		line = append(line, fmt.Sprintf("%s=%v", name, values[name]))
	}
	s.transcriber.add("attributes %s", strings.Join(line, " "))
	return s.Next.UpsertTypedSearchAttributes(ctx, updates...)
}

func (s *transcriberOutbound) SetQueryHandlerWithOptions(ctx workflow.Context, name string, handler any, o workflow.QueryHandlerOptions) error {
	switch report := handler.(type) {
	case func() (workflows.Report, error):
		s.transcriber.report = func() (any, error) {
			r, err := report()
			r.Summary = nil
			return r, err
		}
	case func() (workflows.EmergencyReport, error):
		s.transcriber.report = func() (any, error) { return report() }
	}
	return s.Next.SetQueryHandlerWithOptions(ctx, name, handler, o)
}

func encode(args []any) string {
	data, err := json.Marshal(args)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
