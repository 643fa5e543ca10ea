package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errClaimed = fault.New(fault.Unavailable, "another try at the same delivery is under way")

// Deliver sends the nth delivery of a ticket unless it is settled already, records what became of it, and reports whether
// it is lost: bounced or failed, now or in an earlier try whose answer got lost. After an error it is still owed, and the
// caller tries again: soon, or after a growing while if the error is Limited.
//
// Temporal begins another try as soon as it misses a try's heartbeats, which may be Temporal's own absence while a mail
// server takes minutes to answer: the claim keeps the second away. What was sent and not recorded goes out twice, so
// recording is tried until ctx ends, and once more then.
func (o *Outbox) Deliver(ctx context.Context, number ticket.Number, n int) (lost bool, err error) {
	k, try := Key{Ticket: number, N: int64(n)}, rand.Text()
	queue, ours, err := o.store.ClaimDelivery(ctx, k, try, claimTime)
	if err == nil && !ours {
		err = errClaimed
	}
	if err != nil {
		return false, fmt.Errorf("claim delivery %d of %s: %w", n, number, err)
	}
	k.Queue = queue
	status, err := o.attempt(ctx, k, try)
	if err != nil {
		return false, fmt.Errorf("%s delivery %d of %s: %w", queue, n, number, err)
	}
	return status == desk.DeliveryBounced || status == desk.DeliveryFailed, nil
}

// DeliverNext sends the delivery of a queue that has been due the longest and records what became of it; found is false
// when none may be sent now. An error says that it is no use to go on with others: nobody answers. What is wrong with one
// delivery alone puts that one off and is no error.
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

// attempt makes a try that has the claim.
func (o *Outbox) attempt(ctx context.Context, k Key, try string) (desk.DeliveryStatus, error) {
	end := o.hold(ctx, k, try)
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
		return desk.DeliveryOwed, fault.New(fault.Internal, "nothing sends what is in queue %q", k.Queue)
	}
	d, err := transport.Load(ctx, k)
	if err != nil {
		return desk.DeliveryOwed, fmt.Errorf("load: %w", err)
	}
	lost := termsOf[k.Queue].lost
	switch {
	case d.Status != desk.DeliveryOwed:
		return d.Status, nil
	case d.Barred != "":
		return o.settle(ctx, k, lost, d.Barred)
	case d.Obsolete:
		return o.settle(ctx, k, desk.DeliverySuperseded, "")
	case !d.Until.IsZero() && !d.Until.After(time.Now()):
		return o.settle(ctx, k, lost, "its time was over before it could be sent")
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
	err := insist(ctx, func(ctx context.Context) error { return o.store.SettleDelivery(ctx, k, status, reason) })
	if err != nil {
		return status, fmt.Errorf("record as %s: %w", status, err)
	}
	if status == desk.DeliveryBounced || status == desk.DeliveryFailed {
		o.log.Warn("a delivery is lost", "queue", k.Queue, "ticket", k.Ticket, "n", k.N)
	}
	return status, nil
}

// failed deals with a try after which the delivery is still owed.
func (o *Outbox) failed(ctx context.Context, k Key, d Delivery, cause error) (desk.DeliveryStatus, error) {
	t := termsOf[k.Queue]
	put, deferred := errors.AsType[deferral](cause)
	switch {
	case deferred:
		return o.deferred(ctx, k, d, put.Deferral(), cause)
	case t.counts:
		return o.deferred(ctx, k, d, "", cause)
	case t.workflow:
		return desk.DeliveryOwed, cause
	}
	pause := unreachedPause
	if kind := fault.KindOf(cause); kind != fault.Unavailable && kind != fault.Limited && ctx.Err() == nil {
		o.log.Error("a delivery can't be sent", "queue", k.Queue, "n", k.N, "error", cause)
		pause, cause = brokenPause, nil
	}
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if err := o.store.PostponeDelivery(recording, k, pause); err != nil {
		o.log.Warn("a delivery is tried again sooner than it should", "queue", k.Queue, "n", k.N, "error", err)
	}
	return desk.DeliveryOwed, cause
}

// deferred gives a delivery up that has been put off for longer than the patience with its recipient lasts.
func (o *Outbox) deferred(ctx context.Context, k Key, d Delivery, line string, cause error) (desk.DeliveryStatus, error) {
	t := termsOf[k.Queue]
	pause, reason := t.pause(d.Tries), ""
	if ctx.Err() != nil {
		pause = 0 // another process may try at once
	}
	if t.cites {
		reason = line
	}
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	since, err := o.store.DeferDelivery(recording, k, reason, pause)
	switch {
	case err != nil:
		return desk.DeliveryOwed, fmt.Errorf("record deferral: %w", err)
	case t.patience > 0 && time.Since(since) >= t.patience:
		return o.settle(ctx, k, t.lost, "given up after "+t.after+": "+line)
	case t.workflow:
		return desk.DeliveryOwed, cause
	}
	o.log.Warn("a delivery is put off", "queue", k.Queue, "n", k.N, "tries", d.Tries, "pause", pause, "error", cause)
	return desk.DeliveryOwed, nil
}
