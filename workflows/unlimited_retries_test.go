package workflows_test

import (
	"math"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// unlimitedRetries has activities retried without limit, as the server does; the test environment stops after ten
// attempts. It records which activities were asked for as regular ones.
type unlimitedRetries struct {
	interceptor.WorkerInterceptorBase
	regular *[]string // activity types
}

func (p *unlimitedRetries) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &unlimitedRetriesInbound{regular: p.regular}
	in.Next = next
	return in
}

type unlimitedRetriesInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	regular *[]string
}

func (p *unlimitedRetriesInbound) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &unlimitedRetriesOutbound{regular: p.regular}
	out.Next = outbound
	return p.Next.Init(out)
}

type unlimitedRetriesOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	regular *[]string
}

func (p *unlimitedRetriesOutbound) ExecuteActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	*p.regular = append(*p.regular, activityType)
	policy := *workflow.GetActivityOptions(ctx).RetryPolicy
	if policy.MaximumAttempts == 0 {
		policy.MaximumAttempts = math.MaxInt32
	}
	return p.Next.ExecuteActivity(workflow.WithRetryPolicy(ctx, policy), activityType, args...)
}
