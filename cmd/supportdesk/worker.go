package main

import (
	"context"
	"crypto/rand"
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
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/webhook"
	"github.com/holesalemart/supportdesk/worker"
	"github.com/holesalemart/supportdesk/workflows"
)

// heartbeat is the interval of activity heartbeats. It must be well below the mail activity's heartbeat time-out.
const heartbeat = 5 * time.Second

// announcementShare is the rate of announcement mails as a fraction of the rate of ticket mails, to which it is added.
const announcementShare = 0.5

// workerPause is the pause between attempts to start a worker that Temporal rejects.
const workerPause = 2 * time.Second

type workerCommand struct{}

// Run runs the worker until the program is stopped, and then finishes the tasks under way.
func (workerCommand) Run(p *program) error {
	n, err := p.connect(partWorker)
	if err != nil {
		return err
	}
	defer n.close()
	mails, err := mailConfig(n.config)
	if err != nil {
		return err
	}
	sender, err := mail.NewSender(mails)
	if err != nil {
		return err
	}
	defer sender.Close()

	self, err := newSelf(n.config)
	if err != nil {
		return err
	}

	group, ctx := errgroup.WithContext(p.ctx)
	deliveries := n.outbox(sender)
	reconciler := n.reconciler(self.identity)
	group.Go(func() error { return reconciler.Run(ctx) }) // also while the worker can't run: it registers a lost namespace
	var running atomic.Bool
	group.Go(func() error {
		return n.keepWorking(ctx, &running, func() error { return n.work(ctx, deliveries, self) })
	})
	group.Go(func() error { return n.promote(ctx, self) })
	group.Go(func() error { return n.db.WatchEpoch(ctx) })
	n.serveMetrics(ctx, group, n.config.HealthAddress)
	group.Go(func() error { return n.sweepFiles(ctx) })
	group.Go(func() error { return n.mergeTickets(ctx) })
	group.Go(func() error { return n.packPromises(ctx) })
	group.Go(func() error { return deliveries.Run(ctx, outbox.AccountMails) }) // also while Temporal is unavailable
	n.serveHealth(ctx, group, n.config.HealthAddress, n.workerChecks(&running, self.identity))
	if err := group.Wait(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}

// work runs the Temporal worker until ctx ends or Temporal rejects it.
func (n *dependencies) work(ctx context.Context, deliveries *outbox.Outbox, self workerSelf) error {
	c, db := n.config, n.db
	var immediate *activities.ImmediateMails
	if c.ImmediateMails {
		// Slow ones leave half of the places to steps, which are local activities of the same worker.
		most := min(c.WorkerMails, max(c.WorkerSteps/2, 1))
		immediate = activities.NewImmediateMails(deliveries, most, func(ctx context.Context, always bool) (bool, error) {
			return db.SpendMail(ctx, c.MailRate, always)
		})
	}
	return worker.Run(ctx, n.temporal.Client, // the sdk wants the client itself
		worker.Activities{
			Steps: activities.NewSteps(app.NewSteps(n.telemetry.StepStore(db), app.MaxCommands), immediate), Immediate: immediate,
			Mails: activities.NewMails(immediate.Counting(deliveries), heartbeat),
			Emergencies: activities.NewEmergencies(db, db, n.dispatcher(), app.NewManualEmergencies(db, db, db, time.Now),
				activities.FanoutOptions{Parallel: c.EmergencyParallel, PerSecond: c.FanoutRate}),
			Announcements: activities.NewAnnouncements(app.NewAnnouncements(db), deliveries, announcementShare*c.MailRate, heartbeat),
			Webhooks:      activities.NewWebhooks(deliveries),
		},
		worker.Options{
			Steps: c.WorkerSteps, Mails: c.WorkerMails,
			MailPerSecond: c.MailRate, CachedTickets: c.WorkerTickets,
			Version: self.version, Identity: self.identity,
		})
}

// workerSelf is what Temporal knows a worker process by.
type workerSelf struct {
	identity string
	version  worker.Version
}

func newSelf(c config.Config) (workerSelf, error) {
	self := workerSelf{identity: processName()}
	if c.WorkerDeployment == noDeployment {
		return self, nil
	}
	self.version = worker.Version{Deployment: c.WorkerDeployment, Build: c.WorkerBuild}
	var err error
	if c.WorkerBuild == "" {
		self.version.Build, err = buildID()
	}
	return self, err
}

// processName returns a name that no other process has.
func processName() string {
	host, _ := os.Hostname() // the rest of the name is unique by itself
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text())
}

// promote has the worker's version get tasks, as far as it may decide that, until ctx ends.
func (n *dependencies) promote(ctx context.Context, self workerSelf) error {
	if self.version.Deployment == "" {
		return nil // without versions every worker gets tasks
	}
	return dispatch.NewPromoter(dispatch.NewDeployment(n.temporal, self.version.Deployment), self.version.Build, self.identity,
		dispatch.PromoterOptions{Manual: n.config.WorkerPromotion == "manual"}, n.log).Run(ctx)
}

// outbox returns an outbox with the transports of all queues.
func (n *dependencies) outbox(sender *mail.Sender) *outbox.Outbox {
	c, mails := n.config, app.NewMails(n.db).Attaching(n.files(), int64(n.config.MailFilesMiB)<<20)
	return outbox.New(n.telemetry.Deliveries(n.db), n.telemetry.Transports(n.db, map[outbox.Queue]outbox.Transport{
		outbox.TicketMails:       mail.TicketMails(mails.LoadMail, sender.Send),
		outbox.AnnouncementMails: mail.AnnouncementMails(mails.Announcement, sender.SendAnnouncement),
		outbox.AccountMails:      mail.AccountMails(account.New(n.db.Accounts(), c.BaseURL).LoadMail, sender.SendAccount),
		outbox.Webhooks:          webhook.NewCaller(n.db, endpoints(c), strings.TrimSuffix(c.BaseURL, "/"), n.log).Load,
	}), n.log)
}

// sweepFiles removes files that were not sent, and blobs that no row names, until ctx ends.
func (n *dependencies) sweepFiles(ctx context.Context) error {
	sweep := loop.New(loop.Options{
		First: time.Second, Max: 10 * time.Minute, Log: n.log,
		Failing: "files that were not sent can't be removed at the moment", Recovered: "files that were not sent are removed again",
	})
	return sweep.Run(ctx, n.files().Sweep)
}

// mergeEvery is how often tickets are looked for that name a contact who was merged meanwhile.
const mergeEvery = time.Minute

// mergeTickets completes merges of contacts until ctx ends.
func (n *dependencies) mergeTickets(ctx context.Context) error {
	merge := loop.New(loop.Options{
		First: time.Second, Max: mergeEvery, Log: n.log,
		Failing: "tickets of contacts who were merged can't be looked for at the moment", Recovered: "tickets of merged contacts are looked for again",
	})
	return merge.Run(ctx, func(ctx context.Context) (time.Duration, error) {
		_, err := n.db.MergeTickets(ctx)
		return mergeEvery, err
	})
}

const (
	packEvery = time.Minute      // how often promises are looked for that reports can be prepared for
	packPause = 10 * time.Minute // from a change until they are prepared again: an open ticket changes often
)

// packPromises prepares the reports on promises until ctx ends. Without it they are right as well, and slower.
func (n *dependencies) packPromises(ctx context.Context) error {
	pack := loop.New(loop.Options{
		First: time.Second, Max: packEvery, Log: n.log,
		Failing: "reports on promises can't be prepared at the moment", Recovered: "reports on promises are prepared again",
	})
	return pack.Run(ctx, func(ctx context.Context) (time.Duration, error) {
		packed, err := n.db.PackPromises(ctx, packPause)
		if packed > 0 { // there may be more
			return time.Second, err
		}
		return packEvery, err
	})
}

// keepWorking calls work until ctx ends. It restarts a worker that Temporal rejects, because a lost namespace is
// registered again.
func (n *dependencies) keepWorking(ctx context.Context, running *atomic.Bool, work func() error) error {
	for n.awaitTemporal(ctx) == nil {
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

// workerChecks returns the worker's readiness checks. It needs a database that it can write to, not a read-only standby.
func (n *dependencies) workerChecks(running *atomic.Bool, identity string) []api.Check {
	polled := func(queue string) func(context.Context) error {
		return func(ctx context.Context) error { return n.dispatcher().Polled(ctx, queue, identity) }
	}
	queue := polled(workflows.TicketQueue)
	tickets := func(ctx context.Context) error {
		if err := queue(ctx); err != nil {
			return err
		}
		deployment, err := n.deployment()
		if err != nil { // workers have no versions, and get what no deployment does
			deployment = dispatch.NewDeployment(n.temporal, "")
		}
		return deployment.Holds(ctx)
	}
	return []api.Check{
		{Name: "postgresql", Ask: n.db.Ready},
		{Name: "writes", Ask: n.db.Writable},
		{Name: "temporal", Ask: n.dispatcher().Ready},
		{Name: "worker", Ask: runs(running)},
		{Name: "tickets", Ask: tickets},
		{Name: "emergencies", Ask: polled(workflows.EmergencyQueue)},
		{Name: "emails", Ask: polled(workflows.MailQueue), Optional: true},                 // slow servers may take all places, and only delay mails
		{Name: "webhooks", Ask: polled(workflows.WebhookQueue), Optional: true},            // likewise
		{Name: "smtp", Ask: listens(n.config.SMTPHost, n.config.SMTPPort), Optional: true}, // without it only mails are delayed
	}
}

// runs returns a check that Temporal has not rejected the worker.
func runs(running *atomic.Bool) func(context.Context) error {
	return func(context.Context) error {
		if !running.Load() {
			return fault.New(fault.Unavailable, "Temporal was not reachable when the worker started, or has rejected it: its log says why")
		}
		return nil
	}
}

// reconciler returns a reconciler that holds its lease under a name.
func (n *dependencies) reconciler(holder string) *dispatch.Reconciler {
	return dispatch.NewReconciler(n.telemetry.Checks(n.db), n.dispatcher(),
		func(ctx context.Context) error { return dispatch.EnsureNamespace(ctx, n.temporal) },
		dispatch.NewReplacer(n.db, n.dispatcher(), n.log).Run, holder,
		dispatch.ReconcilerOptions{
			Every: n.config.ReconcileEvery, Patience: n.config.ReconcileAfter, PerSecond: n.config.ReconcileRate,
			Audit: n.config.ReconcileAfter,
		}, n.log)
}

func endpoints(c config.Config) map[string]webhook.Endpoint {
	all := map[string]webhook.Endpoint{}
	for name, hook := range c.ParsedWebhooks {
		all[name] = webhook.Endpoint(hook)
	}
	return all
}

// listens returns a check that a server accepts connections.
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

// mailConfig returns the configuration of mail and reads the key that signs it.
func mailConfig(c config.Config) (mail.Config, error) {
	dkim, err := dkimConfig(c)
	return mail.Config{
		Host: c.SMTPHost, Port: c.SMTPPort, Username: c.SMTPUsername, Password: c.SMTPPassword, TLS: c.SMTPTLS,
		From:   desk.Mailbox{Name: c.From.Name, Address: c.From.Address},
		Domain: c.MailDomain, BaseURL: c.BaseURL, Timeout: c.SMTPTimeout, DKIM: dkim, Replies: c.ReplyAddress, Prefix: c.NumberPrefix,
	}, err
}

func dkimConfig(c config.Config) (mail.DKIM, error) {
	if c.DKIMKeyFile == "" {
		return mail.DKIM{}, nil
	}
	text, err := os.ReadFile(c.DKIMKeyFile)
	if err != nil {
		return mail.DKIM{}, fmt.Errorf("SUPPORTDESK_DKIM_KEY_FILE: %w", err)
	}
	key, err := mail.ParseDKIMKey(text)
	if err != nil {
		return mail.DKIM{}, fmt.Errorf("SUPPORTDESK_DKIM_KEY_FILE: %s: %w", c.DKIMKeyFile, err)
	}
	return mail.DKIM{Domain: c.DKIMDomain, Selector: c.DKIMSelector, Key: key}, nil
}
