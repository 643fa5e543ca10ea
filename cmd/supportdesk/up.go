package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"github.com/holesalemart/supportdesk/internal/local"
)

type upCommand struct {
	Data   string `default:"data" type:"path" help:"Data directory; created if missing. Default: ${default}."`
	Policy string `type:"existingfile" help:"Policy document for new tickets; published if it differs from the newest. Default: the policy in force, at first Holesalemart's."`

	Demo        bool `help:"Add a few hundred invented tickets in every status, once."`
	DemoTickets int  `hidden:"" help:"Number of invented tickets, for measurements. Above 4,000 they are all closed, so that Temporal is not flooded."`

	Port         int `default:"8080" help:"Port of the API; 0, here and below, picks a free one. Default: ${default}."`
	UIPort       int `name:"ui-port" default:"8233" help:"Port of Temporal UI. Default: ${default}."`
	MailboxPort  int `default:"8025" help:"Port of the mailbox's pages. Default: ${default}."`
	SMTPPort     int `name:"smtp-port" default:"1025" help:"Port of the mailbox's SMTP server. Default: ${default}."`
	TemporalPort int `default:"7233" help:"Port of Temporal's gRPC frontend. Default: ${default}."`
	PostgresPort int `default:"5433" help:"Port of PostgreSQL. Default: ${default}."`
}

// Run starts the whole stack, prints the addresses, and stops everything when the program is stopped.
func (c upCommand) Run(p *program) (err error) {
	if err := c.check(p); err != nil {
		return err
	}
	lock, err := local.LockDir(c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	syscall.Umask(0o077) // inherited by every part: other users can't read files of the stack
	if err := local.RestrictPermissions(c.Data, dirLogs, dirMails, dirTemporal); err != nil {
		return err
	}
	err = lock.AwaitOrphans(p.ctx, func() {
		_, _ = fmt.Fprintln(p.stdout, "Waiting for processes of the last run, which was killed, to end")
	})
	if p.ctx.Err() != nil {
		return nil
	} else if err != nil {
		return err
	}
	s, err := newStack(p, c, lock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	for _, step := range []func() error{s.start, s.addDemoTickets, s.makeLinks, s.welcome} {
		if err := step(); p.ctx.Err() != nil {
			return nil
		} else if err != nil {
			return err
		}
	}
	<-p.ctx.Done()
	_, err = fmt.Fprintln(p.stdout, "\nStopping. All data is kept in", relativeDir(c.Data))
	return err
}

// check validates the options before anything is started, and makes the policy's path absolute.
func (c *upCommand) check(p *program) (err error) {
	if c.Data == "" {
		return errors.New("--data names no directory")
	}
	if c.Policy == "" {
		return nil
	}
	if _, err := readPolicy(p, c.Policy); err != nil {
		return err
	}
	c.Policy, err = filepath.Abs(c.Policy)
	return err
}
