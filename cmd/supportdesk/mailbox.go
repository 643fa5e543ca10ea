package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/holesalemart/supportdesk/internal/local"
)

// localMailboxCommand is an SMTP server that accepts all mails and shows them on a page. Only up uses it.
type localMailboxCommand struct {
	Dir  string `required:"" type:"path" help:"Directory of the emails."`
	SMTP string `name:"smtp" required:"" help:"Address of the SMTP server."`
	HTTP string `name:"http" required:"" help:"Address of the pages."`
}

// Run accepts mails until the program is stopped.
func (c localMailboxCommand) Run(p *program) error {
	log := slog.New(slog.NewTextHandler(p.stderr, nil))
	mailbox, err := local.StartMailbox(local.MailboxOptions{Dir: c.Dir, Addr: c.SMTP})
	if err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	err = serve(p.ctx, c.HTTP, local.LoopbackOnly(mailbox.Handler()), 5*time.Second, log)
	if stopErr := mailbox.Stop(); err == nil {
		err = stopErr
	}
	return err
}
