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

// mailTime is how long one try at a mail may take: a mail server has ten minutes to answer that it took a mail, and
// a try that is given up before its answer is a mail sent twice. A worker that died is noticed by its heartbeats.
const mailTimeout = 20 * time.Minute

// permanent are the failures that no retry can mend.
var permanentErrors = []string{fault.NotFound.String()}

// callStep runs the step as a local activity, which costs one event. When PostgreSQL is away for longer than a few
// tries it becomes a regular activity, whose retries cost no events at all: an outage of any length fits in one.
func callStep(ctx workflow.Context, r ticket.StepRequest, summary string) (ticket.StepResult, error) {
	var result ticket.StepResult
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 10 * time.Second, // for all local tries together
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

// stepSummary names what a step is to do. The SDK keeps a local activity's summary as it was before the activity ran, so
// what became of it stands in the result.
func (t *ticketWorkflow) stepSummary(r ticket.StepRequest) string {
	switch {
	case len(r.ByHand) > 0:
		verbs := make([]string, len(r.ByHand))
		for i, m := range r.ByHand {
			verbs[i] = string(m.Verb)
		}
		return listed(verbs) + ", by hand"
	case r.Bounced > 0:
		return fmt.Sprintf("record that mail %d bounced", r.Bounced)
	case r.Delivered > 0:
		return fmt.Sprintf("count the requester's silence from the delivery of mail %d", r.Delivered)
	case r.Gate:
		return "catch up: commands, what is due, emergencies"
	case !r.Due.IsZero():
		return strings.TrimSpace(fmt.Sprintf("%s %s", t.due.Kind, clockName(t.due.Clock))) + ", due " + instant(r.Due)
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

// mostListed names stand in a list.
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

// callMail sends one mail. It is retried until it is sent or counts as undeliverable, which the activity decides: no
// time-out here can tell a mail that servers put off from one that nobody tried while every worker was away. A
// cancelled call is waited for: only then is it certain that no other try is under way.
func callMail(ctx workflow.Context, number ticket.Number, owed ticket.Owed) (ticket.MailResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           MailQueue,
		StartToCloseTimeout: mailTimeout,
		HeartbeatTimeout:    20 * time.Second,
		WaitForCancellation: true,
		Summary:             fmt.Sprintf("mail %d: %s to %s", owed.N, owed.Kind, owed.Recipient()),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second,
			NonRetryableErrorTypes: permanentErrors,
		},
	})
	var result ticket.MailResult
	err := workflow.ExecuteActivity(ctx, MailActivity, ticket.MailRequest{Number: number, N: owed.N}).Get(ctx, &result)
	return result, err
}

// CallQueue is the task queue of webhooks, so that an endpoint which hangs holds up no mail.
const WebhookQueue = "webhooks"

// CallActivity is the name by which calls of webhooks are registered and shown.
const WebhookActivity = "CallWebhook"

// callWebhook makes one call. Like a mail it is retried until it is made or counts as failed, which the activity
// decides. One try takes seconds, so no heartbeat is needed: a worker that died is noticed by the time-out.
func callWebhook(ctx workflow.Context, number ticket.Number, owed ticket.Owed) (ticket.MailResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           WebhookQueue,
		StartToCloseTimeout: 30 * time.Second,
		WaitForCancellation: true,
		Summary:             fmt.Sprintf("call %d: webhook %s", owed.N, owed.Webhook),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute,
			NonRetryableErrorTypes: permanentErrors,
		},
	})
	var result ticket.MailResult
	err := workflow.ExecuteActivity(ctx, WebhookActivity, ticket.MailRequest{Number: number, N: owed.N}).Get(ctx, &result)
	return result, err
}
