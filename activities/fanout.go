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

// backlog pages through the open tickets behind an edge, and counts what was told.
type backlog interface {
	OpenBefore(ctx context.Context, edge time.Time, after ticket.Number, limit int) ([]ticket.Number, error)
	StillBehind(ctx context.Context, edge time.Time, some []ticket.Number) ([]ticket.Number, error)
	NoteTold(ctx context.Context, edge time.Time, told int) error
}

// teller tells one ticket's workflow of an edge, and by when its search attributes are to follow. A ticket that was closed
// meanwhile is no failure.
type ticketNotifier interface {
	SignalTransition(ctx context.Context, n ticket.Number, e ticket.Edge, gate int64, later time.Duration) error
}

// FanoutOptions tune how open tickets are told of an edge. A zero field takes its default.
type FanoutOptions struct {
	Parallel            int           // tickets told at once; default 16
	PerSecond           float64       // tickets told a second, at most; default 2,000
	Page                int           // tickets read at once; default 256
	Window              int           // tickets told that have not taken it up yet; default 512
	ImmediateAttributes int           // tickets whose search attributes follow at once; default 200
	AttributesPerSecond float64       // the others' follow when all is told, at this rate a second; default 25
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

// Tell tells open tickets of an edge until a slice of time is over, the worker is to stop, or nobody is left. Tickets are
// told no faster than they take it up: what waits, waits in PostgreSQL, and new tickets don't queue behind it. Its
// heartbeat is its result so far, where another worker goes on.
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

// telling is one slice of a fan-out.
type fanoutSlice struct {
	*Emergencies
	request     ticket.FanoutRequest
	result      ticket.FanoutResult
	unconfirmed []ticket.Number // told, and not known to have taken it up
	began       time.Time
}

func (f *fanoutSlice) run(ctx context.Context) error {
	slice := time.NewTimer(f.options.Slice)
	defer slice.Stop()
	for {
		page, err := f.backlog.OpenBefore(ctx, f.request.Edge.At, f.result.After, f.options.Page)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			f.result.Over = true
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

// tell tells a page. One ticket that can't be told holds up no other: a later round finds it. When Temporal answered for
// none of them, it is away.
func (f *fanoutSlice) notify(ctx context.Context, page []ticket.Number) error {
	var failed, unanswered atomic.Int64
	var last atomic.Pointer[error]
	var group errgroup.Group
	group.SetLimit(f.options.Parallel)
	rest := f.remainingTime()
	for i, number := range page {
		later := f.attributeDelay(f.request.Told+f.result.Told+i, rest)
		if err := f.limit.Wait(ctx); err != nil {
			_ = group.Wait() // none of them gives one
			return errors.Join(ctx.Err(), err)
		}
		group.Go(func() error {
			if err := f.notifier.SignalTransition(ctx, number, f.request.Edge, f.request.Gate, later); err != nil {
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
	f.result.Told += len(page) - int(failed.Load())
	f.unconfirmed = append(f.unconfirmed, page...)
	activity.RecordHeartbeat(ctx, f.result)
	return f.backlog.NoteTold(ctx, f.request.Edge.At, len(page)-int(failed.Load()))
}

// longestShown is within what a ticket lets its search attributes wait.
const maxAttributeDelay = 50 * time.Minute

// later is how long the search attributes of the nth ticket told may wait: until all are told, and then one after the
// other. They cost Temporal's visibility store more than all the rest.
func (f *fanoutSlice) attributeDelay(n int, rest time.Duration) time.Duration {
	total := max(f.request.Total, n)
	if total <= f.options.ImmediateAttributes {
		return 0
	}
	all := min(time.Duration(float64(total)/f.options.AttributesPerSecond*float64(time.Second)), maxAttributeDelay)
	return (rest + time.Duration(float64(all)*float64(n)/float64(total))).Round(time.Second)
}

// rest is how long it takes to tell the others, as fast as it goes so far; with room to spare.
func (f *fanoutSlice) remainingTime() time.Duration {
	const (
		enough = 256  // tickets told, to know a rate
		guess  = 25.0 // a second, while there are fewer
	)
	told, rate := f.request.Told+f.result.Told, guess
	if took := time.Since(f.request.Began).Seconds(); told >= enough && took > 0 {
		rate = float64(told) / took
	}
	left := float64(max(f.request.Total-told, 0))
	return min(time.Duration(1.5*left/rate*float64(time.Second)), maxAttributeDelay/5)
}

// glance is the time between looks at what is flying.
const pollInterval = 50 * time.Millisecond

// longest bounds one activity, well below its time-out: tickets may be taken up slowly, and yet be taken up.
const maxSliceTime = 2 * time.Minute

// settle waits until at most so many are flying: a ticket that is told again before it has taken up what it was told
// costs twice. Those that never do are waited for no longer than Stall.
func (f *fanoutSlice) awaitConfirmed(ctx context.Context, most int) error {
	best, since := len(f.unconfirmed)+1, time.Now()
	for len(f.unconfirmed) > most {
		left, err := f.backlog.StillBehind(ctx, f.request.Edge.At, f.unconfirmed)
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
