package main

import (
	"context"
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
	n, err := p.connectBriefly()
	if err != nil {
		return err
	}
	defer n.close()
	if err := limited(p.ctx, databaseLimit, "the database", n.db.Ready); err != nil {
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
	var r desk.Restoration
	err := limited(p.ctx, databaseLimit, "the database", func(ctx context.Context) (err error) {
		r, err = n.db.PlanRestoration(ctx)
		return err
	})
	if err != nil {
		return err
	}
	orphans := 0
	if err = n.askTemporal(p.ctx); err == nil {
		err = replacer.Orphans(p.ctx, func(some []ticket.Number) error {
			orphans += len(some)
			return nil
		})
	}
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

// progressEvery is how often reconcile prints its progress.
const progressEvery = 5 * time.Second

type reconcileCommand struct{}

// Run reconciles all tickets after Temporal has lost its data or was restored from an older backup. The worker's reconciler
// starts missing workflows by itself; this command also makes workflows that were restored in an older state take a step.
func (reconcileCommand) Run(p *program) error {
	n, err := p.connect("")
	if err != nil {
		return err
	}
	defer n.close()
	d := newDoctor(p, n)
	if err := d.register(); err != nil {
		return err
	}
	tickets, err := n.db.CountTicketsWithWorkflow(p.ctx)
	if err != nil {
		return err
	}
	takes := time.Duration(float64(tickets) / n.config.ReconcileRate * float64(time.Second))
	d.print(fmt.Sprintf("%s open or still have emails or webhook calls to send. Each ticket's workflow is started if it is missing, and checks its ticket if it is running: "+
		"at most %v per second, which takes about %s. Nothing is sent twice.", count(tickets, "ticket is", "tickets are"), n.config.ReconcileRate, takes.Round(time.Second)))
	shown := time.Now()
	err = d.reconciler.RepairAll(p.ctx, func(done int) {
		if time.Since(shown) >= progressEvery {
			d.print(fmt.Sprintf("%d of %d", done, tickets))
			shown = time.Now()
		}
	})
	if err != nil {
		return errors.Join(err, errors.New("run this again; nothing is done twice"))
	}
	d.print("done")
	return nil
}
