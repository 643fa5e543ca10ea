package telemetry

import (
	"context"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Acceptor accepts submissions, commands and ratings.
type Acceptor interface {
	Submit(context.Context, desk.Person, desk.Submission) (desk.Accepted, error)
	Repeated(context.Context, desk.Person, desk.IdempotencyKey) (desk.Accepted, bool, error)
	Command(context.Context, desk.Person, desk.Request) (desk.Accepted, error)
	Rate(context.Context, desk.Person, desk.Rating) (r desk.Rating, rated bool, err error)
}

// Acceptor returns an Acceptor that measures a.
func (t *Telemetry) Acceptor(a Acceptor) Acceptor {
	if t == nil {
		return a
	}
	return acceptor{Acceptor: a, t: t}
}

type acceptor struct {
	Acceptor
	t *Telemetry
}

func (a acceptor) Submit(ctx context.Context, by desk.Person, sub desk.Submission) (desk.Accepted, error) {
	return a.measure(ctx, ticket.VerbSubmit, func(ctx context.Context) (desk.Accepted, error) { return a.Acceptor.Submit(ctx, by, sub) })
}

func (a acceptor) Command(ctx context.Context, by desk.Person, r desk.Request) (desk.Accepted, error) {
	return a.measure(ctx, r.Verb, func(ctx context.Context) (desk.Accepted, error) { return a.Acceptor.Command(ctx, by, r) })
}

func (a acceptor) measure(ctx context.Context, verb ticket.Verb, accept func(context.Context) (desk.Accepted, error)) (desk.Accepted, error) {
	ctx, end := a.t.begin(ctx, "accept "+string(verb), trace.WithAttributes(attribute.String(attrVerb, string(verb))))
	accepted, err := accept(ctx)
	switch {
	case err != nil:
		a.t.metrics.rejected.WithLabelValues(string(verb), resultOf(err)).Inc()
	case !accepted.Again:
		a.t.metrics.accepted.WithLabelValues(string(verb)).Inc()
	}
	if err == nil && a.t.tracing() {
		trace.SpanFromContext(ctx).SetAttributes(aboutCommand(accepted.Number, accepted.Seq)...)
	}
	end(err)
	return accepted, err
}

func aboutCommand(n ticket.Number, seq int64) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String(attrTicket, string(n)), attribute.Int64(attrCommand, seq)}
}

// Waiter waits for the outcomes of commands.
type Waiter interface {
	Await(context.Context, ticket.Number, int64) (o ticket.Outcome, decided bool, err error)
}

// Waiter returns a Waiter that measures w.
func (t *Telemetry) Waiter(w Waiter) Waiter {
	if t == nil {
		return w
	}
	return waiter{w, t}
}

type waiter struct {
	Waiter
	t *Telemetry
}

func (w waiter) Await(ctx context.Context, n ticket.Number, seq int64) (ticket.Outcome, bool, error) {
	began := time.Now()
	ctx, end := w.t.begin(ctx, "await outcome", trace.WithAttributes(aboutCommand(n, seq)...))
	o, decided, err := w.Waiter.Await(ctx, n, seq)
	if err == nil {
		seconds(w.t.metrics.outcomeWait.WithLabelValues(strconv.FormatBool(decided)), began)
	}
	if decided && w.t.tracing() {
		trace.SpanFromContext(ctx).SetAttributes(attribute.String(attrOutcome, outcomeOf(o)))
	}
	end(err)
	return o, decided, err
}

// outcomeOf names an outcome in a label. The code of a refusal is left out of labels.
func outcomeOf(o ticket.Outcome) string {
	if o.Refused {
		return "refused"
	}
	return "granted"
}

// Deliverer delivers commands to workflows.
type Deliverer interface {
	Deliver(context.Context, desk.AcceptedCommand) error
}

// Way is how a command is delivered to its workflow.
type Way string

// The ways.
const (
	Direct Way = "direct" // by the process that accepted it, if the workflow runs
	Relay  Way = "relay"
)

// Deliverer returns a Deliverer that measures d, which delivers by a way.
func (t *Telemetry) Deliverer(d Deliverer, way Way) Deliverer {
	if t == nil {
		return d
	}
	return deliverer{d, t, way}
}

type deliverer struct {
	Deliverer
	t   *Telemetry
	way Way
}

// Deliver continues the trace of the command, if it has one.
func (d deliverer) Deliver(ctx context.Context, c desk.AcceptedCommand) error {
	end := func(error) {}
	if d.t.tracing() {
		if remote, ok := withRemote(ctx, c.Trace); ok {
			ctx, end = d.t.begin(remote, "signal "+string(c.Command.Verb), trace.WithSpanKind(trace.SpanKindProducer),
				trace.WithAttributes(append(aboutCommand(c.Number, c.Command.Seq), attribute.String(attrVerb, string(c.Command.Verb)))...))
		}
	}
	err := d.Deliverer.Deliver(ctx, c)
	d.t.metrics.relayed.WithLabelValues(string(d.way), resultOf(err)).Inc()
	if err == nil {
		seconds(d.t.metrics.relayLag, c.Command.At)
	}
	end(err)
	return err
}

// What latencies of the relay's window are of.
const (
	latencyOfStart   = "start"
	latencyOfCommand = "command"
)

// RelayWindow returns a function that records the window of a relay and the latencies that it follows.
func (t *Telemetry) RelayWindow() func(allowed int, start, command time.Duration) {
	if t == nil {
		return nil
	}
	return func(allowed int, start, command time.Duration) {
		t.metrics.relayWindow.Set(float64(allowed))
		t.metrics.relayLatency.WithLabelValues(latencyOfStart).Set(start.Seconds())
		t.metrics.relayLatency.WithLabelValues(latencyOfCommand).Set(command.Seconds())
	}
}
