package dispatch

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// failure is an item whose call failed, and its error.
type failure[T any] struct {
	of  T
	err error
}

// outcomes collects the results of calls for several items.
type outcomes[T any] struct {
	mu          sync.Mutex
	most        int              // counted failures that end it early
	counts      func(error) bool // whether a failure may mean an outage
	done        int
	unavailable int
	failed      []failure[T]
}

func (o *outcomes[T]) add(of T, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		o.done++
		return
	}
	o.failed = append(o.failed, failure[T]{of: of, err: err})
	if o.counts(err) {
		o.unavailable++
	}
}

// hopeless reports whether Temporal or PostgreSQL seems to be unavailable.
func (o *outcomes[T]) hopeless() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done == 0 && o.unavailable >= o.most
}

// forEach calls do with every item, atOnce at a time and no faster than limit, which may be nil. It returns early after
// atOnce failures that counts reports and no success.
func forEach[T any](ctx context.Context, items []T, atOnce int, limit *rate.Limiter, counts func(error) bool, do func(context.Context, T) error) *outcomes[T] {
	o := &outcomes[T]{most: atOnce, counts: counts}
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, item := range items {
		if o.hopeless() || limit != nil && limit.Wait(ctx) != nil {
			break
		}
		group.Go(func() error {
			if !o.hopeless() { // checked again, as this one waited for its turn
				o.add(item, do(ctx, item))
			}
			return nil
		})
	}
	_ = group.Wait() // always nil: errors are added
	return o
}

// withTimeout calls do with a context that ends after attemptTimeout.
func withTimeout[T any](ctx context.Context, item T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return do(ctx, item)
}

func unavailable(err error) bool { return fault.KindOf(err) == fault.Unavailable }

func anyFailure(error) bool { return true }
