package dispatch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

const (
	replaceRate     = 50               // workflows a second: Temporal has live traffic to serve, too
	replaceLease    = time.Minute      // renewed while the work goes on
	replaceInterval = 30 * time.Second // between checks whether the epoch was raised
)

// replacements is the list of workflows that raising the epoch left to replace. It is kept in PostgreSQL, so that another
// process can resume it.
type replacements interface {
	leases
	Replacing(context.Context) (desk.Replacing, error)
	ToReplace(ctx context.Context, after string, limit int) (workflows []string, err error)
	Replaced(ctx context.Context, epoch int64, workflow string) error
	ReplacingOver(ctx context.Context, epoch int64) error
	// Unknown returns those of some numbers that belong to no ticket.
	Unknown(ctx context.Context, some []ticket.Number) ([]ticket.Number, error)
}

type replacer interface {
	Replace(ctx context.Context, id string, epoch int64) error
	Abandon(ctx context.Context, n ticket.Number, epoch int64) error
	RunningTickets(ctx context.Context, page func([]ticket.Number) error) error
}

// Replacer replaces workflows after PostgreSQL was restored from a backup: those that it lists are started anew, and those
// of tickets that the backup does not have are terminated. It is run by the reconciler and by a command; a lease lets one of
// them work at a time.
type Replacer struct {
	work     replacements
	replacer replacer
	log      *slog.Logger
	process  string
	limit    *rate.Limiter
}

// NewReplacer returns a replacer. Its rate limit is per process, which suffices since one works at a time.
func NewReplacer(w replacements, r replacer, log *slog.Logger) *Replacer {
	return &Replacer{work: w, replacer: r, log: log, process: rand.Text(), limit: rate.NewLimiter(replaceRate, parallel)}
}

// Run replaces workflows whenever some are listed, until ctx ends.
func (r *Replacer) Run(ctx context.Context) error {
	looks := loop.New(loop.Options{
		First: maxPause, Max: maxPause, Log: r.log, Failing: "workflows wait to be replaced after a restore",
	})
	return looks.Run(ctx, func(ctx context.Context) (time.Duration, error) {
		now, err := r.round(ctx)
		if err != nil {
			err = fmt.Errorf("%d left: %w", now.Left, err)
		}
		return replaceInterval, err
	})
}

// Finish returns when all listed workflows are replaced, by this process or another. It fails when this one can't go on.
func (r *Replacer) Finish(ctx context.Context) error {
	for {
		now, err := r.round(ctx)
		if err != nil || now.Over {
			return err
		}
		if !loop.Sleep(ctx, pollInterval) {
			return ctx.Err()
		}
	}
}

// round replaces all listed workflows if it can acquire the lease, and returns the progress.
func (r *Replacer) round(ctx context.Context) (desk.Replacing, error) {
	now, err := r.work.Replacing(ctx)
	if err != nil || now.Over {
		return now, err
	}
	ours, err := r.work.Lease(ctx, leaseReplacer, r.process, replaceLease)
	if err != nil || !ours {
		return now, err
	}
	defer r.release(ctx)
	r.log.Info("replacing workflows after a restore", "epoch", now.Epoch, "workflows", now.Left)
	if err := r.all(ctx, now.Epoch); err != nil {
		return now, err
	}
	if err := r.work.ReplacingOver(ctx, now.Epoch); err != nil {
		return now, err
	}
	now, err = r.work.Replacing(ctx)
	if now.Over {
		r.log.Info("workflows are replaced", "epoch", now.Epoch)
	}
	return now, err
}

// all replaces workflows and terminates orphans while it holds the lease. It goes on after individual failures and
// returns them.
func (r *Replacer) all(ctx context.Context, epoch int64) error {
	ctx, lost := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		renew(ctx, r.work, leaseReplacer, r.process, replaceLease)
		lost(errTakenOver)
	})
	defer renewing.Wait()
	defer lost(nil)
	var failed []error
	err := r.replaceAll(ctx, epoch, &failed)
	if err == nil {
		err = r.abandonAll(ctx, epoch, &failed)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return errors.Join(append(failed, err)...)
}

var errTakenOver = errors.New("the replacing of workflows was taken over")

func (r *Replacer) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
	defer cancel()
	if err := r.work.EndLease(ctx, leaseReplacer, r.process); err != nil {
		r.log.Warn("another process can't go on replacing workflows yet", "error", err)
	}
}

// replaceAll goes through the list once. Workflows that fail stay listed. It returns early when ctx ends, the lease is lost,
// or Temporal or PostgreSQL is unavailable.
func (r *Replacer) replaceAll(ctx context.Context, epoch int64, failed *[]error) error {
	for after := ""; ; {
		if err := r.renew(ctx, epoch); err != nil {
			return err
		}
		page, err := r.work.ToReplace(ctx, after, batch)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		after = page[len(page)-1]
		err = replaceEach(ctx, r, page, func(ctx context.Context, id string) error {
			if err := r.replacer.Replace(ctx, id, epoch); err != nil {
				return err
			}
			return r.work.Replaced(ctx, epoch, id)
		}, failed)
		if err != nil {
			return err
		}
	}
}

// abandonAll terminates the workflows of tickets that are not in PostgreSQL.
func (r *Replacer) abandonAll(ctx context.Context, epoch int64, failed *[]error) error {
	return r.Orphans(ctx, func(orphans []ticket.Number) error {
		if err := r.renew(ctx, epoch); err != nil {
			return err
		}
		return replaceEach(ctx, r, orphans, func(ctx context.Context, n ticket.Number) error { return r.replacer.Abandon(ctx, n, epoch) }, failed)
	})
}

// Orphans calls page with tickets whose workflows run although they are not in PostgreSQL, until it fails.
func (r *Replacer) Orphans(ctx context.Context, page func([]ticket.Number) error) error {
	return r.replacer.RunningTickets(ctx, func(some []ticket.Number) error {
		unknown, err := r.work.Unknown(ctx, some)
		if err != nil {
			return err
		}
		return page(unknown)
	})
}

// renew extends the lease. It fails if another process has taken it over or the epoch was raised again.
func (r *Replacer) renew(ctx context.Context, epoch int64) error {
	ours, err := r.work.Lease(ctx, leaseReplacer, r.process, replaceLease)
	if err != nil {
		return err
	}
	now, err := r.work.Replacing(ctx)
	if err == nil && (!ours || now.Epoch != epoch) {
		err = errTakenOver
	}
	return err
}

// replaceEach calls do for each of a page, several at once and no faster than the rate, and appends errors to failed. It
// returns an error when it ended early: ctx ended, or Temporal or PostgreSQL seems to be unavailable.
func replaceEach[T any](ctx context.Context, r *Replacer, page []T, do func(context.Context, T) error, failed *[]error) error {
	o := forEach(ctx, page, parallel, r.limit, unavailable, func(ctx context.Context, one T) error { return withTimeout(ctx, one, do) })
	for _, f := range o.failed {
		*failed = append(*failed, f.err)
	}
	if o.hopeless() {
		return errUnavailable
	}
	return ctx.Err()
}

var errUnavailable = fault.New(fault.Unavailable, "workflows can't be replaced while Temporal or the database is away")

// Replace terminates the workflow with an ID, a ticket's or the emergency workflow, if it runs, and starts it anew. The new run
// has only the state that its first step reads from PostgreSQL.
func (d *Dispatcher) Replace(ctx context.Context, id string, epoch int64) error {
	// Starting would terminate it too, but record a reason of Temporal's own.
	err := d.terminate(ctx, id, fmt.Sprintf("replaced after a restore of PostgreSQL or an upgrade, epoch %d", epoch))
	if err != nil {
		return err
	}
	start, workflow, input := d.options(ticket.Number(id)), workflows.TicketWorkflow, any(d.start(ticket.Number(id)))
	if id == workflows.EmergencyID {
		start, workflow, input = d.emergencyOptions(), workflows.EmergencyWorkflow, workflows.EmergencyStart{Page: d.pages.Emergencies}
	}
	start.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	start.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	_, err = d.client.ExecuteWorkflow(ctx, start, workflow, input)
	return kind(err, "start workflow "+id+" anew")
}

// Abandon terminates the workflow of a ticket that is not in PostgreSQL.
func (d *Dispatcher) Abandon(ctx context.Context, n ticket.Number, epoch int64) error {
	return d.terminate(ctx, workflows.TicketID(n), fmt.Sprintf("PostgreSQL was restored from a backup that does not have this ticket, epoch %d", epoch))
}

// terminate succeeds when there is no such workflow, or none that runs.
func (d *Dispatcher) terminate(ctx context.Context, id, reason string) error {
	err := d.client.TerminateWorkflow(ctx, id, "", reason)
	if _, none := errors.AsType[*serviceerror.NotFound](err); none {
		return nil
	}
	return kind(err, "terminate workflow "+id)
}

// listPage is the page size of RunningTickets.
const listPage = 500

// RunningTickets calls page with the numbers of tickets whose workflows run, until it fails. They are read from Temporal's
// visibility store, which may lack those started a moment ago.
func (d *Dispatcher) RunningTickets(ctx context.Context, page func([]ticket.Number) error) error {
	request := &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: listPage,
		Query:    fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running'", workflows.TicketWorkflow),
	}
	for {
		response, err := d.client.ListWorkflow(ctx, request)
		if err != nil {
			return kind(err, "list the running workflows")
		}
		var numbers []ticket.Number
		for _, e := range response.GetExecutions() {
			numbers = append(numbers, ticket.Number(e.GetExecution().GetWorkflowId()))
		}
		if err := page(numbers); err != nil {
			return err
		}
		if request.NextPageToken = response.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return nil
		}
	}
}
