package worker_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/worker"
	"github.com/holesalemart/supportdesk/workflows"
)

const number ticket.Number = "HM-7Q2K9XM4TD"

// slowFixture is a desk whose first step, or first mail, takes until the worker is asked to stop.
type slowFixture struct {
	*desktest.Desk
	step, mail bool
	entered    chan struct{}
	times      atomic.Int32
}

func (l *slowFixture) wait(ctx context.Context) {
	if l.times.Add(1) == 1 {
		close(l.entered)
		<-activity.GetWorkerStopChannel(ctx)
	}
}

func (l *slowFixture) Step(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	if l.step {
		l.wait(ctx)
	}
	return l.Desk.Step(ctx, r)
}

func (l *slowFixture) Deliver(ctx context.Context, k outbox.Key) (bool, error) {
	if l.mail {
		l.wait(ctx)
	}
	return l.Desk.Deliver(ctx, k)
}

// stopDuring submits a ticket, and stops the worker while it is about its work.
func stopDuring(t *testing.T, s *desktest.Site, l *slowFixture) {
	t.Helper()
	l.Desk, l.entered = s.Desk, make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- worker.Run(ctx, s.Temporal.Client, worker.Activities{
			Steps: activities.NewSteps(l, nil), Mails: activities.NewMails(l, time.Second),
		}, worker.Options{})
	}()
	s.Tell(number, s.Submit(number))
	<-l.entered
	cancel()
	if err := <-ended; err != nil {
		t.Fatalf("run: %v", err)
	}
}

func TestRun_finishesAMailThatIsOnItsWay(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	stopDuring(t, s, &slowFixture{mail: true})
	if left := s.Unsettled(number); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	// No worker runs any more, so this was said before it ended.
	events := s.Temporal.GetWorkflowHistory(t.Context(), workflows.TicketID(number), "", false,
		enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatalf("read the history: %v", err)
		}
		if event.GetEventType() == enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED {
			return
		}
	}
	t.Error("Temporal does not know that the mail is sent, and will have it tried again")
}

func TestRun_finishesAStepThatIsUnderWayAndTheNextWorkerGoesOn(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	stopDuring(t, s, &slowFixture{step: true})
	if !s.Happened(number, ticket.EventSubmitted, 1) {
		t.Error("the step was cut short")
	}
	s.Work()
	s.Await("the receipt", func() bool { return s.State(number).LastDelivery == 1 && len(s.Unsettled(number)) == 0 })
	if n := len(s.Events(number)); n != 1 {
		t.Errorf("%d events of one submission", n)
	}
}

func TestRun_failsWhenTemporalRefusesItForGood(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	elsewhere, err := dispatch.Connect(dispatch.Options{
		Address: s.Server.HostPort, Namespace: "nowhere", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer elsewhere.Close()
	err = worker.Run(t.Context(), elsewhere.Client, worker.Activities{
		Steps: activities.NewSteps(s.Desk, nil), Mails: activities.NewMails(s.Desk, time.Second),
	}, worker.Options{})
	if err == nil {
		t.Error("it ended without an error")
	}
}

func TestRun_returnsAtOnceWhenNothingIsUnderWay(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	stop := s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the receipt", func() bool { return s.State(number).LastDelivery == 1 && len(s.Unsettled(number)) == 0 })
	began := time.Now()
	stop()
	if took := time.Since(began); took > 20*time.Second { // it would wait 25 seconds for what is under way
		t.Errorf("stopping took %s", took)
	}
}
