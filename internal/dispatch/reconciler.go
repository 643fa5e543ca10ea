package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ReconcilerOptions tune a Reconciler. A zero field takes its default.
type ReconcilerOptions struct {
	Every     time.Duration // between looks; default 15 s
	Patience  time.Duration // how long what is due, undecided or owed may take before it is looked at, and the first pause between looks at one ticket; default a minute
	PerSecond float64       // tickets at most, so that what the relay delivers does not wait behind them; default 50
	Audit     time.Duration // between the beginnings of audits; default a minute
}

func (o ReconcilerOptions) withDefaults() ReconcilerOptions {
	if o.Every <= 0 {
		o.Every = 15 * time.Second
	}
	if o.Patience <= 0 {
		o.Patience = time.Minute
	}
	if o.PerSecond <= 0 {
		o.PerSecond = 50
	}
	if o.Audit <= 0 {
		o.Audit = time.Minute
	}
	return o
}

const (
	lease         = 15 * time.Second // without renewal another process takes over
	overduePage   = 100
	auditPage     = 500
	overdueTime   = 20 * time.Second // of one look, so that an audit has its turn
	auditTime     = 20 * time.Second
	auditPause    = 250 * time.Millisecond // between pages: visibility stores answer a few lists a second
	reconciling   = 4                      // tickets at once
	longestPause  = time.Hour              // between looks at one ticket
	longestDouble = 6                      // 2^6 minutes are more than that
)

// records is what PostgreSQL knows: see the store's methods.
type records interface {
	leases
	Overdue(ctx context.Context, patience time.Duration, limit int) ([]desk.Overdue, error)
	OverdueOf(ctx context.Context, patience time.Duration, some []ticket.Number) ([]desk.Overdue, error)
	Kept(ctx context.Context, after ticket.Number, limit int) ([]ticket.Number, error)
	NoteFound(ctx context.Context, o desk.Overdue, found desk.Found, tries int, next time.Duration) error
	PutOff(ctx context.Context, o desk.Overdue, tries int, next time.Duration) error
	NoteMissing(ctx context.Context, some []ticket.Number) error
	NoteRestarted(ctx context.Context) error
	Forget(ctx context.Context, n ticket.Number) error
	ForgetWell(ctx context.Context, patience time.Duration) error
	NoteLook(ctx context.Context) error
	NoteAudit(ctx context.Context, audited int, ended bool) error
}

// executions are the workflows: see Dispatcher's methods.
type executions interface {
	Execution(ctx context.Context, n ticket.Number) (Execution, error)
	Running(ctx context.Context, some []ticket.Number) (map[ticket.Number]bool, error)
	Reconcile(ctx context.Context, n ticket.Number) error
	KeepEmergency(ctx context.Context) error
}

// Reconciler looks after workflows that are lost or don't move. It is the one thing that looks periodically, and one
// process does so at a time: the one that has the lease. PostgreSQL says which tickets should have moved and which should
// have a running workflow; Temporal says what runs. Whatever the reconciler does may be done twice.
type Reconciler struct {
	records    records
	executions executions
	namespace  func(context.Context) error // registers what Temporal lacks
	replace    func(context.Context) error // replaces workflows after a restore, until its context ends
	options    ReconcilerOptions
	limit      *rate.Limiter
	holder     string
	log        *slog.Logger
	audit      audit
	restarted  atomic.Int64 // workflows, in the look under way
}

// NewReconciler makes one. The holder is this process's name, unlike every other's.
func NewReconciler(r records, e executions, namespace, replace func(context.Context) error, holder string, o ReconcilerOptions, log *slog.Logger) *Reconciler {
	o = o.withDefaults()
	return &Reconciler{
		records: r, executions: e, namespace: namespace, replace: replace, options: o, holder: holder, log: log,
		limit: rate.NewLimiter(rate.Limit(o.PerSecond), 1),
	}
}

// Run looks whenever this process has the lease, until ctx ends.
func (r *Reconciler) Run(ctx context.Context) error {
	tries := loop.New(loop.Options{
		First: lease / 3, Max: lease / 3, Log: r.log, Failing: "the reconciler's lease can't be acquired",
	})
	return tries.Run(ctx, func(ctx context.Context) (time.Duration, error) {
		ours, err := r.records.Lease(ctx, leaseReconciler, r.holder, lease)
		if err == nil && ours {
			r.hold(ctx)
		}
		return lease / 3, err
	})
}

// hold looks until the lease is lost or ctx ends.
func (r *Reconciler) hold(ctx context.Context) {
	ctx, lost := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		defer lost()
		renew(ctx, r.records, leaseReconciler, r.holder, lease)
	})
	group.Go(func() { _ = r.replace(ctx) }) // ends with ctx, and logs what fails
	r.rounds(ctx)
	group.Wait()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), attempt)
	defer cancel()
	_ = r.records.EndLease(ending, leaseReconciler, r.holder) // it runs out by itself
}

func (r *Reconciler) rounds(ctx context.Context) {
	r.audit = audit{}
	pause := min(r.options.Every, maxPause)
	looks := loop.New(loop.Options{
		First: pause, Max: pause, Log: r.log,
		Failing: "workflows can't be looked after", Recovered: "workflows are looked after again",
	})
	_ = looks.Run(ctx, func(ctx context.Context) (time.Duration, error) { // always nil
		err := r.look(ctx)
		if err != nil {
			r.audit.due = time.Time{} // what was away may have lost something
		}
		return r.options.Every, err
	})
}

// look looks at everything once. What goes wrong with what is overdue does not keep an audit from going on.
func (r *Reconciler) look(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	err := errors.Join(r.overdue(ctx), r.auditSome(ctx))
	if n := r.restarted.Swap(0); n > 0 {
		r.log.Warn("tickets had no running workflow and were started anew", "tickets", n)
	}
	if err != nil {
		return err
	}
	if err := r.records.ForgetWell(ctx, r.options.Patience); err != nil {
		return err
	}
	return r.records.NoteLook(ctx)
}

// prepare sees to what every ticket needs, and that the workflow Emergency runs: it would be missed only when an edge goes by.
func (r *Reconciler) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	if err := r.namespace(ctx); err != nil {
		return err
	}
	return r.executions.KeepEmergency(ctx)
}

// overdue looks at the tickets that should have moved.
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
		if err := errors.Join(err, r.putOff(ctx, failed)); err != nil {
			return err
		}
	}
	return nil
}

// putOff puts tickets off with which nothing could be done. While Temporal is away for some of a page only, that is no
// fault of theirs, and no reason to wait longer for each.
func (r *Reconciler) putOff(ctx context.Context, some []failure[desk.Overdue]) error {
	for _, f := range some {
		next := r.pause(f.of.Tries)
		if fault.KindOf(f.err) == fault.Unavailable {
			next = r.options.Patience
		}
		if err := r.records.PutOff(ctx, f.of, f.of.Tries+1, next); err != nil {
			return err
		}
	}
	return nil
}

// check looks at one ticket and does what helps.
func (r *Reconciler) check(ctx context.Context, o desk.Overdue) error {
	e, err := r.executions.Execution(ctx, o.Number)
	if err != nil {
		return err
	}
	found := judge(o, e)
	if (found == desk.FoundTrying) != (o.Was == desk.FoundTrying) { // another cause: what was tried for long may be stuck only now
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
	return r.records.NoteFound(ctx, o, found, o.Tries+1, r.pause(o.Tries))
}

// judge says what an overdue ticket's workflow does. What is owed and is among its activities is being tried, however long
// that takes: a day without SMTP is no fault of the workflow's. Of a ticket that owes more than a workflow takes on at once,
// not every recipient can be among them.
func judge(o desk.Overdue, e Execution) desk.Found {
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

// busy reports whether a step is under way or about to be: a signal would add nothing.
func (e Execution) busy() bool { return e.Task > 0 || e.Steps > 0 }

func (r *Reconciler) restart(ctx context.Context, o desk.Overdue) error {
	if err := r.records.NoteFound(ctx, o, desk.FoundMissing, o.Tries, 0); err != nil {
		return err
	}
	if err := r.executions.Reconcile(ctx, o.Number); err != nil {
		return err
	}
	r.restarted.Add(1)
	return r.records.NoteRestarted(ctx)
}

// pause doubles with every look that finds a ticket as it was.
func (r *Reconciler) pause(tries int) time.Duration {
	return loop.Doubled(r.options.Patience, longestPause, min(tries, longestDouble))
}
