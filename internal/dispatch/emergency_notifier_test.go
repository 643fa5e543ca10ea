package dispatch_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/workflows"
)

// emergencyFixture is an emergency schedule and the workflow that is notified of its changes.
type emergencyFixture struct {
	mu                 sync.Mutex
	revision, notified int64
	signals            []int64
	away               error
	tries              int
}

func (b *emergencyFixture) PendingScheduleRevision(context.Context) (int64, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.revision, b.notified < b.revision, nil
}

func (b *emergencyFixture) MarkScheduleNotified(_ context.Context, revision int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notified = revision
	return nil
}

func (b *emergencyFixture) NotifyEmergency(_ context.Context, revision int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if b.away == nil {
		b.signals = append(b.signals, revision)
	}
	return b.away
}

func (b *emergencyFixture) change(away error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revision++
	b.away = away
}

func withNotifier(t *testing.T, b *emergencyFixture, f func(*dispatch.EmergencyNotifier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		notifier := dispatch.NewEmergencyNotifier(b, b, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- notifier.Run(ctx) }()
		synctest.Wait()
		f(notifier)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func TestEmergencyNotifier_notifiesAtOnceWhenWokenAndOnce(t *testing.T) {
	b := &emergencyFixture{}
	withNotifier(t, b, func(n *dispatch.EmergencyNotifier) {
		b.change(nil)
		n.Wake()
		n.Wake()
		synctest.Wait()
		if len(b.signals) != 1 || b.notified != 1 {
			t.Errorf("signals %v, notified up to %d", b.signals, b.notified)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(b.signals) != 1 {
			t.Errorf("%d signals", len(b.signals))
		}
	})
}

func TestEmergencyNotifier_notifiesOfTheNewestWhenTemporalIsBack(t *testing.T) {
	b := &emergencyFixture{}
	withNotifier(t, b, func(n *dispatch.EmergencyNotifier) {
		away := fault.New(fault.Unavailable, "Temporal is not responding")
		b.change(away)
		n.Wake()
		time.Sleep(10 * time.Minute)
		b.change(away)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if b.notified != 0 || b.tries > 20*60/5+20 {
			t.Errorf("notified up to %d after %d tries", b.notified, b.tries)
		}
		b.mu.Lock()
		b.away = nil
		b.mu.Unlock()
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if len(b.signals) != 1 || b.signals[0] != 2 || b.notified != 2 {
			t.Errorf("signals %v, notified up to %d", b.signals, b.notified)
		}
	})
}

func TestEmergencyNotifier_findsWhatAnotherReplicaLeft(t *testing.T) {
	b := &emergencyFixture{}
	withNotifier(t, b, func(*dispatch.EmergencyNotifier) {
		b.change(nil)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if b.notified != 1 {
			t.Error("not notified")
		}
	})
}

func TestEnsureEmergency_startsOneAndReplacesATerminatedOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.New(s.Temporal.Client, dispatch.Pages{})
	run := func() string {
		t.Helper()
		s.Check(d.EnsureEmergencyWorkflow(t.Context()))
		described, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.EmergencyID, "")
		s.Check(err)
		return described.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	}
	first := run()
	if again := run(); again != first {
		t.Errorf("started twice: %s and %s", first, again)
	}
	s.Check(d.NotifyEmergency(t.Context(), 1))
	s.Check(s.Temporal.TerminateWorkflow(t.Context(), workflows.EmergencyID, "", "by mistake"))
	if again := run(); again == first {
		t.Error("it was not started anew")
	}
}
