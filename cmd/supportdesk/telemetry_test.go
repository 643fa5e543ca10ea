package main

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/telemetry"
)

func TestMetrics_whoseAddressIsTakenEndNoProcess(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	var lines bytes.Buffer
	log := slog.New(slog.NewTextHandler(&lines, nil))
	measured, err := telemetry.New(t.Context(), telemetry.Options{Process: "test", Metrics: true, Getenv: func(string) string { return "" }, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	n := &dependencies{config: config.Config{MetricsAddress: taken.Addr().String()}, log: log, telemetry: measured}
	group, ctx := errgroup.WithContext(t.Context())
	n.serveMetrics(ctx, group)
	if err := group.Wait(); err != nil {
		t.Errorf("it ends the process: %v", err)
	}
	if !strings.Contains(lines.String(), "level=ERROR") || !strings.Contains(lines.String(), taken.Addr().String()) {
		t.Errorf("logged: %s", &lines)
	}
}
