package batch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/batch"
)

// bench is a Batcher whose runs wait to be released.
type bench struct {
	*batch.Batcher[int]
	released chan struct{}
	mu       sync.Mutex
	batches  [][]int
}

var errOdd = errors.New("odd")

func newBench(runs, most int) *bench {
	b := &bench{released: make(chan struct{})}
	b.Batcher = batch.New(runs, most, func(ctx context.Context, items []*batch.Item[int]) {
		<-b.released
		var values []int
		for _, i := range items {
			values = append(values, i.Value)
		}
		b.mu.Lock()
		b.batches = append(b.batches, values)
		b.mu.Unlock()
		for _, i := range items {
			if err := ctx.Err(); err != nil || i.Value%2 == 0 {
				i.Finish(err)
				continue
			}
			i.Finish(errOdd)
		}
	})
	return b
}

// do has each of some values worked on by a caller of its own, one after the other.
func (b *bench) do(t *testing.T, all *sync.WaitGroup, values ...int) {
	t.Helper()
	for _, v := range values {
		all.Go(func() {
			want := error(nil)
			if v%2 != 0 {
				want = errOdd
			}
			if err := b.Do(t.Context(), v); !errors.Is(err, want) {
				t.Errorf("%d: %v", v, err)
			}
		})
		synctest.Wait()
	}
}

func TestBatcher_worksOnThoseWhoWaitTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(1, 3)
		var all sync.WaitGroup
		b.do(t, &all, 1, 2, 3, 4, 5, 6)
		if n := b.Waiting(); n != 5 {
			t.Errorf("%d wait, and 5 came while the first was being worked on", n)
		}
		close(b.released)
		all.Wait()
		if want := [][]int{{1}, {2, 3, 4}, {5, 6}}; !slices.EqualFunc(b.batches, want, slices.Equal) {
			t.Errorf("batches %v, want %v", b.batches, want)
		}
	})
}

func TestBatcher_hasAsManyRunsAsItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(2, 10)
		var all sync.WaitGroup
		b.do(t, &all, 2, 4, 6)
		if n := b.Waiting(); n != 1 {
			t.Errorf("%d wait, want 1", n)
		}
		close(b.released)
		all.Wait()
	})
}

func TestBatcher_theEndOfOneCallersContextIsNotTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(1, 10)
		var all sync.WaitGroup
		ctx, leave := context.WithCancel(t.Context())
		for _, v := range []int{2, 4} { // the first is worked on, and the other waits
			all.Go(func() {
				if err := b.Do(ctx, v); err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("%d: %v", v, err)
				}
			})
			synctest.Wait()
		}
		b.do(t, &all, 6, 7)
		leave()
		synctest.Wait()
		close(b.released)
		all.Wait()
		if want := [][]int{{2}, {6, 7}}; !slices.EqualFunc(b.batches, want, slices.Equal) {
			t.Errorf("batches %v, want %v", b.batches, want)
		}
	})
}

// ended is a context that has ended when its end is asked for, which is after the work.
type ended struct {
	context.Context
	worked chan struct{}
}

func (c ended) Done() <-chan struct{} {
	<-c.worked
	return c.Context.Done()
}

// A caller that hears nothing repeats what it asked for.
func TestDo_returnsWhatIsKnownAlsoAfterItsTime(t *testing.T) {
	for range 100 { // a select with two cases that are ready chooses either
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		worked := make(chan struct{})
		b := batch.New(1, 1, func(_ context.Context, items []*batch.Item[int]) {
			items[0].Finish(nil)
			close(worked)
		})
		if err := b.Do(ended{ctx, worked}, 1); err != nil {
			t.Fatalf("what was done ends with %v", err)
		}
	}
}

// A request ends at its limit, also the one whose item is worked on, and what it asked for is done for the others.
func TestDo_endsWithItsContextWhileItIsWorkedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(1, 10)
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		if err := b.Do(ctx, 2); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ends with %v", err)
		}
		ctx, leave = context.WithTimeout(t.Context(), time.Second)
		defer leave()
		go func() { _ = b.Do(ctx, 4) }()
		synctest.Wait()
		close(b.released)
		b.Close()
		if want := [][]int{{2}, {4}}; !slices.EqualFunc(b.batches, want, slices.Equal) {
			t.Errorf("batches %v, want %v", b.batches, want)
		}
	})
}

func TestDo_returnsAPanicAndWorksOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batch.New(1, 10, func(_ context.Context, items []*batch.Item[int]) {
			for _, i := range items {
				if i.Value%2 != 0 {
					panic("odd")
				}
				i.Finish(nil)
			}
		})
		if err := b.Do(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "odd") || !strings.Contains(err.Error(), "batch_test.go") {
			t.Errorf("a panic ends with %v", err)
		}
		if err := b.Do(t.Context(), 2); err != nil {
			t.Errorf("after a panic: %v", err)
		}
	})
}
