package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/logging"
	"github.com/holesalemart/supportdesk/internal/store"
)

type apiCommand struct{}

// Run serves the API.
func (apiCommand) Run(p *program) error {
	return p.runAPI("", func(h http.Handler) http.Handler { return h })
}

// localAPICommand is the API of up. Unlike the production command it also serves the mailbox's pages, whose sign-in links
// let everyone who can read them sign in. Only requests from this machine may read them.
type localAPICommand struct {
	Mailbox *url.URL `required:"" help:"URL of the mailbox's pages."`
}

// Run serves the API and the mailbox's pages.
func (c localAPICommand) Run(p *program) error {
	mailbox := httputil.NewSingleHostReverseProxy(c.Mailbox)
	return p.runAPI("/dev/mail", func(h http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/dev/", mailbox)
		mux.Handle("/", h)
		return local.LoopbackOnly(mux)
	})
}

// runAPI serves the API and relays commands until the program is stopped. The relay stops last, so that it delivers what
// the last requests accepted; the next process delivers what is left.
func (p *program) runAPI(mailbox string, wrap func(http.Handler) http.Handler) error {
	n, err := p.connect(partAPI)
	if err != nil {
		return err
	}
	defer n.close()
	c, log, db := n.config, n.log, n.db
	dispatcher := n.dispatcher()
	outcomes := store.NewOutcomes(db, log)
	relay := n.relay(outcomes)
	notifier := dispatch.NewEmergencyNotifier(db, dispatcher, log)
	d := app.NewTickets(n.telemetry.Acceptor(db), db, db, n.telemetry.Waiter(outcomes), relay)
	board := app.NewNoticeBoard(db)
	files := n.files()
	review := app.NewIncomingReview(db, db, n.blobs, inbound.NewViewer(n.blobs, db.TokenSecrets, n.config.BaseURL, n.config.Mailboxes))
	site, err := n.site(p.ctx, d, board, mailbox)
	if err != nil {
		return err
	}
	command := app.NewEmergencies(db, db, db, db, notifier)
	policies := app.NewPolicies(db, db, db, relay)
	handler, err := api.New(api.Config{
		Desk:           d,
		People:         db,
		Board:          board,
		Reports:        app.NewReports(db),
		Emergencies:    command,
		Policies:       policies,
		Files:          files,
		Relayed:        n.relayed(),
		Incoming:       review,
		Accounts:       account.New(db.Accounts(), c.BaseURL),
		Contacts:       app.NewWorkspace(db),
		Staffing:       app.NewStaffing(db),
		Site:           site,
		Areas:          n.areas(d, files, review, outcomes, command, policies),
		Prefix:         c.NumberPrefix,
		Version:        versionName(),
		Ready:          n.apiChecks(dispatcher),
		Workflows:      db,
		TrustedProxies: c.TrustedProxies,
		Requests:       n.requests(),
		Log:            log,
	})
	if err != nil {
		return err
	}
	return p.serveAPI(n, wrap(handler), relay.Run, notifier.Run, outcomes.Run)
}

// apiChecks returns the API's readiness checks.
func (n *dependencies) apiChecks(dispatcher *dispatch.Dispatcher) []api.Check {
	return []api.Check{
		{Name: "postgresql", Ask: n.db.Ready},
		{Name: "writes", Ask: n.db.Writable},
		{Name: "files", Ask: n.blobs.Ping, Optional: true}, // without it only files can't be sent or read
		{Name: "temporal", Ask: dispatcher.Ready, Optional: true},
	}
}

// serveAPI serves until the program is stopped. The background loops continue until the last request is finished.
func (p *program) serveAPI(n *dependencies, handler http.Handler, background ...func(context.Context) error) error {
	lasting, stop := context.WithCancel(context.WithoutCancel(p.ctx))
	defer stop()
	group, serving := errgroup.WithContext(p.ctx)
	group.Go(func() error { return n.db.WatchEpoch(serving) })
	n.serveMetrics(serving, group, n.config.HTTPAddress)
	for _, run := range background {
		group.Go(func() error { return run(lasting) })
	}
	group.Go(func() error {
		defer stop()
		return serve(serving, n.config.HTTPAddress, handler, n.config.ShutdownTimeout, n.log)
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("api: %w", err)
	}
	return nil
}

// localMailboxCommand is an SMTP server that accepts all mails and shows them on a page. Only up uses it.
type localMailboxCommand struct {
	Dir  string `required:"" type:"path" help:"Directory of the emails."`
	SMTP string `name:"smtp" required:"" help:"Address of the SMTP server."`
	Desk string `help:"Address of the SMTP server that receives the desk's mail."`
	Mail string `help:"Email address of the desk."`
	HTTP string `name:"http" required:"" help:"Address of the pages."`
}

// Run accepts mails until the program is stopped.
func (c localMailboxCommand) Run(p *program) error {
	p.serves = true
	log := p.logger(p.getenv(logging.Variable), slog.LevelInfo)
	mailbox, err := local.StartMailbox(local.MailboxOptions{
		Dir: c.Dir, Addr: c.SMTP, Desk: local.Desk{Server: c.Desk, Address: c.Mail},
	})
	if err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	err = serve(p.ctx, c.HTTP, local.LoopbackOnly(mailbox.Handler()), 5*time.Second, log)
	if stopErr := mailbox.Stop(); err == nil {
		err = stopErr
	}
	return err
}
