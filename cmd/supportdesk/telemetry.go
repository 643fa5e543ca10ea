package main

import (
	"context"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/local"
)

// metricsOff is the address of metrics that are not served.
const metricsOff = "off"

// serveMetrics serves /metrics, if it has an address, until ctx ends. That of a loopback address responds to the names of this
// machine only, so that a web page can't read it by a name of its own. If the address is taken, the program goes on without.
func (n *dependencies) serveMetrics(ctx context.Context, group *errgroup.Group) {
	address := n.config.MetricsAddress
	if address == metricsOff {
		return
	}
	handler := n.telemetry.Handler()
	if host, _, err := net.SplitHostPort(address); err == nil {
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
			handler = local.LoopbackOnly(handler)
		}
	}
	group.Go(func() error {
		if err := serve(ctx, address, handler, metricsGrace, n.log); err != nil {
			n.log.Error("metrics are not served", slog.String("address", address), slog.Any("error", err))
		}
		return nil
	})
}

// metricsGrace is how long a scrape may go on while the program stops.
const metricsGrace = time.Second

// closeTelemetry sends what is left of the traces. A collector that is away must not make the program fail.
func (n *dependencies) closeTelemetry() {
	if err := n.telemetry.Close(); err != nil {
		n.log.Warn("the last traces were not sent", slog.Any("error", err))
	}
}

// requests returns what observes the API's requests, or nil.
func (n *dependencies) requests() api.Requests {
	if n.telemetry == nil {
		return nil
	}
	return n.telemetry.Requests()
}
