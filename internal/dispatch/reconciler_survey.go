package dispatch

import (
	"context"
	"fmt"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Survey returns the tickets that should have a running workflow and have none. It changes nothing. After every page it calls
// compared with the number of tickets so far. If some could not be checked, it returns an error after all others were.
func (r *Reconciler) Survey(ctx context.Context, compared func(int)) ([]desk.Overdue, error) {
	var lost missing
	all, failed := 0, []failure[desk.Overdue](nil)
	err := r.pages(ctx, func(page []ticket.Number) error {
		all += len(page)
		defer func() { compared(all) }()
		suspects, err := r.suspects(ctx, page)
		if err != nil {
			return err
		}
		some, err := r.each(ctx, suspects, lost.check(r.executions))
		failed = append(failed, some...)
		return err
	})
	if n := len(failed); err == nil && n > 0 {
		err = fmt.Errorf("look at %d tickets, the last %s: %w", n, failed[n-1].of.Number, failed[n-1].err)
	}
	return lost.tickets, err
}

// Repair signals the workflows of some tickets to take a step, and starts those that don't run. After every page it calls
// repaired with the number done.
func (r *Reconciler) Repair(ctx context.Context, some []desk.Overdue, repaired func(int)) error {
	for done := 0; done < len(some); {
		page := some[done:min(done+overduePage, len(some))]
		if _, err := r.each(ctx, page, r.touch); err != nil {
			return err
		}
		done += len(page)
		repaired(done)
	}
	return nil
}

// RepairAll repairs all tickets that should have a running workflow.
func (r *Reconciler) RepairAll(ctx context.Context, repaired func(int)) error {
	if err := r.executions.KeepEmergency(ctx); err != nil {
		return err
	}
	done := 0
	return r.pages(ctx, func(page []ticket.Number) error {
		some := make([]desk.Overdue, len(page))
		for i, n := range page {
			some[i].Number = n
		}
		err := r.Repair(ctx, some, func(n int) { repaired(done + n) })
		done += len(page)
		return err
	})
}

func (r *Reconciler) touch(ctx context.Context, o desk.Overdue) error {
	return r.executions.Reconcile(ctx, o.Number)
}

// pages calls do with the tickets that should have a running workflow, a page at a time.
func (r *Reconciler) pages(ctx context.Context, do func([]ticket.Number) error) error {
	for after := ticket.Number(""); ; {
		page, err := r.records.TicketsWithWorkflow(ctx, after, auditPage)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1]
		if err := do(page); err != nil {
			return err
		}
	}
}
