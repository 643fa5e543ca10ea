package dispatch_test

import (
	"context"
	"strings"
	"testing"
	"time"

	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/worker"
	"github.com/holesalemart/supportdesk/workflows"
)

var allQueues = []string{workflows.TicketQueue, workflows.EmergencyQueue, workflows.MailQueue, workflows.WebhookQueue}

// workAs starts a worker with an identity and a version that polls all queues. stop stops it and waits for its end.
func workAs(t *testing.T, s *desktest.Site, identity string, v worker.Version) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		ended <- worker.Run(ctx, s.Temporal.Client, worker.Activities{
			Steps: activities.NewSteps(s.Desk), Mails: activities.NewMails(s.Desk, time.Second), Webhooks: activities.NewWebhooks(s.Desk),
			Emergencies: new(activities.Emergencies),
		}, worker.Options{Identity: identity, Version: v})
	}()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("worker: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func says(err error, what string) bool { return err != nil && strings.Contains(err.Error(), what) }

func TestPolled_isTrueOfAWorkerThatPollsAndOfNoOther(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.New(s.Temporal, dispatch.Pages{})
	polled := func(identity string) (err error) {
		for _, queue := range allQueues {
			if err = d.Polled(t.Context(), queue, identity); err != nil {
				return err
			}
		}
		return nil
	}
	if err := polled("one"); !says(err, "does not poll the task queue tickets") {
		t.Errorf("before it started: %v", err)
	}
	stop := workAs(t, s, "one", worker.Version{Deployment: "desk", Build: "v1"})
	s.Await("its polls", func() bool { return polled("one") == nil })
	if err := polled("another"); !says(err, "does not poll") || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("of another worker: %v", err)
	}
	stop()
	s.Await("the end of its polls", func() bool { return says(polled("one"), "does not poll") })

	elsewhere, err := dispatch.Connect(dispatch.Options{Address: s.Server.HostPort, Namespace: "nowhere"})
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	if err := dispatch.New(elsewhere, dispatch.Pages{}).Polled(t.Context(), workflows.MailQueue, "one"); !says(err, "Temporal lacks the namespace") {
		t.Errorf("without its namespace: %v", err)
	}
	s.Server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := d.Polled(ctx, workflows.MailQueue, "one"); !says(err, "Temporal is not responding") {
		t.Errorf("without Temporal: %v", err)
	}
}

func TestPolled_isFalseOfAWorkerThatNoLongerPolls(t *testing.T) {
	now := time.Now()
	pollers := []*taskqueuepb.PollerInfo{
		{Identity: "stuck", LastAccessTime: timestamppb.New(now.Add(-91 * time.Second))},
		{Identity: "well", LastAccessTime: timestamppb.New(now.Add(-60 * time.Second))},
	}
	if err := dispatch.PolledAt(pollers, "mail", "well", now, 90*time.Second); err != nil {
		t.Errorf("a minute after a poll: %v", err)
	}
	if err := dispatch.PolledAt(pollers, "mail", "stuck", now, 90*time.Second); !says(err, "has not polled the task queue mail for 1m31s") {
		t.Errorf("longer after it: %v", err)
	}
}
