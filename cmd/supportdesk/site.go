package main

import (
	"context"
	"strings"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/store"
)

// site makes the website's engine. Streams end when ctx does, so that the server can stop.
func (n *neighbours) site(ctx context.Context, d *desk.Desk) (*page.Engine, error) {
	return page.New(page.Config{
		Sessions: n.db.Sessions(),
		People:   n.db,
		Policies: d,
		Name:     n.config.From.Name,
		Version:  versionName(),
		Secure:   strings.HasPrefix(n.config.BaseURL, "https://"),
		Stopping: ctx.Done(),
		Log:      n.log,
	})
}

// areas are the website's pages, by audience.
func (n *neighbours) areas(d *desk.Desk, outcomes *store.Outcomes) ([]page.Area, error) {
	return []page.Area{panel.New(d, n.db, outcomes).Area()}, nil
}
