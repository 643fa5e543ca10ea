package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/holesalemart/supportdesk/internal/logging"
)

// The attributes of spans. Their values are IDs, numbers and names that the program defines.
const (
	attrRequest   = "supportdesk.request"
	attrTicket    = "supportdesk.ticket"
	attrCommand   = "supportdesk.command"
	attrVerb      = "supportdesk.verb"
	attrOutcome   = "supportdesk.outcome"
	attrDelivery  = "supportdesk.delivery"
	attrEmergency = "supportdesk.emergency"
	attrTickets   = "supportdesk.tickets"
	attrQueue     = "supportdesk.queue"
	attrMail      = "supportdesk.mail"
	attrSource    = "supportdesk.source"
	attrStatus    = "supportdesk.status"
)

// traces makes spans and sends them.
type traces struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// closeTime is how long a process that ends waits for its last spans to be sent.
const closeTime = 5 * time.Second

// newTraces returns what OpenTelemetry's variables ask for, or nil: without any, nothing is traced. Its library reads the
// sampler, the endpoint, headers and limits itself. What is malformed is logged and left out, because a desk must not be down for
// its telemetry; if nothing can be sent then, nothing is traced.
func newTraces(ctx context.Context, o Options) *traces {
	env := environment(o.Getenv)
	if !env.tracesWanted() || !env.warn(o.Log) {
		return nil
	}
	exporter, err := env.exporter(ctx)
	if err != nil {
		o.Log.Warn(untraced, "error", err)
		return nil
	}
	// Its error is about the environment, of which warn has reported the same; the rest is used.
	about, _ := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "supportdesk-"+o.Process), attribute.String("service.version", o.Version),
	), resource.WithTelemetrySDK(), resource.WithFromEnv()) // the environment comes last, so it prevails
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, env.batching()...), sdktrace.WithResource(about))
	return &traces{provider: provider, tracer: provider.Tracer("github.com/holesalemart/supportdesk")}
}

// tracesWanted reports whether an exporter or an endpoint is set.
func (e environment) tracesWanted() bool {
	switch exporter := e.get("OTEL_TRACES_EXPORTER"); {
	case strings.EqualFold(e.get("OTEL_SDK_DISABLED"), "true"):
		return false
	case exporter != "":
		return !strings.EqualFold(exporter, exporterNone)
	default:
		return e.first(otlp("ENDPOINT")...) != ""
	}
}

// exporter returns what sends traces. Where its library departs from the specification, an option decides, which prevails over the
// environment.
func (e environment) exporter(ctx context.Context) (*otlptrace.Exporter, error) {
	if e.grpc() {
		return otlptracegrpc.New(ctx, options(e, otlptracegrpc.WithInsecure, otlptracegrpc.WithEndpointURL, otlptracegrpc.WithTimeout)...)
	}
	return otlptracehttp.New(ctx, options(e, otlptracehttp.WithInsecure, otlptracehttp.WithEndpointURL, otlptracehttp.WithTimeout)...)
}

func options[T any](e environment, insecure func() T, endpointURL func(string) T, timeout func(time.Duration) T) (all []T) {
	if address := e.endpointURL(); address != "" { // its scheme says whether to use TLS, whatever INSECURE is
		all = append(all, endpointURL(address))
	}
	decides := slices.Concat(otlp("ENDPOINT"), otlp("CERTIFICATE"), otlp("CLIENT_CERTIFICATE"))
	if e.grpc() {
		decides = append(decides, otlp("INSECURE")...)
	}
	if e.first(decides...) == "" { // on this machine; the library would use TLS
		all = append(all, insecure())
	}
	if value := e.first(otlp("TIMEOUT")...); value != "" && milliseconds(0)("", value) != "" {
		all = append(all, timeout(defaultTimeout))
	}
	return all
}

// defaultTimeout is OTLP's limit for sending a batch.
const defaultTimeout = 10 * time.Second

// endpointURL returns the URL to which traces are sent; empty if it is a target of gRPC, or none is set.
func (e environment) endpointURL() string {
	variables := otlp("ENDPOINT")
	u, err := url.Parse(e.first(variables...))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	if e.get(variables[0]) == "" && !e.grpc() { // the general one is that of all signals
		u = u.JoinPath("v1", "traces")
	}
	return u.String()
}

func (t *traces) close() error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// endSpan ends a span. Errors may quote text of people, so only their kind is recorded.
func endSpan(span trace.Span, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		span.SetStatus(codes.Error, resultOf(err))
	}
	span.End()
}

const traceparent = "traceparent"

// Traceparent returns the span of a context in the form of the W3C's header, to be stored with what the context causes. It is
// empty unless the span is sampled.
func Traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// Traceparent returns the function of that name if there are traces, and otherwise nil.
func (t *Telemetry) Traceparent() func(context.Context) string {
	if !t.tracing() {
		return nil
	}
	return Traceparent
}

// withRemote returns a context whose spans continue a stored trace. ok is false if there is none.
func withRemote(ctx context.Context, stored string) (_ context.Context, ok bool) {
	if stored == "" {
		return ctx, false
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: stored})
	return ctx, trace.SpanContextFromContext(ctx).IsRemote()
}

// LogAttrs returns the IDs of a context's trace and span for log lines.
func LogAttrs(ctx context.Context) []slog.Attr {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return nil
	}
	return []slog.Attr{slog.String(logging.Trace, span.TraceID().String()), slog.String(logging.Span, span.SpanID().String())}
}
