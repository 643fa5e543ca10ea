package telemetry_test

import (
	"context"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.temporal.io/sdk/interceptor"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/skiptest"
	"github.com/holesalemart/supportdesk/internal/telemetry"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// collector receives spans by OTLP, over HTTP and gRPC.
type collector struct {
	collectorpb.UnimplementedTraceServiceServer

	mu    sync.Mutex
	spans []string // name, trace and parent of each
}

func (c *collector) Export(_ context.Context, sent *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range sent.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans = append(c.spans, s.GetName()+" "+hex.EncodeToString(s.GetTraceId())+" "+hex.EncodeToString(s.GetParentSpanId()))
			}
		}
	}
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var sent collectorpb.ExportTraceServiceRequest
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = proto.Unmarshal(body, &sent)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_, _ = c.Export(r.Context(), &sent)
}

// received returns the spans so far.
func (c *collector) received() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// tracing returns a Telemetry that sends traces as OpenTelemetry's variables ask for, without those of the caller.
func tracing(t *testing.T, settings map[string]string) *telemetry.Telemetry {
	t.Helper()
	for _, variable := range telemetry.CheckedVariables() {
		t.Setenv(variable, settings[variable])
	}
	measured, err := telemetry.New(t.Context(), telemetry.Options{Process: "test", Getenv: os.Getenv, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return measured
}

// listen listens at an address, which another run of this test may have until it ends.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	const patience = 30 * time.Second
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) { // between looks
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return listener
		}
		if time.Since(began) > patience {
			skiptest.Skipf(t, "%v: does a collector run on this machine?", err)
		}
	}
}

// As OpenTelemetry specifies, and unlike its library, which would use TLS.
func TestTraces_goToLocalhostWithoutTLSByDefault(t *testing.T) {
	for protocol, serve := range map[string]func(*collector) (stop func()){
		"": func(c *collector) func() {
			server := &http.Server{Handler: c, ReadHeaderTimeout: time.Minute}
			listener := listen(t, "127.0.0.1:4318")
			go func() { _ = server.Serve(listener) }()
			return func() { _ = server.Close() }
		},
		"grpc": func(c *collector) func() {
			server := grpc.NewServer()
			collectorpb.RegisterTraceServiceServer(server, c)
			listener := listen(t, "127.0.0.1:4317")
			go func() { _ = server.Serve(listener) }()
			return server.Stop
		},
	} {
		t.Run("protocol "+protocol, func(t *testing.T) {
			var c collector
			defer serve(&c)()
			measured := tracing(t, map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
			if _, err := measured.Acceptor(instant{}).Command(t.Context(), desk.Person{}, desk.Request{Verb: ticket.VerbAgentReply}); err != nil {
				t.Fatal(err)
			}
			if err := measured.Close(); err != nil || len(c.received()) != 1 {
				t.Errorf("it receives %q, %v", c.received(), err)
			}
		})
	}
}

// The scheme of an endpoint says whether TLS is used; INSECURE is about targets of gRPC.
func TestTraces_useTLSAsTheEndpointSays(t *testing.T) {
	for _, c := range []struct {
		tls      bool
		settings map[string]string
	}{
		{true, map[string]string{"OTEL_EXPORTER_OTLP_INSECURE": "true"}},
		{false, map[string]string{"OTEL_EXPORTER_OTLP_INSECURE": "false"}},
		{false, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_INSECURE": "maybe"}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			var received collector
			server := httptest.NewUnstartedServer(&received)
			if c.tls {
				server.StartTLS()
				file := filepath.Join(t.TempDir(), "certificate.pem")
				certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
				if err := os.WriteFile(file, certificate, 0o600); err != nil {
					t.Fatal(err)
				}
				c.settings["OTEL_EXPORTER_OTLP_CERTIFICATE"] = file
			} else {
				server.Start()
			}
			defer server.Close()
			c.settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = server.URL
			measured := tracing(t, c.settings)
			if _, err := measured.Acceptor(instant{}).Command(t.Context(), desk.Person{}, desk.Request{Verb: ticket.VerbAgentReply}); err != nil {
				t.Fatal(err)
			}
			if err := measured.Close(); err != nil || len(received.received()) != 1 {
				t.Errorf("it receives %q, %v", received.received(), err)
			}
		})
	}
}

// stored has the traces that are stored with deliveries and emergencies.
type stored struct{ telemetry.Traces }

func (stored) QueueTrace(_ context.Context, q outbox.Queue, n int64) (string, error) {
	return map[string]string{"account 1": traceparent(1), "announcement 2": traceparent(2)}[fmt.Sprint(q, " ", n)], nil
}

func (stored) EmergencyTrace(_ context.Context, id ticket.EmergencyID, revision int64) (string, error) {
	return map[string]string{"E1 5": traceparent(3)}[fmt.Sprint(id, " ", revision)], nil
}

// traceparent returns the header of the nth trace.
func traceparent(n int) string { return fmt.Sprintf("00-%032d-%016d-01", n, n) }

// fanout is an activity that notifies tickets.
type fanout struct {
	interceptor.ActivityInboundInterceptorBase
}

func (fanout) ExecuteActivity(context.Context, *interceptor.ExecuteActivityInput) (any, error) {
	return ticket.FanoutResult{Notified: 7}, nil
}

func TestTraces_goOnToWhatRequestsCauseWithoutATicket(t *testing.T) {
	var c collector
	server := httptest.NewServer(&c)
	defer server.Close()
	measured := tracing(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL})
	send := func(context.Context, outbox.Key) (outbox.Delivery, error) {
		return outbox.Delivery{Send: func(context.Context) error { return nil }}, nil
	}
	transports := measured.Transports(stored{}, map[outbox.Queue]outbox.Transport{outbox.AccountMails: send, outbox.AnnouncementMails: send})
	for _, k := range []outbox.Key{{Queue: outbox.AccountMails, N: 1}, {Queue: outbox.AnnouncementMails, N: 2}, {Queue: outbox.AccountMails, N: 3}} {
		d, err := transports[k.Queue](t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Send(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	request := ticket.FanoutRequest{Transition: ticket.Transition{Emergency: "E1"}, ScheduleRevision: 5}
	activity := measured.Interceptor(stored{}).InterceptActivity(t.Context(), &fanout{})
	if _, err := activity.ExecuteActivity(t.Context(), &interceptor.ExecuteActivityInput{Args: []any{request}}); err != nil {
		t.Fatal(err)
	}
	if err := measured.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{ // and no span of the email without a trace
		fmt.Sprintf("send %032d %016d", 1, 1), fmt.Sprintf("send %032d %016d", 2, 2), fmt.Sprintf("notify tickets %032d %016d", 3, 3),
	}
	if !slices.Equal(c.received(), want) {
		t.Errorf("the spans are %q, want %q", c.received(), want)
	}
}
