package main

import (
	"log/slog"

	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/store"
)

// neighbours are what every serving process stands on. Neither is asked for anything before it is needed.
type neighbours struct {
	config   config.Config
	log      *slog.Logger
	db       *store.Store
	temporal *dispatch.Temporal
}

// connect reads the configuration and prepares the way to both. Whoever connects calls close.
func (p *program) connect() (*neighbours, error) {
	c, log, err := p.load()
	if err != nil {
		return nil, err
	}
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{NumberPrefix: c.NumberPrefix, MaxConns: c.DatabaseConns})
	if err != nil {
		return nil, err
	}
	temporal, err := dispatch.Connect(dispatch.Options{Logger: log})
	if err != nil {
		db.Close()
		return nil, err
	}
	return &neighbours{config: c, log: log, db: db, temporal: temporal}, nil
}

func (n *neighbours) close() {
	n.temporal.Close()
	n.db.Close()
}
