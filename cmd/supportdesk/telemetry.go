package main

import (
	"context"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
)

// metricsOff is the address of metrics that are not served.
const metricsOff = "off"

// serveMetrics serves /metrics, if it has an address, until ctx ends. That of a loopback address responds to the names of this
// machine only. It is an error if that is the address at which the process serves other things; one that is taken by another
// process is tried again.
func (n *dependencies) serveMetrics(ctx context.Context, group *errgroup.Group, other string) {
	address := n.config.MetricsAddress
	if address == metricsOff {
		return
	}
	if overlap(address, other) {
		group.Go(func() error {
			return fault.New(fault.Invalid, "SUPPORTDESK_METRICS_ADDRESS: %q is an address that this process needs for something else (%s): metrics need one of their own", address, other)
		})
		return
	}
	handler := guard(address, n.telemetry.Handler())
	group.Go(func() error {
		outage := loop.NewOutage(loop.Options{First: time.Second, Max: metricsPause, Log: n.log, Failing: "metrics are not served at " + address})
		for ctx.Err() == nil {
			err := serve(ctx, address, handler, metricsGrace, n.log)
			if err == nil {
				return nil
			}
			loop.Sleep(ctx, outage.Failed(err))
		}
		return nil
	})
}

// metricsPause is the longest pause until an address of metrics is tried again.
const metricsPause = 30 * time.Second

// overlap reports whether two listen addresses can't be used at the same time.
func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	all := func(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }
	return errA == nil && errB == nil && portA == portB && portA != "0" && (hostA == hostB || all(hostA) || all(hostB))
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
