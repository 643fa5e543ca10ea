package main

import (
	"context"
	"net/url"
	"strings"

	accountpages "github.com/holesalemart/supportdesk/api/account"
	filepages "github.com/holesalemart/supportdesk/api/files"
	incomingpages "github.com/holesalemart/supportdesk/api/incoming"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/api/portal"
	"github.com/holesalemart/supportdesk/api/supervision"
	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/openid"
	"github.com/holesalemart/supportdesk/internal/store"
)

// site returns the website's engine. Streams end when ctx does, so that the server can stop. mailbox is the address of the
// page that shows all mails, or "" if there is none.
func (n *dependencies) site(ctx context.Context, d *app.Tickets, board *app.NoticeBoard, mailbox string) (*page.Engine, error) {
	return page.New(page.Config{
		Sessions:   n.db.Sessions(),
		People:     n.db,
		Policies:   d,
		Forms:      n.db,
		Board:      board,
		Name:       n.config.From.Name,
		Prefix:     n.config.NumberPrefix,
		Secure:     strings.HasPrefix(n.config.BaseURL, "https://"),
		TemporalUI: n.temporalUI(),
		Mailbox:    mailbox,
		Stopping:   ctx.Done(),
		Log:        n.log,
	})
}

// temporalUI returns the address of Temporal UI with the namespace, or "" if none is configured.
func (n *dependencies) temporalUI() string {
	if n.config.TemporalUIURL == "" {
		return ""
	}
	return strings.TrimRight(n.config.TemporalUIURL, "/") + "/namespaces/" + url.PathEscape(n.temporal.Namespace)
}

// areas returns the website's pages by audience.
func (n *dependencies) areas(d *app.Tickets, files *app.Files, review *app.IncomingReview, outcomes *store.Outcomes, command *app.Emergencies, policies *app.Policies) []page.Area {
	staffing, suggestions := app.NewStaffing(n.db), app.NewSuggestions(n.db)
	return []page.Area{
		accountpages.New(account.New(n.db.Accounts(), n.config.BaseURL), provider(n.config), d, staffing).Area(),
		portal.New(d, n.db, suggestions, n.db, files, outcomes).Area(),
		panel.New(d, app.NewWorkspace(n.db), staffing, n.db, files, outcomes).Area(),
		filepages.New(files, n.db).Area(),
		incomingpages.New(review).Area(),
		supervision.New(app.NewReports(n.db), n.db, suggestions, staffing, outcomes, command, policies).Area(),
	}
}

// provider returns the OpenID Connect provider for staff, or nil if none is configured.
func provider(c config.Config) *openid.Provider {
	if c.OIDCIssuer == "" {
		return nil
	}
	return openid.New(openid.Config{
		Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: c.OIDCClientSecret, Name: c.OIDCName,
		Callback: strings.TrimRight(c.BaseURL, "/") + "/sign-in/openid/callback",
	})
}
