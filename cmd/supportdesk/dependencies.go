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
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/store"
)

// load reads the configuration and returns it with the process's logger.
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

// dependencies are PostgreSQL and Temporal, which every serving process needs. Connections are opened on first use.
type dependencies struct {
	config   config.Config
	log      *slog.Logger
	db       *store.Store
	blobs    *blob.Store
	temporal *dispatch.Temporal
}

// connect reads the configuration and returns the clients of both. The caller must call close.
func (p *program) connect() (*dependencies, error) {
	c, log, err := p.load()
	if err != nil {
		return nil, err
	}
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{
		NumberPrefix: c.NumberPrefix, MaxConns: c.DatabaseConns, Settle: c.EmergencyDelay, Allowances: c.LimitFactor, Files: c.FileLimits(),
		Own: inbound.Addresses(c.Mailboxes).Accepts,
	})
	if err != nil {
		return nil, err
	}
	blobs, err := blob.Open(p.ctx, c.BlobURL)
	if err != nil {
		db.Close()
		return nil, err
	}
	temporal, err := dispatch.Connect(dispatch.Options{Logger: log})
	if err != nil {
		db.Close()
		return nil, errors.Join(err, blobs.Close())
	}
	return &dependencies{config: c, log: log, db: db, blobs: blobs, temporal: temporal}, nil
}

// dispatcher returns a dispatcher whose workflows link to the website's pages.
func (n *dependencies) dispatcher() *dispatch.Dispatcher {
	website := strings.TrimSuffix(n.config.BaseURL, "/")
	return dispatch.New(n.temporal, dispatch.Pages{
		Ticket: website + "/desk/tickets/", Emergencies: website + "/supervision/emergencies",
	})
}

// relay returns a relay that delivers at once what this process accepts.
func (n *dependencies) relay() *dispatch.Direct {
	d := n.dispatcher()
	return dispatch.NewDirect(dispatch.NewRelay(n.db, d, n.log), n.db, d, n.log)
}

// files returns the use cases of files.
func (n *dependencies) files() *app.Files { return app.NewFiles(n.db, n.blobs, n.config.FileLimits()) }

func (n *dependencies) close() {
	n.temporal.Close()
	n.db.Close()
	if err := n.blobs.Close(); err != nil {
		n.log.Warn("the store of files was not closed", "error", err)
	}
}

// awaitTemporal waits until Temporal responds, because in a deployment all processes start at the same time. It returns
// false if ctx ends before.
func (n *dependencies) awaitTemporal(ctx context.Context) bool {
	for logged := false; ; logged = true {
		err := n.dispatcher().Ready(ctx)
		switch {
		case ctx.Err() != nil:
			return false
		case err == nil:
			return true
		case !logged:
			n.log.Warn("waiting for Temporal", "error", err)
		}
		loop.Sleep(ctx, time.Second)
	}
}

// withStore calls do with the database, for commands that need nothing else.
func (p *program) withStore(do func(*store.Store) error) error {
	c, _, err := p.load()
	if err != nil {
		return err
	}
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{Own: inbound.Addresses(c.Mailboxes).Accepts})
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}
