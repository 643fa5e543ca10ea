package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/logging"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/telemetry"
)

// load reads the configuration and returns it with the process's logger.
func (p *program) load() (config.Config, *slog.Logger, error) { return p.loadBy(config.Load) }

func (p *program) loadBy(load func(getenv func(string) string) (config.Config, error)) (config.Config, *slog.Logger, error) {
	c, err := load(p.getenv)
	if err != nil {
		return c, nil, err
	}
	return c, p.logger(c.LogFormat, c.LogLevel), nil
}

// logger returns the process's logger.
func (p *program) logger(format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var lines slog.Handler = slog.NewTextHandler(p.stderr, options)
	if format == logging.JSON {
		lines = slog.NewJSONHandler(p.stderr, options)
	}
	return slog.New(logging.NewHandler(lines, telemetry.LogAttrs))
}

// dependencies are PostgreSQL and Temporal, which every serving process needs. Connections are opened on first use.
type dependencies struct {
	config    config.Config
	log       *slog.Logger
	db        *store.Store
	blobs     *blob.Store
	temporal  *dispatch.Temporal
	telemetry *telemetry.Telemetry // nil: nothing is measured
}

const (
	databaseLimit = 30 * time.Second // for what the database is asked by a command that an operator waits for
	lockTimeout   = 5 * time.Second  // how long it waits for a lock of others, such as that of a change of a table
)

// connectBriefly is connect for a command that an operator waits for.
func (p *program) connectBriefly() (*dependencies, error) { return p.connectWaiting("", lockTimeout) }

// connect reads the configuration and returns the clients of both. The caller must call close. Only a process that serves has a
// name, and is measured.
func (p *program) connect(process string) (*dependencies, error) { return p.connectWaiting(process, 0) }

// connectWaiting is connect with a limit for waiting for a lock; 0: none.
func (p *program) connectWaiting(process string, lock time.Duration) (*dependencies, error) {
	p.serves = process != ""
	c, log, err := p.load()
	if err != nil {
		return nil, err
	}
	n := &dependencies{config: c, log: log}
	if p.serves {
		n.telemetry, err = telemetry.New(p.ctx, telemetry.Options{
			Process: process, Version: versionName(), Metrics: c.MetricsAddress != metricsOff, Getenv: p.getenv, Log: log,
		})
		if err != nil {
			return nil, err
		}
	}
	if err := n.open(p.ctx, lock); err != nil {
		n.closeTelemetry()
		return nil, err
	}
	return n, nil
}

// open opens the clients, or none.
func (n *dependencies) open(ctx context.Context, lock time.Duration) error {
	c := n.config
	db, err := store.Open(ctx, c.DatabaseURL, store.Options{
		NumberPrefix: c.NumberPrefix, MaxConns: c.DatabaseConns, Settle: c.EmergencyDelay, Allowances: c.LimitFactor, Files: c.FileLimits(),
		Own: inbound.Addresses(c.Mailboxes).Accepts, Trace: n.telemetry.Traceparent(), LockTimeout: lock,
	})
	if err != nil {
		return err
	}
	blobs, err := blob.Open(ctx, c.BlobURL)
	if err != nil {
		db.Close()
		return err
	}
	options := dispatch.Options{Logger: n.log, Interceptor: n.telemetry.Interceptor(db)}
	if metrics, ok := n.telemetry.TemporalMetrics(); ok {
		options.Metrics = metrics
	}
	temporal, err := dispatch.Connect(options)
	if err != nil {
		db.Close()
		return errors.Join(err, blobs.Close())
	}
	n.db, n.blobs, n.temporal = db, blobs, temporal
	return n.telemetry.ServeState(db, n.dispatcher().Ready)
}

// dispatcher returns a dispatcher whose workflows link to the website's pages.
func (n *dependencies) dispatcher() *dispatch.Dispatcher {
	website := strings.TrimSuffix(n.config.BaseURL, "/")
	return dispatch.New(n.temporal, dispatch.Pages{
		Ticket: website + "/desk/tickets/", Emergencies: website + "/supervision/emergencies",
	})
}

// relay returns a relay that delivers at once what this process accepts, and learns of steps from outcomes.
func (n *dependencies) relay(outcomes *store.Outcomes) *dispatch.Direct {
	d := n.dispatcher()
	relay := dispatch.NewRelay(n.db, n.telemetry.Deliverer(d, telemetry.Relay), outcomes, n.telemetry.RelayWindow(), n.log)
	return dispatch.NewDirect(relay, n.db, n.telemetry.Deliverer(d.ToRunning(), telemetry.Direct), n.log)
}

// files returns the use cases of files.
func (n *dependencies) files() *app.Files { return app.NewFiles(n.db, n.blobs, n.config.FileLimits()) }

func (n *dependencies) close() {
	n.temporal.Close()
	n.db.Close()
	if err := n.blobs.Close(); err != nil {
		n.log.Warn("the store of files was not closed", "error", err)
	}
	n.closeTelemetry()
}

// withStore calls do with the database, for commands that need nothing else.
func (p *program) withStore(do func(*store.Store) error) error { return p.withStoreWaiting(0, do) }

// withStoreBriefly is withStore for what takes a moment unless the database does not respond or others hold locks.
func (p *program) withStoreBriefly(do func(context.Context, *store.Store) error) error {
	return p.withStoreWaiting(lockTimeout, func(db *store.Store) error {
		return limited(p.ctx, databaseLimit, "the database", func(ctx context.Context) error { return do(ctx, db) })
	})
}

// withStoreWaiting is withStore with a limit for waiting for a lock; 0: none.
func (p *program) withStoreWaiting(lock time.Duration, do func(*store.Store) error) error {
	c, _, err := p.load()
	if err != nil {
		return err
	}
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{Own: inbound.Addresses(c.Mailboxes).Accepts, LockTimeout: lock})
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}
