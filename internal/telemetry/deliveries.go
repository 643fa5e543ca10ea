package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
)

// Deliveries returns a store of deliveries that measures s.
func (t *Telemetry) Deliveries(s outbox.Store) outbox.Store {
	if t == nil {
		return s
	}
	return deliveries{s, t}
}

type deliveries struct {
	outbox.Store
	t *Telemetry
}

func (d deliveries) SettleDelivery(ctx context.Context, k outbox.Key, status desk.DeliveryStatus, reason string) error {
	err := d.Store.SettleDelivery(ctx, k, status, reason)
	if err == nil {
		d.t.metrics.settled.WithLabelValues(string(k.Queue), string(status)).Inc()
	}
	return err
}

// Transports returns the transports with the time measured that each takes to send. Deliveries without a ticket continue the traces that
// db has of them.
func (t *Telemetry) Transports(db Traces, all map[outbox.Queue]outbox.Transport) map[outbox.Queue]outbox.Transport {
	if t == nil {
		return all
	}
	measured := make(map[outbox.Queue]outbox.Transport, len(all))
	for q, transport := range all {
		measured[q] = func(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
			d, err := transport(ctx, k)
			if send := d.Send; send != nil {
				d.Send = func(ctx context.Context) error { return t.send(t.resume(ctx, db, k), k, send) }
			}
			return d, err
		}
	}
	return measured
}

// resume returns a context in the trace that is stored with a delivery, unless it has a ticket: its activity or its step did so then.
func (t *Telemetry) resume(ctx context.Context, db Traces, k outbox.Key) context.Context {
	if !t.tracing() || k.Ticket != "" {
		return ctx
	}
	looking, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if stored, err := db.QueueTrace(looking, k.Queue, k.N); err == nil {
		ctx, _ = withRemote(ctx, stored)
	}
	return ctx
}

func (t *Telemetry) send(ctx context.Context, k outbox.Key, send func(context.Context) error) error {
	began := time.Now()
	end := func(error) {}
	if trace.SpanContextFromContext(ctx).IsSampled() { // of a delivery without a trace there is nothing to tell
		ctx, end = t.begin(ctx, "send", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String(attrQueue, string(k.Queue)), attribute.Int64(attrDelivery, k.N)))
	}
	err := send(ctx)
	seconds(t.metrics.sendDuration.WithLabelValues(string(k.Queue), resultOf(err)), began)
	if _, refused := errors.AsType[interface {
		error
		Refusal() string
	}](err); err != nil && !refused { // see outbox.Transport
		t.metrics.deferred.WithLabelValues(string(k.Queue)).Inc()
	}
	end(err)
	return err
}
