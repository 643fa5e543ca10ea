package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// CallQueue is the task queue of webhooks, so that an endpoint which hangs holds up no mail.
const CallQueue = "webhooks"

// CallActivity is the name by which calls of webhooks are registered and shown.
const CallActivity = "Call"

// callWebhook makes one call. Like a mail it is retried until it is made or counts as failed, which the activity
// decides. One try takes seconds, so no heartbeat is needed: a worker that died is noticed by the time-out.
func callWebhook(ctx workflow.Context, number ticket.Number, owed ticket.Owed) (ticket.MailResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           CallQueue,
		StartToCloseTimeout: 30 * time.Second,
		WaitForCancellation: true,
		Summary:             fmt.Sprintf("call %d: webhook %s", owed.N, owed.Webhook),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute,
			NonRetryableErrorTypes: permanent,
		},
	})
	var result ticket.MailResult
	err := workflow.ExecuteActivity(ctx, CallActivity, ticket.MailRequest{Number: number, N: owed.N}).Get(ctx, &result)
	return result, err
}
