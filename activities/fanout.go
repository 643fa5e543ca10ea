package activities

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// backlog lists the open tickets that have taken no step since a transition, and counts notifications.
type backlog interface {
	OpenBefore(ctx context.Context, edge time.Time, after ticket.Number, limit int) ([]ticket.Number, error)
	StillBehind(ctx context.Context, edge time.Time, some []ticket.Number) ([]ticket.Number, error)
	NoteTold(ctx context.Context, edge time.Time, told int) error
}

// ticketNotifier signals a transition to a ticket's workflow, and how long its search attributes may wait. It ignores
// tickets that are closed.
type ticketNotifier interface {
	SignalTransition(ctx context.Context, n ticket.Number, e ticket.Transition, gate int64, later time.Duration) error
}

// FanoutOptions tune how open tickets are notified of a transition. A zero field takes its default.
type FanoutOptions struct {
	Parallel            int           // tickets notified at once; default 16
	PerSecond           float64       // tickets notified a second, at most; default 2,000
	Page                int           // tickets read at once; default 256
	Window              int           // tickets notified that have taken no step yet; default 512
	ImmediateAttributes int           // tickets whose search attributes follow at once; default 200
	AttributesPerSecond float64       // the others' follow when all are notified, at this rate a second; default 25
	Slice               time.Duration // how long one activity goes on before the workflow shows how far it is; default 10 s
	Stall               time.Duration // how long tickets that don't take it up are waited for; default 10 s
}

func (o FanoutOptions) withDefaults() FanoutOptions {
	setDefault(&o.Parallel, 16)
	setDefault(&o.PerSecond, 2000)
	setDefault(&o.Page, 256)
	setDefault(&o.Window, 512)
	setDefault(&o.ImmediateAttributes, 200)
	setDefault(&o.AttributesPerSecond, 25)
	setDefault(&o.Slice, 10*time.Second)
	setDefault(&o.Stall, 10*time.Second)
	return o
}

func setDefault[N int | float64 | time.Duration](value *N, standard N) {
	if *value <= 0 {
		*value = standard
	}
}

// NotifyTickets notifies open tickets of a transition until a slice of time is over, the worker is to stop, or no ticket
// is left. It waits for tickets to take their steps, so that the backlog stays in PostgreSQL and new tickets don't queue
// behind it. The heartbeat is the result so far, from which another worker resumes.
func (e *Emergencies) NotifyTickets(ctx context.Context, r ticket.FanoutRequest) (ticket.FanoutResult, error) {
	f := &fanoutSlice{Emergencies: e, request: r, result: ticket.FanoutResult{After: r.After}, began: time.Now()}
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &f.result); err != nil {
			return ticket.FanoutResult{}, temporalError(ctx, err)
		}
	}
	err := f.run(ctx)
	return f.result, temporalError(ctx, err)
}

// fanoutSlice is one slice of a fan-out.
type fanoutSlice struct {
	*Emergencies
	request     ticket.FanoutRequest
	result      ticket.FanoutResult
	unconfirmed []ticket.Number // notified, and not known to have taken a step
	began       time.Time
}

func (f *fanoutSlice) run(ctx context.Context) error {
	slice := time.NewTimer(f.options.Slice)
	defer slice.Stop()
	for {
		page, err := f.backlog.OpenBefore(ctx, f.request.Transition.At, f.result.After, f.options.Page)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			f.result.Done = true
			return f.awaitConfirmed(ctx, 0)
		}
		if err := f.notify(ctx, page); err != nil {
			return err
		}
		if err := f.awaitConfirmed(ctx, f.options.Window); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return nil
		case <-slice.C: // the next one must not begin with more in the air than it knows of
			return f.awaitConfirmed(ctx, 0)
		default:
		}
	}
}

// notify notifies a page of tickets. One that fails holds up no other: a later round finds it. If Temporal answers for
// none of them, it is unavailable.
func (f *fanoutSlice) notify(ctx context.Context, page []ticket.Number) error {
	var failed, unanswered atomic.Int64
	var last atomic.Pointer[error]
	var group errgroup.Group
	group.SetLimit(f.options.Parallel)
	rest := f.remainingTime()
	for i, number := range page {
		later := f.attributeDelay(f.request.Notified+f.result.Notified+i, rest)
		if err := f.limit.Wait(ctx); err != nil {
			_ = group.Wait() // always nil
			return errors.Join(ctx.Err(), err)
		}
		group.Go(func() error {
			if err := f.notifier.SignalTransition(ctx, number, f.request.Transition, f.request.ScheduleRevision, later); err != nil {
				failed.Add(1)
				last.Store(&err)
				if fault.KindOf(err) == fault.Unavailable {
					unanswered.Add(1)
				}
			}
			return nil
		})
	}
	_ = group.Wait()
	if n := int(failed.Load()); n > 0 {
		if int(unanswered.Load()) == len(page) {
			return *last.Load()
		}
		activity.GetLogger(ctx).Warn("tickets wait to be told of an emergency", "tickets", n, "error", *last.Load())
	}
	f.result.After = page[len(page)-1]
	f.result.Notified += len(page) - int(failed.Load())
	f.unconfirmed = append(f.unconfirmed, page...)
	activity.RecordHeartbeat(ctx, f.result)
	return f.backlog.NoteTold(ctx, f.request.Transition.At, len(page)-int(failed.Load()))
}

// maxAttributeDelay is below what a ticket's workflow accepts.
const maxAttributeDelay = 50 * time.Minute

// attributeDelay is how long the search attributes of the nth ticket may wait: until all are notified, and then one after
// the other. They cost Temporal's visibility store more than all the rest.
func (f *fanoutSlice) attributeDelay(n int, rest time.Duration) time.Duration {
	total := max(f.request.Total, n)
	if total <= f.options.ImmediateAttributes {
		return 0
	}
	all := min(time.Duration(float64(total)/f.options.AttributesPerSecond*float64(time.Second)), maxAttributeDelay)
	return (rest + time.Duration(float64(all)*float64(n)/float64(total))).Round(time.Second)
}

// remainingTime estimates how long it takes to notify the others, generously.
func (f *fanoutSlice) remainingTime() time.Duration {
	const (
		enough = 256  // tickets notified, to know a rate
		guess  = 25.0 // a second, while there are fewer
	)
	told, rate := f.request.Notified+f.result.Notified, guess
	if took := time.Since(f.request.Began).Seconds(); told >= enough && took > 0 {
		rate = float64(told) / took
	}
	left := float64(max(f.request.Total-told, 0))
	return min(time.Duration(1.5*left/rate*float64(time.Second)), maxAttributeDelay/5)
}

// pollInterval is between looks at the tickets that are unconfirmed.
const pollInterval = 50 * time.Millisecond

// maxSliceTime bounds one activity, well below its time-out.
const maxSliceTime = 2 * time.Minute

// awaitConfirmed waits until at most so many are unconfirmed: a ticket that is notified again before it has taken its
// step costs twice. It waits for those that never do no longer than Stall.
func (f *fanoutSlice) awaitConfirmed(ctx context.Context, most int) error {
	best, since := len(f.unconfirmed)+1, time.Now()
	for len(f.unconfirmed) > most {
		left, err := f.backlog.StillBehind(ctx, f.request.Transition.At, f.unconfirmed)
		if err != nil {
			return err
		}
		f.unconfirmed = left
		activity.RecordHeartbeat(ctx, f.result)
		switch {
		case len(left) <= most:
			return nil
		case len(left) < best:
			best, since = len(left), time.Now()
		case time.Since(since) > f.options.Stall, time.Since(f.began) > maxSliceTime:
			f.unconfirmed = nil
			return nil
		}
		if !loop.Sleep(ctx, pollInterval) {
			return ctx.Err()
		}
	}
	return nil
}
