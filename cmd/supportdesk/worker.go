package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/webhook"
	"github.com/holesalemart/supportdesk/worker"
)

// heartbeat must be well below the mail activity's heartbeat time-out.
const heartbeat = 5 * time.Second

// announcementShare is the rate of announcements' mails, as a part of that of tickets' mails, beside which they go out.
const announcementShare = 0.5

// workerPause is between tries to start a worker that Temporal refuses.
const workerPause = 2 * time.Second

type workerCommand struct{}

// Run works until the program is told to stop, and finishes what it has begun.
func (workerCommand) Run(p *program) error {
	n, err := p.connect()
	if err != nil {
		return err
	}
	defer n.close()
	c, log, db := n.config, n.log, n.db
	sender, err := mail.NewSender(mailConfig(c))
	if err != nil {
		return err
	}
	defer sender.Close()

	group, ctx := errgroup.WithContext(p.ctx)
	dispatcher := n.dispatcher()
	reconciler := n.reconciler()
	group.Go(func() error { return reconciler.Run(ctx) }) // also while the worker can't run: it registers a namespace that is gone
	var running atomic.Bool
	group.Go(func() error {
		return n.keepWorking(ctx, &running, func() error {
			return worker.Run(ctx, n.temporal.Client, // the sdk wants the client itself
				worker.Activities{
					Steps: activities.NewSteps(app.NewSteps(db, app.MaxCommands)), Mails: activities.NewMails(mail.NewPostman(db, sender), heartbeat),
					Emergencies: activities.NewEmergencies(db, db, dispatcher, app.NewOperator(db, time.Now),
						activities.FanoutOptions{Parallel: c.FanoutParallel, PerSecond: c.FanoutRate}),
					Announcements: activities.NewAnnouncements(db, mail.NewHerald(db, sender, log), announcementShare*c.MailRate, heartbeat),
					Webhooks:      activities.NewWebhooks(webhook.NewCaller(db, endpoints(c), strings.TrimSuffix(c.BaseURL, "/"), log)),
				},
				worker.Options{
					Steps: c.WorkerSteps, Mails: c.WorkerMails,
					MailPerSecond: c.MailRate, CachedTickets: c.WorkerTickets,
				})
		})
	})
	group.Go(func() error { return db.WatchEpoch(ctx) })
	courier := mail.NewCourier(account.New(db.Accounts(), c.BaseURL), sender, log) // works while Temporal is away
	group.Go(func() error { return courier.Run(ctx) })
	if c.HealthAddress != "off" {
		group.Go(func() error {
			return serve(ctx, c.HealthAddress, api.Health(versionName(), n.workerChecks(&running), db, log), c.ShutdownTimeout, log)
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}

// keepWorking works until ctx ends. A worker that Temporal refuses is started again: the namespace may have been lost, and
// is registered anew.
func (n *neighbours) keepWorking(ctx context.Context, running *atomic.Bool, work func() error) error {
	for n.awaitTemporal(ctx) {
		running.Store(true)
		err := work()
		running.Store(false)
		if ctx.Err() != nil {
			return err
		}
		n.log.Error("the worker ended and is started again", "error", err)
		loop.Sleep(ctx, workerPause)
	}
	return nil
}

// workerChecks are what a worker needs: on a standby, which can be read, it could take no step.
func (n *neighbours) workerChecks(running *atomic.Bool) []api.Check {
	return []api.Check{
		{Name: "postgresql", Ask: n.db.Ready},
		{Name: "writes", Ask: n.db.Writable},
		{Name: "temporal", Ask: n.dispatcher().Ready},
		{Name: "worker", Ask: polls(running)},
		{Name: "smtp", Ask: listens(n.config.SMTPHost, n.config.SMTPPort), Optional: true}, // without it mail waits, and nothing else
	}
}

// polls reports whether the worker polls for tasks.
func polls(running *atomic.Bool) func(context.Context) error {
	return func(context.Context) error {
		if !running.Load() {
			return errors.New("the worker does not poll")
		}
		return nil
	}
}

// reconciler makes this process's, with a name that no other process has.
func (n *neighbours) reconciler() *dispatch.Reconciler {
	host, _ := os.Hostname() // the rest is unique by itself
	holder := fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text())
	return dispatch.NewReconciler(n.db, n.dispatcher(),
		func(ctx context.Context) error { return dispatch.EnsureNamespace(ctx, n.temporal) },
		dispatch.NewReplacer(n.db, n.dispatcher(), n.log).Run, holder,
		dispatch.ReconcilerOptions{
			Every: n.config.ReconcileEvery, Patience: n.config.ReconcilePatience, PerSecond: n.config.ReconcileRate,
			Audit: n.config.ReconcilePatience,
		}, n.log)
}

func endpoints(c config.Config) map[string]webhook.Endpoint {
	all := map[string]webhook.Endpoint{}
	for name, hook := range c.Hooks {
		all[name] = webhook.Endpoint(hook)
	}
	return all
}

// listens asks whether a server takes connections at all.
func listens(host string, port int) func(context.Context) error {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

func mailConfig(c config.Config) mail.Config {
	return mail.Config{
		Host: c.SMTPHost, Port: c.SMTPPort, Username: c.SMTPUsername, Password: c.SMTPPassword, TLS: c.SMTPTLS,
		From:   desk.Mailbox{Name: c.From.Name, Address: c.From.Address},
		Domain: c.MailDomain, BaseURL: c.BaseURL, Timeout: c.SMTPTimeout,
	}
}
