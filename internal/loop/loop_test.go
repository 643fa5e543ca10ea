package loop_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/loop"
)

// fixture is a running loop whose work fails with err and otherwise waits a minute.
type fixture struct {
	*loop.Loop
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
			ended <- f.Run(ctx, func(context.Context) (time.Duration, error) { f.calls++; return time.Minute, f.err })
		}()
		synctest.Wait()
		test(t, f)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// after checks the number of calls after a while.
func (f *fixture) after(t *testing.T, d time.Duration, calls int) {
	t.Helper()
	time.Sleep(d)
	synctest.Wait()
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
		f.err = errors.New("away")
		f.Wake()
		f.after(t, 0, 2)
		for _, pause := range []time.Duration{1, 2, 4, 4} {
			f.Wake()
			before := f.calls
			f.after(t, pause*time.Second-1, before)
			f.after(t, 1, before+1)
		}
		f.err = nil
		f.after(t, 4*time.Second, 8) // the pending wake is one more
		if n, m := strings.Count(f.log.String(), "failing"), strings.Count(f.log.String(), "recovered"); n != 1 || m != 1 {
			t.Errorf("logged %d failures and %d recoveries", n, m)
		}
		f.err = errors.New("away again")
		f.Wake()
		f.after(t, 0, 9)
		f.after(t, time.Second, 10) // the first pause anew
	})
}
