package main

import (
	"errors"
	"fmt"
	"time"
)

// progressEvery is how often reconcile prints its progress.
const progressEvery = 5 * time.Second

type reconcileCommand struct{}

// Run reconciles all tickets after Temporal has lost its data or was restored from an older copy. The worker's reconciler
// starts missing workflows by itself; this command also makes workflows that were restored in an older state take a step.
func (reconcileCommand) Run(p *program) error {
	n, err := p.connect()
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
	d.print(fmt.Sprintf("%s open or owe mails or calls. The workflow of each is started if it does not run, and has a look at everything if it does: "+
		"at most %v a second, so for about %s. Nothing is sent twice.", count(tickets, "ticket is", "tickets are"), n.config.ReconcileRate, takes.Round(time.Second)))
	shown := time.Now()
	err = d.reconciler.RepairAll(p.ctx, func(done int) {
		if time.Since(shown) >= progressEvery {
			d.print(fmt.Sprintf("%d of %d", done, tickets))
			shown = time.Now()
		}
	})
	if err != nil {
		return errors.Join(err, errors.New("run this again: nothing is done twice"))
	}
	d.print("done")
	return nil
}
