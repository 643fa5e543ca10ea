package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
)

// ErrClaimed is the error of a delivery that another try has claimed.
var ErrClaimed = fault.New(fault.Unavailable, "another try at the same delivery is under way")

// Deliver sends a delivery of a ticket unless it is settled already, and records its new status. It reports whether the
// delivery is lost: bounced or failed, in this or an earlier try. After an error the delivery is still owed and the caller
// must try again: soon, or with increasing intervals if the error is a Limited fault.
//
// Temporal starts another try when it misses the heartbeats of one, which can happen because Temporal was unavailable
// while a mail server took minutes to respond. The claim prevents the two from running at the same time. A delivery that
// was sent but not recorded is sent twice; so recording is retried until ctx ends, and once after that.
func (o *Outbox) Deliver(ctx context.Context, k Key) (lost bool, err error) {
	try := rand.Text()
	if !retryPolicies[k.Queue].repeatable {
		ours, err := o.store.ClaimDelivery(ctx, k, try, claimTime)
		if err == nil && !ours {
			err = ErrClaimed
		}
		if err != nil {
			return false, fmt.Errorf("claim %s delivery %d of %s: %w", k.Queue, k.N, k.Ticket, err)
		}
	}
	status, err := o.attempt(ctx, k, try)
	if err != nil {
		return false, fmt.Errorf("%s delivery %d of %s: %w", k.Queue, k.N, k.Ticket, err)
	}
	return status == desk.DeliveryBounced || status == desk.DeliveryFailed, nil
}

// DeliverNext sends the delivery of a queue that has been due the longest, and returns its new status; found is false if
// none is due. An error means that other deliveries would fail too, because the server is unavailable. A failure of one
// delivery alone defers it and is not an error.
func (o *Outbox) DeliverNext(ctx context.Context, q Queue) (found bool, status desk.DeliveryStatus, err error) {
	try := rand.Text()
	k, found, err := o.store.ClaimNextDelivery(ctx, q, try, claimTime)
	if err != nil || !found {
		return false, "", err
	}
	status, err = o.attempt(ctx, k, try)
	if err != nil {
		err = fmt.Errorf("%s delivery %d: %w", q, k.N, err)
	}
	return true, status, err
}

// attempt makes a try. If its queue needs claims, the caller has claimed the delivery.
func (o *Outbox) attempt(ctx context.Context, k Key, try string) (desk.DeliveryStatus, error) {
	if retryPolicies[k.Queue].repeatable {
		return o.send(ctx, k)
	}
	end := o.keepClaim(ctx, k, try)
	status, err := o.send(ctx, k)
	end()
	if status == desk.DeliveryOwed || err != nil {
		o.release(ctx, k, try)
	}
	return status, err
}

func (o *Outbox) send(ctx context.Context, k Key) (desk.DeliveryStatus, error) {
	transport, known := o.transports[k.Queue]
	if !known {
		return desk.DeliveryOwed, fault.New(fault.Internal, "queue %q has no transport", k.Queue)
	}
	d, err := transport(ctx, k)
	if err != nil {
		return desk.DeliveryOwed, fmt.Errorf("load: %w", err)
	}
	lost := retryPolicies[k.Queue].lost
	switch {
	case d.Status != desk.DeliveryOwed:
		return d.Status, nil
	case d.Barred != "":
		return o.settle(ctx, k, lost, d.Barred)
	case d.Obsolete:
		return o.settle(ctx, k, desk.DeliverySuperseded, "")
	case !d.Until.IsZero() && !d.Until.After(time.Now()):
		return o.settle(ctx, k, lost, "it expired before it could be sent")
	}
	err = d.Send(ctx)
	if err == nil {
		return o.settle(ctx, k, desk.DeliverySent, "")
	}
	if refused, ok := errors.AsType[refusal](err); ok {
		return o.settle(ctx, k, lost, refused.Refusal())
	}
	return o.failed(ctx, k, d, err)
}

func (o *Outbox) settle(ctx context.Context, k Key, status desk.DeliveryStatus, reason string) (desk.DeliveryStatus, error) {
	err := untilRecorded(ctx, func(ctx context.Context) error { return o.store.SettleDelivery(ctx, k, status, reason) })
	if err != nil {
		return status, fmt.Errorf("record as %s: %w", status, err)
	}
	if status == desk.DeliveryBounced || status == desk.DeliveryFailed {
		o.log.WarnContext(ctx, "a delivery is lost", "queue", k.Queue, "ticket", k.Ticket, "n", k.N)
	}
	return status, nil
}

// failed handles a try that was neither successful nor refused, by the retry policy of the queue.
func (o *Outbox) failed(ctx context.Context, k Key, d Delivery, cause error) (desk.DeliveryStatus, error) {
	p := retryPolicies[k.Queue]
	rejection, deferred := errors.AsType[deferral](cause)
	switch {
	case deferred:
		return o.deferred(ctx, k, d, rejection.Deferral(), cause)
	case p.countsAll:
		return o.deferred(ctx, k, d, "", cause)
	case p.workflow:
		return desk.DeliveryOwed, cause
	}
	pause := unreachedPause
	if kind := fault.KindOf(cause); kind != fault.Unavailable && kind != fault.Limited && ctx.Err() == nil {
		o.log.ErrorContext(ctx, "a delivery can't be sent", "queue", k.Queue, "n", k.N, "error", cause)
		pause, cause = brokenPause, nil
	}
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if err := o.store.PostponeDelivery(recording, k, pause); err != nil {
		o.log.WarnContext(ctx, "a delivery is tried again sooner than it should", "queue", k.Queue, "n", k.N, "error", err)
	}
	return desk.DeliveryOwed, cause
}

// deferred records a deferral, or gives up the delivery if it has been deferred for too long.
func (o *Outbox) deferred(ctx context.Context, k Key, d Delivery, line string, cause error) (desk.DeliveryStatus, error) {
	p := retryPolicies[k.Queue]
	pause, reason := p.pause(d.Tries), ""
	if ctx.Err() != nil {
		pause = 0 // this process is stopping; another one may try at once
	}
	if p.keepsReason {
		reason = line
	}
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	since, err := o.store.DeferDelivery(recording, k, reason, pause)
	switch {
	case err != nil:
		return desk.DeliveryOwed, fmt.Errorf("record deferral: %w", err)
	case p.giveUpAfter > 0 && time.Since(since) >= p.giveUpAfter:
		return o.settle(ctx, k, p.lost, "given up after "+p.giveUpText+": "+line)
	case p.workflow:
		return desk.DeliveryOwed, cause
	}
	o.log.WarnContext(ctx, "a delivery is deferred", "queue", k.Queue, "n", k.N, "tries", d.Tries, "pause", pause, "error", cause)
	return desk.DeliveryOwed, nil
}

const (
	claimTime  = 20 * time.Second // a claim expires after this, should its process have crashed
	renewEvery = claimTime / 4    // how often a running try renews its claim
)

// keepClaim renews a claim until end is called. A renewal that fails is retried by the next one: while the store is
// unavailable, no other try can claim the delivery either.
func (o *Outbox) keepClaim(ctx context.Context, k Key, try string) (end func()) {
	ctx = context.WithoutCancel(ctx) // a try continues for a while after its ctx has ended
	return loop.Every(ctx, renewEvery, func(ctx context.Context) { _, _ = o.store.ClaimDelivery(ctx, k, try, claimTime) })
}

// release ends the claim on a delivery that was not settled, so that the next try need not wait until it expires.
func (o *Outbox) release(ctx context.Context, k Key, try string) {
	releasing, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	_ = o.store.ReleaseDelivery(releasing, k, try)
}

const (
	recordPause    = 100 * time.Millisecond // after the first call; doubles with each
	recordPauseMax = 2 * time.Second
	recordTime     = 5 * time.Second // for one call
)

// untilRecorded calls record until it succeeds or fails permanently. When ctx ends it finishes the current call and makes
// one more, because an outage may have just ended.
func untilRecorded(ctx context.Context, record func(context.Context) error) error {
	pauses := loop.Backoff{First: recordPause, Max: recordPauseMax}
	for {
		last := ctx.Err() != nil
		trying, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
		err := record(trying)
		cancel()
		if err == nil || last || fault.KindOf(err).Permanent() {
			return err
		}
		loop.Sleep(ctx, pauses.Next())
	}
}
