package telemetry

import (
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.temporal.io/sdk/contrib/opentelemetry"
)

// temporalMetrics passes the metrics of Temporal's SDK to the registry.
type temporalMetrics struct{ handler opentelemetry.MetricsHandler }

// newTemporalMetrics uses the SDK's handler for OpenTelemetry, as OpenTelemetry is here for traces anyway; the other one is for
// tally, which has had no release for years.
func newTemporalMetrics(r prometheus.Registerer, log *slog.Logger) (*temporalMetrics, error) {
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(r), otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("export the metrics of Temporal's SDK: %w", err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithResource(resource.Empty()),
		sdkmetric.WithView(sdkmetric.NewView(sdkmetric.Instrument{Kind: sdkmetric.InstrumentKindHistogram}, sdkmetric.Stream{
			Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: sdkBuckets},
		})))
	return &temporalMetrics{opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{
		Meter: provider.Meter("temporal-sdk-go"), UseMonotonicCounters: true,
		OnError: func(err error) { log.Warn("a metric of Temporal's SDK is not recorded", "error", err) },
	})}, nil
}

// sdkBuckets are those of the latencies of Temporal's SDK, in seconds.
var sdkBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300}

// TemporalMetrics returns the handler for the metrics of Temporal's SDK. ok is false if they are not served.
func (t *Telemetry) TemporalMetrics() (h opentelemetry.MetricsHandler, ok bool) {
	if t == nil || t.temporal == nil {
		return h, false
	}
	return t.temporal.handler, true
}
