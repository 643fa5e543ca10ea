package loop_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/loop"
)

// fixture is a running loop whose work fails with err and otherwise waits a minute.
type fixture struct {
	*loop.Loop
	mu    sync.Mutex
	err   error
	calls int
	log   bytes.Buffer
}

func run(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{}
		f.Loop = loop.New(loop.Options{
			First: time.Second, Max: 4 * time.Second, Failing: "failing", Recovered: "recovered",
			Log: slog.New(slog.NewTextHandler(&f.log, nil)),
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- f.Run(ctx, f.work)
		}()
		synctest.Wait()
		test(t, f)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func (f *fixture) work(context.Context) (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	return time.Minute, f.err
}

func (f *fixture) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// after checks the number of calls after a while.
func (f *fixture) after(t *testing.T, d time.Duration, calls int) {
	t.Helper()
	time.Sleep(d)
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls != calls {
		t.Errorf("%d calls, want %d", f.calls, calls)
	}
}

func TestLoop_sweepsAndIsWoken(t *testing.T) {
	run(t, func(t *testing.T, f *fixture) {
		f.after(t, 59*time.Second, 1)
		f.after(t, time.Second, 2)
		f.Wake()
		f.after(t, 0, 3)
	})
}

func TestLoop_backsOffWithinItsBoundsHoweverOftenItIsWokenAndLogsOnce(t *testing.T) {
	run(t, func(t *testing.T, f *fixture) {
		f.fail(errors.New("away"))
		f.Wake()
		f.after(t, 0, 2)
		for _, pause := range []time.Duration{1, 2, 4, 4} {
			f.Wake()
			before := f.calls
			f.after(t, pause*time.Second-1, before)
			f.after(t, 1, before+1)
		}
		f.fail(nil)
		f.after(t, 4*time.Second, 8) // the pending wake is one more
		if n, m := strings.Count(f.log.String(), "failing"), strings.Count(f.log.String(), "recovered"); n != 1 || m != 1 {
			t.Errorf("logged %d failures and %d recoveries", n, m)
		}
		f.fail(errors.New("away again"))
		f.Wake()
		f.after(t, 0, 9)
		f.after(t, time.Second, 10) // the first pause anew
	})
}

func TestDoubled_staysWithinItsBounds(t *testing.T) {
	for n, want := range map[int]time.Duration{-1: time.Second, 0: time.Second, 1: 2 * time.Second, 2: 4 * time.Second, 3: 5 * time.Second, 1 << 40: 5 * time.Second} {
		if got := loop.Doubled(time.Second, 5*time.Second, n); got != want {
			t.Errorf("%d times: %s, want %s", n, got, want)
		}
	}
}

func TestEvery_makesUpForASlowCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var calls []time.Duration
		stop := loop.Every(t.Context(), time.Second, func(context.Context) {
			calls = append(calls, time.Since(began))
			if len(calls) == 1 {
				time.Sleep(3500 * time.Millisecond)
			}
		})
		time.Sleep(5500 * time.Millisecond)
		stop()
		if want := []time.Duration{time.Second, 4500 * time.Millisecond, 5 * time.Second}; !slices.Equal(calls, want) {
			t.Errorf("calls at %v, want %v", calls, want)
		}
	})
}

func TestEvery_callsAtEachIntervalUntilItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, over, start, first := 0, 0, time.Now(), time.Time{}
		stop := loop.Every(t.Context(), time.Second, func(context.Context) {
			if begun++; begun == 1 {
				first = time.Now()
			}
			time.Sleep(500 * time.Millisecond)
			over++
		})
		time.Sleep(3250 * time.Millisecond) // into the third call
		stop()
		if wait := first.Sub(start); wait != time.Second {
			t.Errorf("it is first called after %s", wait)
		}
		if over != 3 {
			t.Errorf("it is stopped after %d calls, want 3", over)
		}
		time.Sleep(time.Minute)
		if begun != 3 {
			t.Errorf("%d calls, and none once it is stopped; want 3", begun)
		}
	})
}
