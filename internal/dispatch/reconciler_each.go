package dispatch

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// failure is a ticket with which something could not be done, and why.
type failure struct {
	of  desk.Overdue
	err error
}

// each does something to several tickets at once, no faster than the limit. A ticket with which it can't be done is
// returned and keeps none of the others waiting; when it can be done with none because Temporal is away, that is the error.
func (r *Reconciler) each(ctx context.Context, page []desk.Overdue, do func(context.Context, desk.Overdue) error) ([]failure, error) {
	var t outcomes
	var group errgroup.Group
	group.SetLimit(reconciling)
	for _, o := range page {
		if t.hopeless() || r.limit.Wait(ctx) != nil {
			break
		}
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, attempt)
			defer cancel()
			t.add(o, do(ctx, o))
			return nil
		})
	}
	_ = group.Wait() // none of them returns one
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := t.last(); t.done == 0 && fault.KindOf(err) == fault.Unavailable && r.prepare(ctx) != nil {
		return nil, err
	}
	for _, f := range t.failed {
		r.log.Error("ticket can't be reconciled", "number", f.of.Number, "error", f.err)
	}
	return t.failed, nil
}

// outcomes is what has become of a page so far.
type outcomes struct {
	mu     sync.Mutex
	done   int
	failed []failure
}

func (t *outcomes) add(o desk.Overdue, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.done++
		return
	}
	t.failed = append(t.failed, failure{of: o, err: err})
}

func (t *outcomes) last() error {
	if len(t.failed) == 0 {
		return nil
	}
	return t.failed[len(t.failed)-1].err
}

// hopeless reports whether Temporal or PostgreSQL seems to be away.
func (t *outcomes) hopeless() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done == 0 && len(t.failed) >= reconciling
}
