package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/store"
)

// load reads the configuration and makes the process's log.
func (p *program) load() (config.Config, *slog.Logger, error) {
	c, err := config.Load(p.getenv)
	if err != nil {
		return c, nil, err
	}
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return c, slog.New(slog.NewJSONHandler(p.stderr, options)), nil
	}
	return c, slog.New(slog.NewTextHandler(p.stderr, options)), nil
}

// dependencies are what every serving process stands on. Neither is asked for anything before it is needed.
type dependencies struct {
	config   config.Config
	log      *slog.Logger
	db       *store.Store
	temporal *dispatch.Temporal
}

// connect reads the configuration and prepares the way to both. Whoever connects calls close.
func (p *program) connect() (*dependencies, error) {
	c, log, err := p.load()
	if err != nil {
		return nil, err
	}
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{
		NumberPrefix: c.NumberPrefix, MaxConns: c.DatabaseConns, Settle: c.EmergencyDelay, Allowances: c.LimitFactor,
	})
	if err != nil {
		return nil, err
	}
	temporal, err := dispatch.Connect(dispatch.Options{Logger: log})
	if err != nil {
		db.Close()
		return nil, err
	}
	return &dependencies{config: c, log: log, db: db, temporal: temporal}, nil
}

// dispatcher links workflows to the pages of the website.
func (n *dependencies) dispatcher() *dispatch.Dispatcher {
	website := strings.TrimSuffix(n.config.BaseURL, "/")
	return dispatch.New(n.temporal, dispatch.Pages{
		Ticket: website + "/desk/tickets/", Emergencies: website + "/supervision/emergencies",
	})
}

func (n *dependencies) close() {
	n.temporal.Close()
	n.db.Close()
}

// awaitTemporal waits until Temporal answers; false when ctx has ended before. In a deployment all start at once.
func (n *dependencies) awaitTemporal(ctx context.Context) bool {
	for told := false; ; told = true {
		err := n.dispatcher().Ready(ctx)
		switch {
		case ctx.Err() != nil:
			return false
		case err == nil:
			return true
		case !told:
			n.log.Warn("waiting for Temporal", "error", err)
		}
		loop.Sleep(ctx, time.Second)
	}
}

// withStore opens the database for a command that needs nothing else.
func (p *program) withStore(do func(*store.Store) error) error {
	c, _, err := p.load()
	if err != nil {
		return err
	}
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}
