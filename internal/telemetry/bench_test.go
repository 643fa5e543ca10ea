package telemetry_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/telemetry"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// instant accepts commands in no time.
type instant struct{ telemetry.Acceptor }

func (instant) Command(context.Context, desk.Person, desk.Request) (desk.Accepted, error) {
	return desk.Accepted{Number: "HM-7Q2K9XM4TD", Seq: 2}, nil
}

// What measuring adds to the acceptance of a command: nothing when off.
func BenchmarkAccept(b *testing.B) {
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer collector.Close()
	for _, c := range []struct {
		name    string
		metrics bool
		env     map[string]string
	}{
		{name: "off"},
		{name: "metrics", metrics: true},
		{name: "traces, unsampled", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_TRACES_SAMPLER": "always_off"}},
		{name: "traces", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for k, v := range c.env {
				b.Setenv(k, v)
			}
			measured, err := telemetry.New(b.Context(), telemetry.Options{Metrics: c.metrics, Getenv: func(k string) string { return c.env[k] }, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = measured.Close() }()
			acceptor := measured.Acceptor(instant{})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := acceptor.Command(b.Context(), desk.Person{}, desk.Request{Verb: ticket.VerbAgentReply}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
