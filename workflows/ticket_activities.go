package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mailTimeout limits one attempt to send a mail. A mail server may take ten minutes to acknowledge it, and an attempt that
// ends earlier sends the mail twice. The heartbeat time-out covers workers that died.
const mailTimeout = 20 * time.Minute

// permanentErrors are the types of errors that are not retried.
var permanentErrors = []string{fault.NotFound.String()}

// callStep runs the step as a local activity, which costs one event. If PostgreSQL is unavailable for longer than a few
// attempts, it becomes a regular activity, whose retries cost no events, however long the outage.
func callStep(ctx workflow.Context, r ticket.StepRequest, summary string) (ticket.StepResult, error) {
	var result ticket.StepResult
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 10 * time.Second, // for all local attempts together
		Summary:                summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 2, MaximumAttempts: 4,
			NonRetryableErrorTypes: permanentErrors,
		},
	})
	err := workflow.ExecuteLocalActivity(local, StepActivity, r).Get(ctx, &result)
	if err == nil || isPermanent(err) {
		return result, err
	}
	regular := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second,
		Summary:             summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 1.5, MaximumInterval: 10 * time.Second,
			NonRetryableErrorTypes: permanentErrors,
		},
	})
	err = workflow.ExecuteActivity(regular, StepActivity, r).Get(ctx, &result)
	return result, err
}

// stepSummary describes what a step will do. The SDK records the summary of a local activity before it runs, so outcomes
// are only in its result.
func (t *ticketWorkflow) stepSummary(r ticket.StepRequest) string {
	switch {
	case len(r.Manual) > 0:
		verbs := make([]string, len(r.Manual))
		for i, m := range r.Manual {
			verbs[i] = string(m.Verb)
		}
		return listed(verbs) + " (manual)"
	case r.Bounced > 0:
		return fmt.Sprintf("record that email %d bounced", r.Bounced)
	case r.Delivered > 0:
		return fmt.Sprintf("start silence: email %d was delivered", r.Delivered)
	case r.CatchUp:
		return "catch up on commands, due events and emergencies"
	case !r.Due.IsZero():
		return strings.TrimSpace(fmt.Sprintf("%s %s", t.due.Kind, t.due.Clock.Words())) + ", due " + instant(r.Due)
	case len(t.claims) == 0:
		return fmt.Sprintf("commands up to %d", r.Command)
	default:
		verbs := make([]string, len(t.claims))
		for i, c := range t.claims {
			verbs[i] = fmt.Sprintf("%s (command %d)", c.Verb, c.Seq)
		}
		return listed(verbs)
	}
}

// maxListed is the maximum number of names in a summary.
const maxListed = 3

func listed(names []string) string {
	some := strings.Join(names[:min(len(names), maxListed)], ", ")
	if more := len(names) - maxListed; more > 0 {
		some += fmt.Sprintf(" and %d more", more)
	}
	return some
}

func isPermanent(err error) bool {
	application, ok := errors.AsType[*temporal.ApplicationError](err)
	return ok && slices.Contains(permanentErrors, application.Type())
}

// callSendNow tries once to send a mail within the workflow task. If its result is Pending or it fails, callMail must send it.
func callSendNow(ctx workflow.Context, number ticket.Number, owed ticket.Owed) (ticket.DeliveryResult, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: sendNowTimeout,
		Summary:             owed.Summary(),
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	var result ticket.DeliveryResult
	err := workflow.ExecuteLocalActivity(ctx, SendNowActivity, ticket.DeliveryRequest{Number: number, N: owed.N}).Get(ctx, &result)
	return result, err
}

// sendNowTimeout is longer than the activity takes.
const sendNowTimeout = 5 * time.Second

// callMail sends one mail. It is retried until the activity reports that the mail was sent or is undeliverable; a time-out
// could not distinguish a mail that servers deferred from one never tried because no worker ran. A cancelled call returns
// only when the attempt has ended, so that no two attempts overlap.
func callMail(ctx workflow.Context, number ticket.Number, owed ticket.Owed) (ticket.DeliveryResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           MailQueue,
		StartToCloseTimeout: mailTimeout,
		HeartbeatTimeout:    20 * time.Second,
		WaitForCancellation: true,
		Summary:             owed.Summary(),
		Priority:            mailPriority(owed),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second,
			NonRetryableErrorTypes: permanentErrors,
		},
	})
	var result ticket.DeliveryResult
	err := workflow.ExecuteActivity(ctx, MailActivity, ticket.DeliveryRequest{Number: number, N: owed.N}).Get(ctx, &result)
	return result, err
}

// lowestPriority is the lowest that a Temporal server has unless it is configured otherwise. The default is 3.
const lowestPriority = 5

// mailPriority lets other mails overtake receipts, of which a rush of submissions causes more than the rate of mails has room
// for. A server that knows no priorities ignores it.
func mailPriority(owed ticket.Owed) temporal.Priority {
	if owed.Kind == ticket.MailReceipt {
		return temporal.Priority{PriorityKey: lowestPriority}
	}
	return temporal.Priority{}
}

// WebhookQueue is the task queue of webhooks, which is separate so that a slow endpoint delays no mail.
const WebhookQueue = "webhooks"

// WebhookActivity is the name of the activity that calls a webhook.
const WebhookActivity = "CallWebhook"

// callWebhook makes one call. It is retried until the activity reports that the call succeeded or failed permanently. An
// attempt takes seconds, so it needs no heartbeats.
func callWebhook(ctx workflow.Context, number ticket.Number, owed ticket.Owed) (ticket.DeliveryResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           WebhookQueue,
		StartToCloseTimeout: 30 * time.Second,
		WaitForCancellation: true,
		Summary:             fmt.Sprintf("webhook call %d: %s", owed.N, owed.Webhook),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute,
			NonRetryableErrorTypes: permanentErrors,
		},
	})
	var result ticket.DeliveryResult
	err := workflow.ExecuteActivity(ctx, WebhookActivity, ticket.DeliveryRequest{Number: number, N: owed.N}).Get(ctx, &result)
	return result, err
}
