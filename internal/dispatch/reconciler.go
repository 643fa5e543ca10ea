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
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ReconcilerOptions tune a Reconciler. A zero field takes its default.
type ReconcilerOptions struct {
	Every     time.Duration // between rounds; default 15 s
	Patience  time.Duration // how long a due event, a command or a delivery may take before the ticket is checked, and the first pause between its checks; default a minute
	PerSecond float64       // tickets at most, so that the relay's deliveries don't queue behind them; default 50
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

// AuditPage is how many tickets are compared with their workflows before the next are read.
const AuditPage = 500

const (
	lease          = 15 * time.Second // without renewal another process takes over
	overduePage    = 100
	overdueTime    = 20 * time.Second // of one round, so that audits have their turn
	auditTime      = 20 * time.Second
	auditPause     = 250 * time.Millisecond // between pages: visibility stores answer a few lists a second
	parallelChecks = 4                      // tickets at once
	longestPause   = time.Hour              // between checks of one ticket
	longestDouble  = 6                      // 2^6 minutes exceed longestPause
)

// records reads from PostgreSQL which tickets need a check and records the results. The store implements it and
// documents its methods.
type records interface {
	leases
	Overdue(ctx context.Context, patience time.Duration, limit int) ([]desk.Overdue, error)
	OverdueOf(ctx context.Context, patience time.Duration, some []ticket.Number) ([]desk.Overdue, error)
	TicketsWithWorkflow(ctx context.Context, after ticket.Number, limit int) ([]ticket.Number, error)
	WithoutWorkflow(ctx context.Context, some []ticket.Number) ([]ticket.Number, error)
	RecordCheck(ctx context.Context, o desk.Overdue, found desk.CheckResult, tries int, next time.Duration) error
	Postpone(ctx context.Context, o desk.Overdue, tries int, next time.Duration) error
	RecordMissing(ctx context.Context, some []ticket.Number) error
	RecordRestarted(ctx context.Context) error
	DeleteCheck(ctx context.Context, n ticket.Number) error
	DeleteHealthyChecks(ctx context.Context, patience time.Duration) error
	RecordRound(ctx context.Context) error
	RecordAudit(ctx context.Context, audited int, ended bool) error
}

// executions describes, signals and starts workflows. Dispatcher implements it and documents its methods.
type executions interface {
	Execution(ctx context.Context, n ticket.Number) (Execution, error)
	Running(ctx context.Context, some []ticket.Number) (map[ticket.Number]bool, error)
	RunningTickets(ctx context.Context, page func([]ticket.Number) error) error
	Reconcile(ctx context.Context, n ticket.Number) error
	EnsureEmergencyWorkflow(ctx context.Context) error
}

// Reconciler starts lost workflows again and signals stuck ones. It runs in the one process that holds the lease, and
// compares the tickets that are overdue or should have a running workflow, as PostgreSQL has them, with the workflows
// that Temporal runs. Everything it does is safe to do twice.
type Reconciler struct {
	records    records
	executions executions
	namespace  func(context.Context) error // registers the search attributes
	replace    func(context.Context) error // replaces workflows after a restore, until its context ends
	options    ReconcilerOptions
	limit      *rate.Limiter
	holder     string
	log        *slog.Logger
	audit      audit
	restarted  atomic.Int64 // workflows, in this round
}

// NewReconciler returns a reconciler. holder is a name unique to this process.
func NewReconciler(r records, e executions, namespace, replace func(context.Context) error, holder string, o ReconcilerOptions, log *slog.Logger) *Reconciler {
	o = o.withDefaults()
	return &Reconciler{
		records: r, executions: e, namespace: namespace, replace: replace, options: o, holder: holder, log: log,
		limit: rate.NewLimiter(rate.Limit(o.PerSecond), 1),
	}
}

// Run reconciles while this process has the lease, until ctx ends.
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

// hold reconciles until the lease is lost or ctx ends.
func (r *Reconciler) hold(ctx context.Context) {
	ctx, lost := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		defer lost()
		renew(ctx, r.records, leaseReconciler, r.holder, lease)
	})
	group.Go(func() { _ = r.replace(ctx) }) // ends with ctx, and logs its errors
	r.rounds(ctx)
	group.Wait()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
	defer cancel()
	_ = r.records.EndLease(ending, leaseReconciler, r.holder) // otherwise it expires
}

func (r *Reconciler) rounds(ctx context.Context) {
	r.audit = audit{}
	pause := min(r.options.Every, maxPause)
	rounds := loop.New(loop.Options{
		First: pause, Max: pause, Log: r.log,
		Failing: "workflows can't be looked after", Recovered: "workflows are looked after again",
	})
	_ = rounds.Run(ctx, func(ctx context.Context) (time.Duration, error) { // always nil
		err := r.round(ctx)
		if err != nil {
			r.audit.due = time.Time{} // an outage may have lost some
		}
		return r.options.Every, err
	})
}

// round checks overdue tickets and continues the audit. The audit goes on when the former fails.
func (r *Reconciler) round(ctx context.Context) error {
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
	if err := r.records.DeleteHealthyChecks(ctx, r.options.Patience); err != nil {
		return err
	}
	return r.records.RecordRound(ctx)
}

// prepare registers the search attributes and starts the emergency workflow, whose absence would otherwise be noticed only at
// a transition.
func (r *Reconciler) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if err := r.namespace(ctx); err != nil {
		return err
	}
	return r.executions.EnsureEmergencyWorkflow(ctx)
}

// each calls do for several tickets at once, no faster than the limit, and returns the failures. It returns an error when
// all failed because Temporal is unavailable.
func (r *Reconciler) each(ctx context.Context, page []desk.Overdue, do func(context.Context, desk.Overdue) error) ([]failure[desk.Overdue], error) {
	o := forEach(ctx, page, parallelChecks, r.limit, anyFailure, func(ctx context.Context, one desk.Overdue) error { return withTimeout(ctx, one, do) })
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if n := len(o.failed); n > 0 && o.done == 0 {
		if err := o.failed[n-1].err; unavailable(err) && r.prepare(ctx) != nil {
			return nil, err
		}
	}
	for _, f := range o.failed {
		r.log.ErrorContext(ctx, "ticket can't be reconciled", "ticket", f.of.Number, "error", f.err)
	}
	return o.failed, nil
}

// leases ensure that one process at a time does some work.
type leases interface {
	Lease(ctx context.Context, name, holder string, lasts time.Duration) (bool, error)
	EndLease(ctx context.Context, name, holder string) error
}

// The names of the leases.
const (
	leaseReconciler = "reconciler"
	leaseReplacer   = "replacer"
)

// renew extends a lease held by holder until another process has taken it over or ctx ends. During an outage of
// PostgreSQL the lease may be lost unnoticed, so work under a lease must be safe to do twice.
func renew(ctx context.Context, l leases, name, holder string, lasts time.Duration) {
	for loop.Sleep(ctx, lasts/3) {
		if ours, err := l.Lease(ctx, name, holder, lasts); err == nil && !ours {
			return
		}
	}
}
