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

// bell is a gate, and the workflow that is told of it.
type bell struct {
	mu             sync.Mutex
	revision, told int64
	heard          []int64
	away           error
	tries          int
}

func (b *bell) UntoldGate(context.Context) (int64, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.revision, b.told < b.revision, nil
}

func (b *bell) GateTold(_ context.Context, revision int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = revision
	return nil
}

func (b *bell) TellGate(_ context.Context, revision int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if b.away == nil {
		b.heard = append(b.heard, revision)
	}
	return b.away
}

func (b *bell) change(away error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revision++
	b.away = away
}

func crying(t *testing.T, b *bell, f func(*dispatch.Crier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		crier := dispatch.NewCrier(b, b, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- crier.Run(ctx) }()
		synctest.Wait()
		f(crier)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func TestCrier_tellsAtOnceWhenItIsWokenAndOnce(t *testing.T) {
	b := &bell{}
	crying(t, b, func(c *dispatch.Crier) {
		b.change(nil)
		c.Wake()
		c.Wake()
		synctest.Wait()
		if len(b.heard) != 1 || b.told != 1 {
			t.Errorf("heard %v, told %d", b.heard, b.told)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(b.heard) != 1 {
			t.Errorf("heard %d times", len(b.heard))
		}
	})
}

func TestCrier_tellsOfTheNewestWhenTemporalIsBack(t *testing.T) {
	b := &bell{}
	crying(t, b, func(c *dispatch.Crier) {
		away := fault.New(fault.Unavailable, "Temporal does not answer")
		b.change(away)
		c.Wake()
		time.Sleep(10 * time.Minute)
		b.change(away)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if b.told != 0 || b.tries > 20*60/5+20 {
			t.Errorf("told %d after %d tries", b.told, b.tries)
		}
		b.mu.Lock()
		b.away = nil
		b.mu.Unlock()
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if len(b.heard) != 1 || b.heard[0] != 2 || b.told != 2 {
			t.Errorf("heard %v, told %d", b.heard, b.told)
		}
	})
}

func TestCrier_findsWhatAnotherReplicaLeftUntold(t *testing.T) {
	b := &bell{}
	crying(t, b, func(*dispatch.Crier) {
		b.change(nil)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if b.told != 1 {
			t.Error("nobody was told")
		}
	})
}

func TestKeepEmergency_startsOneAndStartsATerminatedOneAnew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.New(s.Temporal.Client)
	run := func() string {
		t.Helper()
		s.Check(d.KeepEmergency(t.Context()))
		described, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.EmergencyID, "")
		s.Check(err)
		return described.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	}
	first := run()
	if again := run(); again != first {
		t.Errorf("started twice: %s and %s", first, again)
	}
	s.Check(d.TellGate(t.Context(), 1))
	s.Check(s.Temporal.TerminateWorkflow(t.Context(), workflows.EmergencyID, "", "by mistake"))
	if again := run(); again == first {
		t.Error("it was not started anew")
	}
}
