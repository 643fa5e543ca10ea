package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Handler returns the handler of /metrics. A metric that can't be collected is left out, and the others are served.
func (t *Telemetry) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(t.log.Handler(), slog.LevelWarn), MaxRequestsInFlight: maxScrapes,
	}))
	return mux
}

// maxScrapes is how many scrapes are served at once.
const maxScrapes = 4

// noRoute is the route of requests that match none. Their paths are of any number, so they must not be labels.
const noRoute = "none"

// Requests observes the API's requests.
type Requests struct{ t *Telemetry }

// Requests returns what observes requests, or nil.
func (t *Telemetry) Requests() *Requests {
	if t == nil {
		return nil
	}
	return &Requests{t}
}

// Begin observes the beginning of a request and returns its context and the function that observes its end. The trace that the
// client names is continued if the client is trusted: others could have everything traced.
func (o *Requests) Begin(r *http.Request, id, route string, trusted bool) (context.Context, func(status int, stream bool)) {
	ctx, method, began := r.Context(), methodOf(r), time.Now()
	if route == "" {
		route = noRoute
	}
	var span trace.Span
	if o.t.tracing() {
		if trusted {
			ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
		}
		ctx, span = o.t.traces.tracer.Start(ctx, method+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", method), attribute.String("http.route", route), attribute.String(attrRequest, id),
		))
	}
	return ctx, func(status int, stream bool) {
		o.t.metrics.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
		if !stream {
			seconds(o.t.metrics.requestDuration.WithLabelValues(method, route), began)
		}
		if span == nil {
			return
		}
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		var err error
		if status >= http.StatusInternalServerError {
			err = errServer
		}
		endSpan(span, err)
	}
}

var errServer = errors.New("server error")

// methodOf returns the request's method, or "other" for one that HTTP does not define: clients may send any.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	default:
		return "other"
	}
}
