package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// overdue checks the tickets that are overdue for a step or a delivery.
func (r *Reconciler) overdue(ctx context.Context) error {
	for until := time.Now().Add(overdueTime); time.Now().Before(until); {
		page, err := r.records.Overdue(ctx, r.options.Patience, overduePage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i, o := range page {
			if o.Seen != o.Mark {
				page[i].Tries = 0
			}
		}
		failed, err := r.each(ctx, page, r.check)
		if err := errors.Join(err, r.deferChecks(ctx, failed)); err != nil {
			return err
		}
	}
	return nil
}

// deferChecks defers the next check of tickets whose check failed. Their pause does not grow while Temporal is
// unavailable.
func (r *Reconciler) deferChecks(ctx context.Context, some []failure[desk.Overdue]) error {
	for _, f := range some {
		next := r.pause(f.of.Tries)
		if fault.KindOf(f.err) == fault.Unavailable {
			next = r.options.Patience
		}
		if err := r.records.Postpone(ctx, f.of, f.of.Tries+1, next); err != nil {
			return err
		}
	}
	return nil
}

// check describes a ticket's workflow, starts it if it is missing, and signals it if it runs without a pending step.
func (r *Reconciler) check(ctx context.Context, o desk.Overdue) error {
	e, err := r.executions.Execution(ctx, o.Number)
	if err != nil {
		return err
	}
	found := classify(o, e)
	if (found == desk.FoundTrying) != (o.Was == desk.FoundTrying) { // another cause, so the pause starts over
		o.Tries = 0
	}
	switch {
	case found == desk.FoundMissing:
		if err := r.restart(ctx, o); err != nil {
			return err
		}
		found = desk.FoundRestarted
	case found == desk.FoundRunning && !e.busy():
		if err := r.executions.Reconcile(ctx, o.Number); err != nil {
			return err
		}
	}
	return r.records.RecordCheck(ctx, o, found, o.Tries+1, r.pause(o.Tries))
}

// classify returns what is found of the workflow of an overdue ticket. Deliveries among its pending activities are
// being tried, however long that takes: a day without SMTP is no fault of the workflow. If a ticket has more than
// ticket.MaxOwed deliveries to send, not all of them can be pending at once.
func classify(o desk.Overdue, e Execution) desk.CheckResult {
	switch {
	case !e.Running:
		return desk.FoundMissing
	case o.Due || o.Undecided:
		return desk.FoundRunning
	case e.Mails >= o.Mails && e.Calls >= o.Calls, o.Owed > ticket.MaxOwed && e.Mails+e.Calls > 0:
		return desk.FoundTrying
	default:
		return desk.FoundRunning
	}
}

// busy reports whether a step is under way or about to be, so that a signal would have no effect.
func (e Execution) busy() bool { return e.Task > 0 || e.Steps > 0 }

func (r *Reconciler) restart(ctx context.Context, o desk.Overdue) error {
	if err := r.records.RecordCheck(ctx, o, desk.FoundMissing, o.Tries, 0); err != nil {
		return err
	}
	if err := r.executions.Reconcile(ctx, o.Number); err != nil {
		return err
	}
	r.restarted.Add(1)
	return r.records.RecordRestarted(ctx)
}

// pause doubles with every check that finds a ticket unchanged.
func (r *Reconciler) pause(tries int) time.Duration {
	return loop.Doubled(r.options.Patience, longestPause, min(tries, longestDouble))
}

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

// RepairAll repairs all tickets that should have a running workflow, and ends the workflows that run although their tickets
// are closed: those of a Temporal that was restored from a backup.
func (r *Reconciler) RepairAll(ctx context.Context, repaired func(int)) error {
	if err := r.executions.EnsureEmergencyWorkflow(ctx); err != nil {
		return err
	}
	done := 0
	err := r.pages(ctx, func(page []ticket.Number) error {
		err := r.Repair(ctx, numbered(page), func(n int) { repaired(done + n) })
		done += len(page)
		return err
	})
	if err != nil {
		return err
	}
	return r.executions.RunningTickets(ctx, func(some []ticket.Number) error {
		settled, err := r.records.WithoutWorkflow(ctx, some)
		if err != nil {
			return err
		}
		_, err = r.each(ctx, numbered(settled), r.end)
		return err
	})
}

func numbered(some []ticket.Number) []desk.Overdue {
	all := make([]desk.Overdue, len(some))
	for i, n := range some {
		all[i].Number = n
	}
	return all
}

// end signals the workflow of a settled ticket to take a step, after which it ends. One that is only listed as running,
// because visibility lags, is left alone: the signal would start another.
func (r *Reconciler) end(ctx context.Context, o desk.Overdue) error {
	e, err := r.executions.Execution(ctx, o.Number)
	if err != nil || !e.Running {
		return err
	}
	return r.touch(ctx, o)
}

func (r *Reconciler) touch(ctx context.Context, o desk.Overdue) error {
	return r.executions.Reconcile(ctx, o.Number)
}

// pages calls do with the tickets that should have a running workflow, a page at a time.
func (r *Reconciler) pages(ctx context.Context, do func([]ticket.Number) error) error {
	for after := ticket.Number(""); ; {
		page, err := r.records.TicketsWithWorkflow(ctx, after, AuditPage)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1]
		if err := do(page); err != nil {
			return err
		}
	}
}
