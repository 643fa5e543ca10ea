package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type restoredCommand struct {
	Reason string `required:"" placeholder:"TEXT" help:"Why the database was restored, for whoever looks into it later."`
	By     string `default:"supportdesk restored" placeholder:"TEXT" help:"Who did it."`
	Yes    bool   `help:"Do it. Without, it says what it would do and does nothing."`
}

// Run raises the epoch and replaces workflows. When it ends before it is done, a worker goes on.
func (c restoredCommand) Run(p *program) error {
	n, err := p.connect()
	if err != nil {
		return err
	}
	defer n.close()
	if err := n.db.Ready(p.ctx); err != nil {
		return err
	}
	replacer := dispatch.NewReplacer(n.db, dispatch.New(n.temporal), n.log)
	if !c.Yes {
		return plan(p, n, replacer)
	}
	done, err := n.db.RaiseEpoch(p.ctx, c.Reason, c.By)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "Epoch %d has begun. %s\n", done.Epoch, asOf(done))
	fmt.Fprintf(p.stdout, "Every session has ended, and %d one-time links are called off.\n", done.Links)
	if err := replacer.Finish(p.ctx); err != nil {
		return fmt.Errorf("the epoch is raised, and workflows are still to be replaced, which a worker goes on with: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "The workflows of %d tickets are replaced. Start the workers and the API.\n", done.Tickets)
	return err
}

// plan says what would be done.
func plan(p *program, n *neighbours, replacer *dispatch.Replacer) error {
	r, err := n.db.PlanRestoration(p.ctx)
	if err != nil {
		return err
	}
	orphans := 0
	err = replacer.Orphans(p.ctx, func(some []ticket.Number) error {
		orphans += len(some)
		return nil
	})
	running := fmt.Sprintf("terminate %d workflows of tickets that this database does not have", orphans)
	if err != nil {
		n.log.Warn("workflows can't be counted", slog.Any("error", err))
		running = "terminate the workflows of tickets that this database does not have, which can't be counted now"
	}
	_, err = fmt.Fprintf(p.stdout, `%s
With --yes this will
  begin a new epoch, in which no Message-ID is used that was used since the copy was made;
  start the workflows of %d tickets anew, which are open or owe something, and the workflow Emergency;
  %s;
  end every session, and call %d one-time links off.
Stop every API and worker before. Nothing has been done.
`, asOf(r), r.Tickets, running, r.Links)
	return err
}

func asOf(r desk.Restoration) string {
	if r.Latest.IsZero() {
		return "There is no ticket in this database."
	}
	return "The last that this database knows of a ticket is of " + r.Latest.UTC().Format(time.RFC3339) + "."
}
