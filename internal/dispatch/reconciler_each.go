package dispatch

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// each does something to several tickets at once, no faster than the limit. A ticket with which it can't be done is put off
// and keeps none of the others waiting; when it can be done with none because Temporal is away, nothing is put off.
func (r *Reconciler) each(ctx context.Context, page []desk.Overdue, do func(context.Context, desk.Overdue) error) error {
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
		return ctx.Err()
	}
	if t.done == 0 && len(t.failed) > 0 && fault.KindOf(t.err) == fault.Unavailable {
		if away := r.prepare(ctx); away != nil {
			return t.err
		}
	}
	for _, o := range t.failed {
		r.log.Error("ticket can't be reconciled", "number", o.Number, "error", t.err)
		if err := r.records.NoteFound(ctx, o, desk.FoundRunning, o.Tries+1, r.pause(o.Tries)); err != nil {
			return err
		}
	}
	return nil
}

// outcomes is what has become of a page so far.
type outcomes struct {
	mu     sync.Mutex
	done   int
	failed []desk.Overdue
	err    error // the last one
}

func (t *outcomes) add(o desk.Overdue, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.done++
		return
	}
	t.failed, t.err = append(t.failed, o), err
}

// hopeless reports whether Temporal or PostgreSQL seems to be away.
func (t *outcomes) hopeless() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done == 0 && len(t.failed) >= reconciling
}
