package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type restoredCommand struct {
	Reason string `required:"" placeholder:"TEXT" help:"Why the database was restored, for the record."`
	By     string `default:"supportdesk restored" placeholder:"TEXT" help:"Who did it."`
	Yes    bool   `help:"Do it. Without this flag, only print what it would do."`
}

// Run increments the epoch and replaces workflows. If it is interrupted, a worker continues.
func (c restoredCommand) Run(p *program) error {
	if strings.TrimSpace(c.Reason) == "" {
		return errors.New("--reason must say why the database was restored")
	}
	n, err := p.connect()
	if err != nil {
		return err
	}
	defer n.close()
	if err := n.db.Ready(p.ctx); err != nil {
		return err
	}
	replacer := dispatch.NewReplacer(n.db, n.dispatcher(), n.log)
	if !c.Yes {
		return plan(p, n, replacer)
	}
	done, err := n.db.RaiseEpoch(p.ctx, c.Reason, c.By)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "Epoch %d has begun. %s\n", done.Epoch, asOf(done))
	fmt.Fprintf(p.stdout, "Every session has ended. One-time links withdrawn: %d.\n", done.Links)
	if err := replacer.Finish(p.ctx); err != nil {
		return fmt.Errorf("the new epoch has begun, but not all workflows have been replaced; a worker will continue: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "Tickets whose workflows were restarted: %d. Now start the workers and the API.\n", done.Tickets)
	return err
}

// plan prints what would be done.
func plan(p *program, n *dependencies, replacer *dispatch.Replacer) error {
	r, err := n.db.PlanRestoration(p.ctx)
	if err != nil {
		return err
	}
	orphans := 0
	err = replacer.Orphans(p.ctx, func(some []ticket.Number) error {
		orphans += len(some)
		return nil
	})
	running := strconv.Itoa(orphans)
	if err != nil {
		n.log.Warn("running workflows can't be counted", "error", err)
		running = "unknown, because Temporal does not respond"
	}
	_, err = fmt.Fprintf(p.stdout, `%s
With --yes this will
- begin a new epoch, so that no Message-ID used since the backup is used again
- restart the Emergency workflow, and those of tickets that are open or have something to send: %d
- terminate workflows of tickets that are not in this database: %s
- end all sessions, and withdraw open one-time links: %d
Stop every API and worker first. Nothing has been changed yet.
`, asOf(r), r.Tickets, running, r.Links)
	return err
}

func asOf(r desk.Restoration) string {
	if r.Latest.IsZero() {
		return "There is no ticket in this database."
	}
	return "The latest event of a ticket in this database is from " + r.Latest.UTC().Format(time.RFC3339) + "."
}
