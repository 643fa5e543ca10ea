package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// samples are durations in no order. All are kept, so percentiles are exact.
type samples struct {
	mu  sync.Mutex
	all []time.Duration
}

func (s *samples) add(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, d)
}

func (s *samples) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// percentile returns the shortest duration within which at least percent of all were.
func (s *samples) percentile(percent float64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return 0
	}
	slices.Sort(s.all)
	rank := int(float64(len(s.all))*percent/100 + 0.999999)
	return s.all[min(max(rank, 1), len(s.all))-1]
}

// each calls do n times, from several clients of which each waits for its call before the next, and returns how long each
// and all took.
func each(ctx context.Context, clients, n int, do func(ctx context.Context, client, i int) error) (*samples, time.Duration, error) {
	var next atomic.Int64
	taken := &samples{}
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for client := range clients {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return ctx.Err()
				}
				start := time.Now()
				if err := do(ctx, client, i); err != nil {
					return err
				}
				taken.add(time.Since(start))
			}
		})
	}
	err := group.Wait()
	return taken, time.Since(began), err
}
