package workflows_test

import (
	"math"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// patient has activities tried without limit, as the server does. The test environment gives up after ten tries.
// It notes which activities were asked for as regular ones.
type patient struct {
	interceptor.WorkerInterceptorBase
	regular *[]string // activity types
}

func (p *patient) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &patientInbound{regular: p.regular}
	in.Next = next
	return in
}

type patientInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	regular *[]string
}

func (p *patientInbound) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &patientOutbound{regular: p.regular}
	out.Next = outbound
	return p.Next.Init(out)
}

type patientOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	regular *[]string
}

func (p *patientOutbound) ExecuteActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	*p.regular = append(*p.regular, activityType)
	policy := *workflow.GetActivityOptions(ctx).RetryPolicy
	if policy.MaximumAttempts == 0 {
		policy.MaximumAttempts = math.MaxInt32
	}
	return p.Next.ExecuteActivity(workflow.WithRetryPolicy(ctx, policy), activityType, args...)
}
