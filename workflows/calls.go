package workflows

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mailTime is how long one try at a mail may take: a mail server has ten minutes to answer that it took a mail, and
// a try that is given up before its answer is a mail sent twice. A worker that died is noticed by its heartbeats.
const mailTime = 20 * time.Minute

// permanent are the failures that no retry can mend.
var permanent = []string{fault.NotFound.String()}

// callStep runs the step as a local activity, which costs one event. When PostgreSQL is away for longer than a few
// tries it becomes a regular activity, whose retries cost no events at all: an outage of any length fits in one.
func callStep(ctx workflow.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	var result ticket.StepResult
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 10 * time.Second, // for all local tries together
		Summary:                stepSummary(r),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 2, MaximumAttempts: 4,
			NonRetryableErrorTypes: permanent,
		},
	})
	err := workflow.ExecuteLocalActivity(local, StepActivity, r).Get(ctx, &result)
	if err == nil || isPermanent(err) {
		return result, err
	}
	regular := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second,
		Summary:             stepSummary(r),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 1.5, MaximumInterval: 10 * time.Second,
			NonRetryableErrorTypes: permanent,
		},
	})
	err = workflow.ExecuteActivity(regular, StepActivity, r).Get(ctx, &result)
	return result, err
}

func stepSummary(r ticket.StepRequest) string {
	switch {
	case len(r.ByHand) == 1:
		return fmt.Sprintf("take %s, sent by hand", r.ByHand[0].Verb)
	case len(r.ByHand) > 1:
		return fmt.Sprintf("take %d signals, sent by hand", len(r.ByHand))
	case r.Bounced > 0:
		return fmt.Sprintf("record that mail %d bounced", r.Bounced)
	case r.Delivered > 0:
		return fmt.Sprintf("count the requester's silence from the delivery of mail %d", r.Delivered)
	case r.Gate:
		return "look at the desk's gate"
	case !r.Due.IsZero():
		return "what was due " + instant(r.Due)
	default:
		return fmt.Sprintf("take commands up to %d", r.Command)
	}
}

func isPermanent(err error) bool {
	application, ok := errors.AsType[*temporal.ApplicationError](err)
	return ok && slices.Contains(permanent, application.Type())
}

// callMail sends one mail. It is retried until it is sent or counts as undeliverable, which the activity decides: no
// time-out here can tell a mail that servers put off from one that nobody tried while every worker was away. A
// cancelled call is waited for: only then is it certain that no other try is under way.
func callMail(ctx workflow.Context, number ticket.Number, owed ticket.Owed) (ticket.MailResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           MailQueue,
		StartToCloseTimeout: mailTime,
		HeartbeatTimeout:    20 * time.Second,
		WaitForCancellation: true,
		Summary:             fmt.Sprintf("mail %d: %s to %s", owed.N, owed.Kind, owed.To),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second,
			NonRetryableErrorTypes: permanent,
		},
	})
	var result ticket.MailResult
	err := workflow.ExecuteActivity(ctx, MailActivity, ticket.MailRequest{Number: number, N: owed.N}).Get(ctx, &result)
	return result, err
}
