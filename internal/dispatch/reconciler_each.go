package dispatch

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// each does something to several tickets at once, no faster than the limit. A ticket with which it can't be done is
// returned and keeps none of the others waiting; when it can be done with none because Temporal is away, that is the error.
func (r *Reconciler) each(ctx context.Context, page []desk.Overdue, do func(context.Context, desk.Overdue) error) ([]failure[desk.Overdue], error) {
	o := each(ctx, page, reconciling, r.limit, anyFailure, func(ctx context.Context, one desk.Overdue) error { return within(ctx, one, do) })
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if n := len(o.failed); n > 0 && o.done == 0 {
		if err := o.failed[n-1].err; unavailable(err) && r.prepare(ctx) != nil {
			return nil, err
		}
	}
	for _, f := range o.failed {
		r.log.Error("ticket can't be reconciled", "number", f.of.Number, "error", f.err)
	}
	return o.failed, nil
}
