package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/local"
)

// serve serves HTTP on an address until ctx ends, and then waits up to grace for open requests.
func serve(ctx context.Context, address string, handler http.Handler, grace time.Duration, log *slog.Logger) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	log.Info("listening", "address", listener.Addr().String())
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err = server.Shutdown(stopping)
	if closed := <-served; !errors.Is(closed, http.ErrServerClosed) {
		err = errors.Join(err, closed)
	}
	if err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}

// healthTimeout is longer than a readiness check may take.
const healthTimeout = 4 * time.Second

// healthCommand is the health check of a container, whose image contains no other program.
type healthCommand struct {
	URL *url.URL `arg:"" help:"URL to check, such as http://127.0.0.1:8080/readyz."`
}

// Run succeeds if the URL responds with 200.
func (c healthCommand) Run(p *program) error {
	ctx, cancel := context.WithTimeout(p.ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL.String(), nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.URL, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	if err := response.Body.Close(); err != nil {
		return fmt.Errorf("ask %s: %w", c.URL, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s responds with %s", c.URL, response.Status)
	}
	_, err = fmt.Fprintln(p.stdout, response.Status)
	return err
}

// guard returns a handler that answers to this machine's names only if it is served at a loopback address: otherwise a website
// whose name resolves to that address could read it in a browser on this machine.
func guard(address string, handler http.Handler) http.Handler {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "localhost" || ip != nil && ip.IsLoopback()) {
		return local.LoopbackOnly(handler)
	}
	return handler
}

// serveHealth serves the health checks of a process without an API at an address of its own, unless that is "off".
func (n *dependencies) serveHealth(ctx context.Context, group *errgroup.Group, address string, checks []api.Check) {
	if address == "off" {
		return
	}
	handler := guard(address, api.Health(versionName(), checks, n.db, n.log))
	group.Go(func() error { return serve(ctx, address, handler, n.config.ShutdownTimeout, n.log) })
}
