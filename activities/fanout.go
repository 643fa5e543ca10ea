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

// backlog lists the open tickets that have not applied a transition, and counts notifications.
type backlog interface {
	OpenBefore(ctx context.Context, transition time.Time, after ticket.Number, limit int) ([]ticket.Number, error)
	StillBehind(ctx context.Context, transition time.Time, some []ticket.Number) ([]ticket.Number, error)
	CountSignals(ctx context.Context, transition time.Time, notified int) error
}

// ticketNotifier signals a transition to a ticket's workflow, with the delay allowed for its search attributes. It ignores
// closed tickets.
type ticketNotifier interface {
	SignalTransition(ctx context.Context, n ticket.Number, t ticket.Transition, scheduleRevision int64, attributeDelay time.Duration) error
}

// FanoutOptions tune how open tickets are notified of a transition. A zero field takes its default.
type FanoutOptions struct {
	Parallel            int           // tickets notified at once; default 16
	PerSecond           float64       // tickets notified a second, at most; default 2,000
	Page                int           // tickets read at once; default 256
	Window              int           // tickets notified and not yet confirmed, at most; default 512
	ImmediateAttributes int           // tickets whose search attributes are updated at once; default 200
	AttributesPerSecond float64       // lowest rate of the others' updates, after all are notified; default 25
	Slice               time.Duration // duration of one activity, after which the workflow shows progress; default 10 s
	Stall               time.Duration // how long to wait without any confirmation; default 10 s
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

// NotifyTickets notifies open tickets of a transition until Slice has passed, the worker stops, or no ticket is left. It
// limits how many have not taken their step, so that the backlog stays in PostgreSQL and new tickets don't queue behind it
// in Temporal. The heartbeat is the result so far, from which another worker resumes.
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

// fanoutSlice is one execution of NotifyTickets.
type fanoutSlice struct {
	*Emergencies
	request     ticket.FanoutRequest
	result      ticket.FanoutResult
	unconfirmed []ticket.Number // notified, and not known to have applied the transition
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
		case <-slice.C: // the next slice must not start with unconfirmed tickets that it does not know
			return f.awaitConfirmed(ctx, 0)
		default:
		}
	}
}

// notify notifies a page of tickets. It skips those that fail, which a later round finds. It returns an error only if
// Temporal is unavailable for all of them.
func (f *fanoutSlice) notify(ctx context.Context, page []ticket.Number) error {
	var failed, unanswered atomic.Int64
	var last atomic.Pointer[error]
	var group errgroup.Group
	group.SetLimit(f.options.Parallel)
	rest := f.remainingTime()
	for i, number := range page {
		later := f.attributeDelay(f.notified()+i, rest)
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
		activity.GetLogger(ctx).Warn("tickets could not be notified of an emergency yet", "tickets", n, "error", *last.Load())
	}
	f.result.After = page[len(page)-1]
	f.result.Notified += len(page) - int(failed.Load())
	f.unconfirmed = append(f.unconfirmed, page...)
	activity.RecordHeartbeat(ctx, f.result)
	return f.backlog.CountSignals(ctx, f.request.Transition.At, len(page)-int(failed.Load()))
}

// maxAttributeDelay is below the limit of the ticket workflow.
const maxAttributeDelay = 50 * time.Minute

// attributeDelay returns the delay of the nth ticket's search attributes: until all are notified, and then one after the
// other at the rate at which tickets were notified, or at AttributesPerSecond if that is higher. Updating them costs Temporal
// about as much as the signal and the step, which it has just done at that rate beside the worker's and PostgreSQL's part.
func (f *fanoutSlice) attributeDelay(n int, rest time.Duration) time.Duration {
	total := max(f.request.Total, n)
	if total <= f.options.ImmediateAttributes {
		return 0
	}
	rate := f.options.AttributesPerSecond
	if measured, ok := f.rate(); ok {
		rate = max(rate, measured)
	}
	all := min(time.Duration(float64(total)/rate*float64(time.Second)), maxAttributeDelay)
	return (rest + time.Duration(float64(all)*float64(n)/float64(total))).Round(time.Second)
}

// remainingTime estimates how long it takes to notify the remaining tickets, with an eighth of the whole to spare. What is to spare does not
// shrink on the way: otherwise the delays of later tickets would, and updates come at a higher rate than is meant.
func (f *fanoutSlice) remainingTime() time.Duration {
	rate, ok := f.rate()
	if !ok {
		rate = 100 // as a dry run assumes
	}
	left := float64(max(f.request.Total-f.notified(), 0))
	return min(time.Duration((left+float64(f.request.Total)/8)/rate*float64(time.Second)), maxAttributeDelay/5)
}

// rate returns how many tickets were notified per second, or false if they are too few to say.
func (f *fanoutSlice) rate() (perSecond float64, ok bool) {
	const enough = 256
	took := time.Since(f.request.Began).Seconds()
	if f.notified() < enough || took <= 0 {
		return 0, false
	}
	return float64(f.notified()) / took, true
}

func (f *fanoutSlice) notified() int { return f.request.Notified + f.result.Notified }

// pollInterval is the interval between checks of unconfirmed tickets.
const pollInterval = 50 * time.Millisecond

// maxSliceTime limits one activity, well below its time-out.
const maxSliceTime = 2 * time.Minute

// awaitConfirmed waits until at most that many tickets are unconfirmed, because a ticket that is notified again before its
// step costs twice. It returns if none is confirmed for Stall.
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
