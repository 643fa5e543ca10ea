package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/logging"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Traces reads the traces that are stored with commands, deliveries and emergencies.
type Traces interface {
	// CommandTraces returns the traces of a ticket's undecided commands up to a number, the last one first.
	CommandTraces(ctx context.Context, n ticket.Number, seq int64) ([]string, error)
	// DeliveryTrace returns the trace of a delivery of a ticket; empty: it has none.
	DeliveryTrace(ctx context.Context, n ticket.Number, delivery int) (string, error)
	// QueueTrace returns the trace of a delivery of a queue without tickets; empty: it has none.
	QueueTrace(ctx context.Context, q outbox.Queue, n int64) (string, error)
	// EmergencyTrace returns the trace of the last change of an emergency up to a revision of the schedule; empty: it has none.
	EmergencyTrace(ctx context.Context, id ticket.EmergencyID, revision int64) (string, error)
}

// Interceptor is for the workers of a Temporal client. Log lines of activities name the ticket and the command or the delivery,
// and activities continue the traces that are stored with these. Nothing is added to workflows and their histories, so a trace
// outlasts any outage and replay is not affected.
type Interceptor struct {
	interceptor.InterceptorBase
	t  *Telemetry // may be nil: log lines have their attributes all the same
	db Traces
}

// Interceptor returns an interceptor that reads traces from db.
func (t *Telemetry) Interceptor(db Traces) *Interceptor { return &Interceptor{t: t, db: db} }

// InterceptWorkflow implements interceptor.WorkerInterceptor. It adds nothing, so that the stack of a waiting workflow is as small as
// without the interceptor.
func (i *Interceptor) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return next
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (i *Interceptor) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	a := &activityInbound{i: i}
	a.Next = next
	return a
}

type activityInbound struct {
	interceptor.ActivityInboundInterceptorBase
	i *Interceptor
}

// Init implements interceptor.ActivityInboundInterceptor.
func (a *activityInbound) Init(outbound interceptor.ActivityOutboundInterceptor) error {
	o := &activityOutbound{}
	o.Next = outbound
	return a.Next.Init(o)
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (a *activityInbound) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if len(in.Args) != 1 {
		return a.Next.ExecuteActivity(ctx, in)
	}
	end := func(error) {}
	switch r := in.Args[0].(type) {
	case ticket.StepRequest:
		ctx = logging.With(ctx, slog.String(logging.Ticket, string(r.Number)))
		if r.Command > 0 {
			logging.Add(ctx, slog.Int64(logging.Command, r.Command))
		}
		if a.i.t.tracing() {
			ctx, end = a.i.step(ctx, r)
		}
	case ticket.DeliveryRequest:
		ctx = logging.With(ctx, slog.String(logging.Ticket, string(r.Number)), slog.Int(logging.Delivery, r.N))
		if a.i.t.tracing() {
			ctx, end = a.i.delivery(ctx, r)
		}
	case ticket.FanoutRequest:
		if a.i.t.tracing() {
			ctx, end = a.i.fanout(ctx, r)
		}
	case ticket.ManualEmergencyCommand:
		ctx, end = a.i.t.begin(ctx, "manual emergency command", trace.WithSpanKind(trace.SpanKindConsumer))
	}
	result, err := a.Next.ExecuteActivity(ctx, in)
	if f, ok := result.(ticket.FanoutResult); ok {
		trace.SpanFromContext(ctx).SetAttributes(attribute.Int(attrTickets, f.Notified))
	}
	end(err)
	return result, err
}

// lookTime limits the look for a stored trace. Without the answer there is no span, and the activity runs all the same.
const lookTime = time.Second

// step begins the span of a step: in the trace of its command, in that of the delivery that it is about, or in a new one if what
// is due causes it. A command without a trace was accepted without one, so its step has none either.
func (i *Interceptor) step(ctx context.Context, r ticket.StepRequest) (context.Context, func(error)) {
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attribute.String(attrTicket, string(r.Number)))}
	looking, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	switch {
	case r.Command > 0:
		stored, err := i.db.CommandTraces(looking, r.Number, r.Command)
		if err != nil || len(stored) == 0 {
			return ctx, func(error) {}
		}
		options = append(options, trace.WithAttributes(attribute.Int64(attrCommand, r.Command)), trace.WithLinks(links(stored[1:])...))
		ctx, _ = withRemote(ctx, stored[0])
	case r.Delivered+r.Bounced > 0:
		stored, err := i.db.DeliveryTrace(looking, r.Number, r.Delivered+r.Bounced)
		remote, ok := withRemote(ctx, stored)
		if err != nil || !ok {
			return ctx, func(error) {}
		}
		options = append(options, trace.WithAttributes(attribute.Int(attrDelivery, r.Delivered+r.Bounced)))
		ctx = remote
	}
	return i.t.begin(ctx, "step", options...)
}

// links returns links to the traces of other commands that a step may decide.
func links(stored []string) []trace.Link {
	all := make([]trace.Link, 0, len(stored))
	for _, s := range stored {
		if ctx, ok := withRemote(context.Background(), s); ok {
			all = append(all, trace.LinkFromContext(ctx))
		}
	}
	return all
}

// delivery begins the span of an attempt at a delivery, in the trace of the step that caused it.
func (i *Interceptor) delivery(ctx context.Context, r ticket.DeliveryRequest) (context.Context, func(error)) {
	looking, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	stored, err := i.db.DeliveryTrace(looking, r.Number, r.N)
	remote, ok := withRemote(ctx, stored)
	if err != nil || !ok {
		return ctx, func(error) {}
	}
	return i.t.begin(remote, "deliver", trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.String(attrTicket, string(r.Number)), attribute.Int(attrDelivery, r.N)))
}

// fanout begins the span of a part of a fan-out: in the trace of the last change of its emergency, or in a new one if that has none.
func (i *Interceptor) fanout(ctx context.Context, r ticket.FanoutRequest) (context.Context, func(error)) {
	looking, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if stored, err := i.db.EmergencyTrace(looking, r.Transition.Emergency, r.ScheduleRevision); err == nil {
		ctx, _ = withRemote(ctx, stored)
	}
	return i.t.begin(ctx, "notify tickets", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String(attrEmergency, string(r.Transition.Emergency)), attribute.String(attrVerb, string(r.Transition.Verb))))
}

type activityOutbound struct {
	interceptor.ActivityOutboundInterceptorBase
}

// GetLogger implements interceptor.ActivityOutboundInterceptor. The SDK logs without a context.
func (o *activityOutbound) GetLogger(ctx context.Context) log.Logger {
	logger := o.Next.GetLogger(ctx)
	attrs := append(logging.Attrs(ctx), LogAttrs(ctx)...)
	keyvals := make([]any, 0, 2*len(attrs))
	for _, a := range attrs {
		keyvals = append(keyvals, a.Key, a.Value.Any())
	}
	return log.With(logger, keyvals...)
}
