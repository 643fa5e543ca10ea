package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/inbound/trust"
	"github.com/holesalemart/supportdesk/internal/scan"
	"github.com/holesalemart/supportdesk/internal/store"
)

type mailCommand struct{}

// Run receives and processes mail until the program is stopped.
func (mailCommand) Run(p *program) error {
	n, err := p.connect(partMail)
	if err != nil {
		return err
	}
	defer n.close()
	if len(n.config.MailAddresses) == 0 {
		return errors.New("SUPPORTDESK_MAIL_ADDRESSES is not set, so there is no mail to receive")
	}
	scanner, err := n.scanner()
	if err != nil {
		return err
	}
	internal, err := trust.ParseHosts(n.config.InternalHosts)
	if err != nil {
		return fmt.Errorf("SUPPORTDESK_INTERNAL_HOSTS: %q: %w", n.config.InternalHosts, err)
	}
	group, ctx := errgroup.WithContext(p.ctx)
	mails := n.telemetry.Mails(n.db)
	receiver := inbound.NewReceiver(n.blobs, mails, n.config.IncomingMaxSize)
	group.Go(func() error { return n.receive(ctx, group, receiver, internal) })
	n.readMailboxes(ctx, group, receiver)
	processor := inbound.NewProcessor(mails, n.telemetry.ProcessMail(n.incoming(ctx, group, scanner, internal).Process), n.log)
	group.Go(func() error { return processor.Run(ctx) })
	group.Go(func() error { return n.db.WatchEpoch(ctx) })
	n.serveMetrics(ctx, group, n.config.MailHealth)
	n.serveHealth(ctx, group, n.config.MailHealth, n.mailChecks(scanner))
	if err := group.Wait(); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return nil
}

// mailChecks returns the readiness checks of mail. While the scanner does not answer, mails are received and wait.
func (n *dependencies) mailChecks(scanner *scan.Scanner) []api.Check {
	checks := []api.Check{
		{Name: "postgresql", Ask: n.db.Ready}, {Name: "writes", Ask: n.db.Writable}, {Name: "files", Ask: n.blobs.Ping}, n.mailboxCheck(),
	}
	if scanner != nil {
		checks = append(checks, api.Check{Name: "scanner", Ask: scanner.Ready, Optional: true})
	}
	return checks
}

// receive starts the servers that accept mail.
func (n *dependencies) receive(ctx context.Context, group *errgroup.Group, receiver *inbound.Receiver, internal trust.Hosts) error {
	certificate, err := n.certificate()
	if err != nil {
		return err
	}
	for _, door := range []struct {
		address string
		lmtp    bool
	}{{n.config.IncomingLMTP, true}, {n.config.IncomingSMTP, false}} {
		if door.address == "" {
			continue
		}
		listener, err := net.Listen("tcp", door.address)
		if err != nil {
			return fmt.Errorf("listen for mail: %w", err)
		}
		server := inbound.NewServer(receiver, inbound.ServerOptions{
			LMTP: door.lmtp, Name: n.config.MailDomain, Limit: n.config.IncomingMaxSize, Addresses: n.config.Mailboxes, TLS: certificate, Log: n.log,
			PerHost: n.config.IncomingPerHost, Internal: internal.Address,
		})
		n.log.Info("receiving mail", "address", listener.Addr().String(), "lmtp", door.lmtp)
		group.Go(func() error { return server.Serve(ctx, listener) })
	}
	return nil
}

// relayed returns how mails are received that relays post.
func (n *dependencies) relayed() api.Relayed {
	if n.config.IncomingSecret == "" {
		return api.Relayed{}
	}
	return api.Relayed{
		Receiver: inbound.NewReceiver(n.blobs, n.telemetry.Mails(n.db), n.config.IncomingMaxSize), Own: inbound.Addresses(n.config.Mailboxes).Accepts,
		Secret: n.config.IncomingSecret,
	}
}

// certificate returns the configuration of STARTTLS, or nil if there is no certificate.
func (n *dependencies) certificate() (*tls.Config, error) {
	if n.config.IncomingCert == "" {
		return nil, nil //nolint:nilnil // TLS is optional
	}
	pair, err := tls.LoadX509KeyPair(n.config.IncomingCert, n.config.IncomingKey)
	if err != nil {
		return nil, fmt.Errorf("read the certificate for incoming mail: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// incoming returns what processes mails, and starts a relay that delivers the commands that they become.
func (n *dependencies) incoming(ctx context.Context, group *errgroup.Group, scanner *scan.Scanner, internal trust.Hosts) *app.IncomingMails {
	outcomes := store.NewOutcomes(n.db, n.log)
	group.Go(func() error { return outcomes.Run(ctx) })
	relay := n.relay(outcomes)
	group.Go(func() error { return relay.Run(ctx) })
	addresses := inbound.Addresses(n.config.Mailboxes)
	reader := inbound.NewReader(n.blobs, n.files(),
		trust.New(trust.Options{AuthServID: n.config.AuthServID, Internal: internal, Resolver: net.DefaultResolver}),
		inbound.ReaderOptions{
			Addresses: addresses, Own: []string{n.config.From.Address}, Forms: n.config.FormAddresses, Website: n.config.BaseURL, Secrets: n.db.TokenSecrets,
			Scan: scanMail(scanner, internal),
		})
	return app.NewIncomingMails(app.IncomingPorts{
		Reader: reader, Directory: n.db, Addresses: addresses.Find, Bounces: n.db, Workflows: n.dispatcher(),
	}, app.NewTickets(n.telemetry.Acceptor(n.db), n.db, n.db, nil, relay), app.NewSteps(n.telemetry.StepStore(n.db), app.MaxCommands))
}

// scanner returns the scanner of mails, or nil if none is configured.
func (n *dependencies) scanner() (*scan.Scanner, error) {
	if n.config.ScannerURL == "" {
		return nil, nil //nolint:nilnil // a scanner is optional
	}
	scanner, err := scan.Open(n.config.ScannerURL)
	if err != nil {
		return nil, fmt.Errorf("SUPPORTDESK_SCANNER_URL: %w", err)
	}
	return scanner, nil
}

// scanMail returns what scans mails, or nil if there is no scanner.
func scanMail(scanner *scan.Scanner, internal trust.Hosts) inbound.Scan {
	if scanner == nil {
		return nil
	}
	return func(ctx context.Context, m desk.IncomingMail, content io.Reader) (string, error) {
		client := m.Server()
		if client.IsValid() && internal.Address(client) {
			client = netip.Addr{} // has only passed the mail on
		}
		v, err := scanner.Scan(ctx, content, scan.Meta{ClientIP: client, Helo: m.Helo, EnvelopeFrom: m.ReturnPath, Recipients: m.Recipients})
		if err != nil || v.Kind == scan.Clean {
			return "", err
		}
		return cmp.Or(v.Name, string(v.Kind)), nil
	}
}
