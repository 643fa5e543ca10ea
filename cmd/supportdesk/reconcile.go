package main

import (
	"errors"
	"fmt"
	"time"
)

// progressEvery is how often reconcile says how far it is.
const progressEvery = 5 * time.Second

type reconcileCommand struct{}

// Run is for a Temporal that has lost its data or was restored from an older copy. The worker's reconciler finds what is
// missing by itself; this also has the workflows look at everything that run as of an older time.
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
	tickets, err := n.db.CountKept(p.ctx)
	if err != nil {
		return err
	}
	takes := time.Duration(float64(tickets) / n.config.ReconcileRate * float64(time.Second))
	d.say(fmt.Sprintf("%s open or owe mails or calls. The workflow of each is started if it does not run, and has a look at everything if it does: "+
		"at most %v a second, so for about %s. Nothing is sent twice.", count(tickets, "ticket is", "tickets are"), n.config.ReconcileRate, takes.Round(time.Second)))
	shown := time.Now()
	err = d.reconciler.RepairAll(p.ctx, func(done int) {
		if time.Since(shown) >= progressEvery {
			d.say(fmt.Sprintf("%d of %d", done, tickets))
			shown = time.Now()
		}
	})
	if err != nil {
		return errors.Join(err, errors.New("run this again: nothing is done twice"))
	}
	d.say("done")
	return nil
}
