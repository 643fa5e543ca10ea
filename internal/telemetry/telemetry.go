// Package telemetry measures the program: metrics for Prometheus, and traces for OpenTelemetry. It wraps what the other packages
// offer each other, so that they know nothing of it, and is put in place by the programs alone. Neither metrics nor traces
// contain text that people wrote, names or addresses; and metrics contain no ticket numbers, whose values have no bound.
//
// A nil *Telemetry measures nothing: its methods return what they are passed.
package telemetry

import (
	"context"
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Options configure a Telemetry.
type Options struct {
	Process string // name of the program's command, such as "worker"
	Version string
	Metrics bool                // whether metrics are served
	Getenv  func(string) string // for OpenTelemetry's variables
	Log     *slog.Logger
}

// Telemetry holds what measurements are made with.
type Telemetry struct {
	registry *prometheus.Registry
	metrics  metrics
	traces   *traces // nil: nothing is traced
	log      *slog.Logger
	temporal *temporalMetrics
}

// New returns a Telemetry, or nil if neither metrics nor traces are wanted. Close must be called at the end.
func New(ctx context.Context, o Options) (*Telemetry, error) {
	messages := logOtel(o.Log)
	defer messages.ready.Store(true)
	traces := newTraces(ctx, o)
	if traces == nil && !o.Metrics {
		return nil, nil //nolint:nilnil // nil measures nothing
	}
	t := &Telemetry{registry: newRegistry(o), metrics: newMetrics(), traces: traces, log: o.Log}
	for _, c := range t.metrics.all() {
		t.registry.MustRegister(c)
	}
	t.metrics.initialize()
	if o.Metrics {
		var err error
		if t.temporal, err = newTemporalMetrics(t.registry, o.Log); err != nil {
			return nil, errors.Join(err, traces.close()) //nolint:contextcheck // it has a time limit of its own, as ctx may have ended
		}
	}
	return t, nil
}

// Close sends the spans that are left.
func (t *Telemetry) Close() error {
	if t == nil {
		return nil
	}
	return t.traces.close()
}

// tracing reports whether spans are made.
func (t *Telemetry) tracing() bool { return t != nil && t.traces != nil }

// begin begins a span in ctx and returns the function that ends it. Without traces it does nothing.
func (t *Telemetry) begin(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, func(error)) {
	if !t.tracing() {
		return ctx, func(error) {}
	}
	ctx, span := t.traces.tracer.Start(ctx, name, options...)
	return ctx, func(err error) {
		endSpan(span, err)
	}
}

// resultOf names what became of a call in a label: "ok" or the kind of its error.
func resultOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	default:
		return fault.KindOf(err).String()
	}
}
