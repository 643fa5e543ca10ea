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

// audit compares, page by page, the tickets that should have a running workflow with what Temporal's visibility store says
// runs. It finds what is lost before anything is due. Visibility lags, so it only raises a suspicion.
type audit struct {
	due     time.Time // of the next one; zero: at once
	running bool
	after   ticket.Number // up to here it has come
	audited int
}

// auditSome begins an audit when one is due, and goes on with it for a while.
func (r *Reconciler) auditSome(ctx context.Context) error {
	a := &r.audit
	if !a.running {
		if time.Now().Before(a.due) {
			return nil
		}
		if err := r.records.NoteAudit(ctx, 0, false); err != nil {
			return err
		}
		*a = audit{due: time.Now().Add(r.options.Audit), running: true}
	}
	for until := time.Now().Add(auditTime); a.running && time.Now().Before(until); {
		if err := r.auditPage(ctx); err != nil {
			return err
		}
		if err := r.records.NoteAudit(ctx, a.audited, !a.running); err != nil {
			return err
		}
		if a.running && !loop.Sleep(ctx, auditPause) {
			return ctx.Err()
		}
	}
	return nil
}

// auditPage goes on to the next page whatever comes of this one: after a failure a new audit begins before long.
func (r *Reconciler) auditPage(ctx context.Context) error {
	a := &r.audit
	page, err := r.records.Kept(ctx, a.after, auditPage)
	if err != nil {
		return err
	}
	a.audited += len(page)
	if a.running = len(page) == auditPage; a.running {
		a.after = page[len(page)-1]
	}
	suspects, err := r.suspects(ctx, page)
	if err != nil || len(suspects) == 0 {
		return err
	}
	var lost missing
	if _, err := r.each(ctx, suspects, lost.look(r.executions)); err != nil || len(lost.tickets) == 0 {
		return err
	}
	if err := r.records.NoteMissing(ctx, lost.numbers()); err != nil {
		return err
	}
	failed, err := r.each(ctx, lost.tickets, r.revive)
	return errors.Join(err, r.putOff(ctx, failed))
}

// suspects are the tickets of a page that are not known to run. Whether they should run is asked of PostgreSQL once more: a
// ticket may have ended since.
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

func (m *missing) look(e executions) func(context.Context, desk.Overdue) error {
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

// revive starts a ticket's workflow. What else there is to be looked at of the ticket, the next look sees.
func (r *Reconciler) revive(ctx context.Context, o desk.Overdue) error {
	if err := r.restart(ctx, o); err != nil {
		return err
	}
	return r.records.Forget(ctx, o.Number)
}
