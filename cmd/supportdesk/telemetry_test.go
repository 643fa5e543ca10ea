package main

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/logtest"
	"github.com/holesalemart/supportdesk/internal/telemetry"
)

func TestMetrics_whoseAddressIsTakenEndNoProcess(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	var lines logtest.Buffer
	log := slog.New(slog.NewTextHandler(&lines, nil))
	measured, err := telemetry.New(t.Context(), telemetry.Options{Process: "test", Metrics: true, Getenv: func(string) string { return "" }, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	n := &dependencies{config: config.Config{MetricsAddress: taken.Addr().String()}, log: log, telemetry: measured}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	group, ctx := errgroup.WithContext(ctx)
	n.serveMetrics(ctx, group, "127.0.0.1:1")
	for !lines.Contains("metrics are not served at " + taken.Addr().String()) {
		time.Sleep(time.Millisecond) // between looks
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	for { // it is tried again
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", n.config.MetricsAddress)
		if err == nil {
			_ = conn.Close()
			break
		}
		time.Sleep(10 * time.Millisecond) // between looks
	}
	end()
	if err := group.Wait(); err != nil {
		t.Errorf("it ends the process: %v", err)
	}
}

func TestMetrics_needAnAddressOfTheirOwn(t *testing.T) {
	for metrics, others := range map[string]map[string]bool{
		"127.0.0.1:9090": {"127.0.0.1:9090": true, ":9090": true, "0.0.0.0:9090": true, "127.0.0.2:9090": false, ":9091": false, "off": false},
		":9090":          {"127.0.0.1:9090": true},
		"127.0.0.1:0":    {"127.0.0.1:0": false},
	} {
		for other, want := range others {
			if got := overlap(metrics, other); got != want {
				t.Errorf("%s and %s: %v", metrics, other, got)
			}
		}
	}
	n := &dependencies{config: config.Config{MetricsAddress: ":9090"}, log: slog.New(slog.DiscardHandler)}
	group, ctx := errgroup.WithContext(t.Context())
	n.serveMetrics(ctx, group, "127.0.0.1:9090")
	if err := group.Wait(); fault.KindOf(err) != fault.Invalid {
		t.Errorf("it runs: %v", err)
	}
}
