package dispatch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// audit compares, page by page, the tickets that should have a running workflow with those that Temporal's visibility store
// lists. It finds lost workflows before anything is due. Visibility lags, so suspects are checked one by one.
type audit struct {
	due     time.Time // of the next audit; zero means at once
	running bool
	after   ticket.Number // the last ticket compared
	audited int
}

// auditSome begins an audit when one is due, and continues it for up to auditTime.
func (r *Reconciler) auditSome(ctx context.Context) error {
	a := &r.audit
	if !a.running {
		if time.Now().Before(a.due) {
			return nil
		}
		if err := r.records.RecordAudit(ctx, 0, false); err != nil {
			return err
		}
		*a = audit{due: time.Now().Add(r.options.Audit), running: true}
	}
	for until := time.Now().Add(auditTime); a.running && time.Now().Before(until); {
		if err := r.auditPage(ctx); err != nil {
			return err
		}
		if err := r.records.RecordAudit(ctx, a.audited, !a.running); err != nil {
			return err
		}
		if a.running && !loop.Sleep(ctx, auditPause) {
			return ctx.Err()
		}
	}
	return nil
}

// auditPage advances to the next page even if this one fails: a new audit begins soon after a failure.
func (r *Reconciler) auditPage(ctx context.Context) error {
	a := &r.audit
	page, err := r.records.TicketsWithWorkflow(ctx, a.after, AuditPage)
	if err != nil {
		return err
	}
	a.audited += len(page)
	if a.running = len(page) == AuditPage; a.running {
		a.after = page[len(page)-1]
	}
	suspects, err := r.suspects(ctx, page)
	if err != nil || len(suspects) == 0 {
		return err
	}
	var lost missing
	if _, err := r.each(ctx, suspects, lost.check(r.executions)); err != nil || len(lost.tickets) == 0 {
		return err
	}
	if err := r.records.RecordMissing(ctx, lost.numbers()); err != nil {
		return err
	}
	failed, err := r.each(ctx, lost.tickets, r.revive)
	return errors.Join(err, r.deferChecks(ctx, failed))
}

// suspects returns the tickets of a page that are not listed as running. PostgreSQL is asked once more whether they should
// run, since a ticket may have been closed meanwhile.
func (r *Reconciler) suspects(ctx context.Context, page []ticket.Number) ([]desk.Overdue, error) {
	running, err := r.executions.Running(ctx, page)
	if err != nil {
		return nil, err
	}
	absent := slices.DeleteFunc(page, func(n ticket.Number) bool { return running[n] })
	if len(absent) == 0 {
		return nil, nil
	}
	return r.records.OverdueOf(ctx, r.options.Patience, absent)
}

// missing collects the tickets that have no running workflow.
type missing struct {
	mu      sync.Mutex
	tickets []desk.Overdue
}

func (m *missing) check(e executions) func(context.Context, desk.Overdue) error {
	return func(ctx context.Context, o desk.Overdue) error {
		found, err := e.Execution(ctx, o.Number)
		if err == nil && !found.Running {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.tickets = append(m.tickets, o)
		}
		return err
	}
}

func (m *missing) numbers() []ticket.Number {
	all := make([]ticket.Number, len(m.tickets))
	for i, o := range m.tickets {
		all[i] = o.Number
	}
	return all
}

// revive starts a ticket's workflow. Anything else that is overdue is found by the next round.
func (r *Reconciler) revive(ctx context.Context, o desk.Overdue) error {
	if err := r.restart(ctx, o); err != nil {
		return err
	}
	return r.records.DeleteCheck(ctx, o.Number)
}
