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
	Yes    bool   `help:"Do it. Without, it says what it would do and does nothing."`
}

// Run increments the epoch and replaces workflows. If it is interrupted, a worker continues.
func (c restoredCommand) Run(p *program) error {
	if strings.TrimSpace(c.Reason) == "" {
		return errors.New("--reason must say why the epoch is raised")
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
	fmt.Fprintf(p.stdout, "Every session has ended. One-time links called off: %d.\n", done.Links)
	if err := replacer.Finish(p.ctx); err != nil {
		return fmt.Errorf("the epoch is raised, and workflows are still to be replaced, which a worker goes on with: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "Tickets whose workflows were started anew: %d. Start the workers and the API.\n", done.Tickets)
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
		running = "not known while Temporal does not answer"
	}
	_, err = fmt.Fprintf(p.stdout, `%s
With --yes this will
- begin a new epoch: no Message-ID is used again that was used since the copy was made
- start anew the workflow Emergency, and those of tickets that are open or owe something: %d
- terminate workflows that run for tickets that this database does not have: %s
- end every session, and call off one-time links that are open: %d
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
