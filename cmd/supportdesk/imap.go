package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/imap"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/loop"
)

// readMailboxes starts the readers of mailboxes.
func (n *dependencies) readMailboxes(ctx context.Context, group *errgroup.Group, receiver *inbound.Receiver) {
	var names []string
	for _, m := range n.config.ParsedIMAP {
		names = append(names, m.Name)
		reader := imap.New(receiver, n.db, imap.Options{
			Mailbox: n.mailbox(m), Limit: n.config.IncomingMaxSize, Own: inbound.Addresses(n.config.Mailboxes).Accepts, Log: n.log,
		})
		n.log.Info("reading a mailbox", "mailbox", m.Name, "server", m.Server)
		group.Go(func() error { return reader.Run(ctx) })
	}
	retire := loop.New(loop.Options{First: time.Second, Max: time.Minute, Log: n.log, Failing: "mailboxes that are no longer configured can't be retired"})
	group.Go(func() error {
		return retire.Run(ctx, func(ctx context.Context) (time.Duration, error) {
			return retireEvery, n.db.RetireMailboxes(ctx, names, mailboxIdle)
		})
	})
}

const (
	retireEvery = time.Minute
	mailboxIdle = 10 * time.Minute // longer than the pauses between tries to read a mailbox that fails
)

func (n *dependencies) mailbox(m config.IMAPMailbox) imap.Mailbox {
	recipient := n.config.ReplyAddress
	if inbound.Addresses(n.config.Mailboxes).Accepts(m.User) {
		recipient = strings.ToLower(m.User)
	}
	return imap.Mailbox{
		Name: m.Name, Server: m.Server, User: m.User, Folder: m.Folder, Password: m.Password, TokenFile: m.TokenFile, Recipient: recipient,
		Security: map[string]imap.Security{"imaps": imap.TLS, "imap": imap.StartTLS, "imap+plain": imap.None}[m.Scheme],
	}
}

// mailboxCheck is the readiness check of mailboxes. The others are read, and mail by other ways received, while one is down.
func (n *dependencies) mailboxCheck() api.Check {
	return api.Check{Name: "mailboxes", Optional: true, Ask: func(ctx context.Context) error {
		all, err := n.db.MailboxStatuses(ctx)
		if err != nil {
			return err
		}
		for _, m := range all {
			if m.Unread(time.Now()) {
				return fmt.Errorf("the mailbox %s is not being read: %s", m.Name, m.Error)
			}
		}
		return nil
	}}
}
