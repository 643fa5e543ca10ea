package activities_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const number ticket.Number = "HM-7Q2K9XM4TD"

// fixture takes steps and sends mails.
type fixture struct {
	step    ticket.StepResult
	bounced bool
	err     error
	wait    <-chan struct{}
	panics  bool
}

func (w fixture) Step(context.Context, ticket.StepRequest) (ticket.StepResult, error) {
	return w.step, w.err
}

func (w fixture) Deliver(context.Context, outbox.Key) (bool, error) {
	if w.wait != nil {
		<-w.wait
	}
	if w.panics {
		panic("a defect")
	}
	return w.bounced, w.err
}

func environment(w fixture, logs *strings.Builder) *testsuite.TestActivityEnvironment {
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(logs, nil))))
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivityWithOptions(activities.NewSteps(w, nil).Step, activity.RegisterOptions{Name: "Step"})
	env.RegisterActivityWithOptions(activities.NewMails(w, time.Millisecond).Mail, activity.RegisterOptions{Name: "SendMail"})
	return env
}

func TestStep_givesTheResult(t *testing.T) {
	var logs strings.Builder
	env := environment(fixture{step: ticket.StepResult{LastCommand: 3}}, &logs)
	value, err := env.ExecuteActivity("Step", ticket.StepRequest{Number: number, Command: 1})
	if err != nil {
		t.Fatalf("step: %v", err)
	}
	var result ticket.StepResult
	if err := value.Get(&result); err != nil || result.LastCommand != 3 {
		t.Errorf("result %+v, %v", result, err)
	}
}

// Every failure that can be repaired is retried, so that no promise is lost.
func TestFailures_onlyUnknownTicketsAndMailsAreNotRetried(t *testing.T) {
	for _, name := range []string{"Step", "SendMail"} {
		for kind, permanent := range map[fault.Kind]bool{
			fault.NotFound: true,
			fault.Internal: false, fault.Unavailable: false, fault.Conflict: false, fault.Invalid: false, fault.Forbidden: false,
			fault.TooLarge: false, fault.Limited: false,
		} {
			t.Run(fmt.Sprint(name, " ", kind), func(t *testing.T) {
				var logs strings.Builder
				env := environment(fixture{err: fmt.Errorf("load: %w", fault.New(kind, "the safe words"))}, &logs)
				_, err := env.ExecuteActivity(name, request(name))
				failure, ok := errors.AsType[*temporal.ApplicationError](err)
				if !ok || failure.Type() != kind.String() || failure.NonRetryable() != permanent {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

func request(name string) any {
	if name == "Step" {
		return ticket.StepRequest{Number: number, Command: 1}
	}
	return ticket.DeliveryRequest{Number: number, N: 1}
}

// Failures are shown in Temporal UI, and stored in histories.
func TestFailures_theCauseIsLoggedAndNeverReachesTemporal(t *testing.T) {
	const canary = "jane@example.com"
	for name, cause := range map[string]error{
		"a fault's cause":       fault.Wrap(errors.New("550 "+canary), fault.Unavailable, "the mail server does not answer"),
		"an unclassified one":   errors.New("no row for " + canary),
		"a cancelled one":       fmt.Errorf("sending to %s: %w", canary, context.Canceled),
		"a cancelled fault":     fault.Wrap(fmt.Errorf("%s: %w", canary, context.Canceled), fault.Unavailable, "away"),
		"a fault of no message": &fault.Error{Kind: fault.Internal, Cause: errors.New(canary)},
	} {
		t.Run(name, func(t *testing.T) {
			var logs strings.Builder
			_, err := environment(fixture{err: cause}, &logs).ExecuteActivity("SendMail", request("SendMail"))
			encoded := temporal.GetDefaultFailureConverter().ErrorToFailure(err)
			if err == nil || strings.Contains(encoded.String(), canary) {
				t.Errorf("Temporal receives %v", encoded)
			}
			if !errors.Is(cause, context.Canceled) && !strings.Contains(logs.String(), canary) {
				t.Errorf("the log lacks the cause: %s", logs.String())
			}
		})
	}
}

func TestMail_anAddressThatRefusesMailIsAResult(t *testing.T) {
	var logs strings.Builder
	value, err := environment(fixture{bounced: true}, &logs).ExecuteActivity("SendMail", request("SendMail"))
	if err != nil {
		t.Fatalf("mail: %v", err)
	}
	var result ticket.DeliveryResult
	if err := value.Get(&result); err != nil || !result.Bounced {
		t.Errorf("result %+v, %v", result, err)
	}
}

func TestMail_beatsWhileItIsOnItsWay(t *testing.T) {
	var logs strings.Builder
	enough := make(chan struct{})
	env := environment(fixture{wait: enough}, &logs)
	var beats atomic.Int32
	env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) {
		if beats.Add(1) == 1 {
			close(enough)
		}
	})
	if _, err := env.ExecuteActivity("SendMail", request("SendMail")); err != nil {
		t.Fatalf("mail: %v", err)
	}
}

// failing is a mail server that accepts no mail.
type failing struct {
	err error
	now func() time.Time
	at  []time.Time // of the tries
}

func (f *failing) Deliver(context.Context, outbox.Key) (bool, error) {
	f.at = append(f.at, f.now())
	return false, f.err
}

func TestMail_leavesAServerAloneThatAsksForALaterTry(t *testing.T) {
	for kind, want := range map[fault.Kind]string{
		fault.Limited:     "[1s 2s 4s 8s 16s 32s 1m4s 2m8s 4m16s 8m32s 10m0s 10m0s 10m0s]",
		fault.Unavailable: "[1s 2s 4s 8s 15s 15s 15s 15s 15s 15s 15s 15s 15s]",
	} {
		t.Run(kind.String(), func(t *testing.T) {
			suite := &testsuite.WorkflowTestSuite{}
			suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
			env := suite.NewTestWorkflowEnvironment()
			server := &failing{err: fmt.Errorf("send: %w", fault.New(kind, "no")), now: env.Now}
			env.RegisterActivityWithOptions(activities.NewMails(server, time.Second).Mail, activity.RegisterOptions{Name: "SendMail"})
			env.ExecuteWorkflow(func(ctx workflow.Context) error {
				return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
					StartToCloseTimeout: time.Minute,
					RetryPolicy:         &temporal.RetryPolicy{MaximumInterval: 15 * time.Second, MaximumAttempts: 14},
				}), "SendMail", request("SendMail")).Get(ctx, nil)
			})
			var pauses []time.Duration
			for i := 1; i < len(server.at); i++ {
				pauses = append(pauses, server.at[i].Sub(server.at[i-1]).Round(time.Second))
			}
			if got := fmt.Sprint(pauses); got != want {
				t.Errorf("pauses %s, want %s", got, want)
			}
		})
	}
}
