package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	maxNamed     = 10              // tickets that a sentence names
	maxIdle      = 5 * time.Second // for a transaction
	comparedPage = 200             // tickets whose timelines are read at once
)

type doctorCommand struct {
	Repair bool `help:"Also start the workflows that are missing, ask those that are stuck to look at everything, and register what Temporal lacks."`
	Quick  bool `help:"Leave out the comparison of every ticket with its timeline, which reads them all."`
}

// Run says in a sentence each what is wrong, and fails if anything is. It may be run while everything runs.
func (c doctorCommand) Run(p *program) error {
	n, err := p.connect()
	if err != nil {
		return err
	}
	defer n.close()
	d := newDoctor(p, n)
	d.examine(c.Quick)
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	if d.wrong == 0 {
		d.say("nothing is wrong")
		return nil
	}
	if c.Repair {
		if err := d.repair(); err != nil {
			return err
		}
	}
	if !c.Repair || d.wrong > d.mends {
		return errReported
	}
	return nil
}

// doctor looks at everything once.
type doctor struct {
	*dependencies
	ctx        context.Context
	reconciler *dispatch.Reconciler
	say        func(string)

	wrong   int  // sentences
	mends   int  // of them, those that repair mends
	lacking bool // something of Temporal's
	lost    []desk.Overdue
	stuck   []desk.Overdue
}

func newDoctor(p *program, n *dependencies) *doctor {
	return &doctor{
		dependencies: n, ctx: p.ctx, reconciler: n.reconciler(),
		say: func(line string) { _, _ = fmt.Fprintln(p.stdout, line) },
	}
}

// report says what is wrong.
func (d *doctor) report(format string, args ...any) {
	d.wrong++
	d.say(fmt.Sprintf(format, args...))
}

// could says what could not be looked at; it reports whether all is well.
func (d *doctor) could(err error, doing string) bool {
	if err != nil && d.ctx.Err() == nil {
		d.report("%s fails: %v", doing, err)
	}
	return err == nil
}

func (d *doctor) examine(quick bool) {
	if !d.could(d.db.Ready(d.ctx), "to ask PostgreSQL") {
		return
	}
	d.could(d.db.Writable(d.ctx), "to write into PostgreSQL")
	d.idle()
	d.backlog()
	d.parked()
	if d.could(dispatch.New(d.temporal, dispatch.Pages{}).Ready(d.ctx), "to ask Temporal") && d.namespace() {
		d.workflows()
	}
	d.lookAtDatabase()
	if !quick {
		d.disagreements()
	}
}

func (d *doctor) idle() {
	sessions, err := d.db.IdleSessions(d.ctx, maxIdle)
	if !d.could(err, "to list idle transactions") {
		return
	}
	for _, s := range sessions {
		from := "locally"
		if s.Client != "" {
			from = "from " + s.Client
		}
		d.report("session %d of %s, %s, program %q, has held a transaction open for %s without doing anything",
			s.PID, s.User, from, s.Program, s.For.Round(time.Second))
	}
}

func (d *doctor) backlog() {
	b, err := d.db.Backlog(d.ctx, d.config.ReconcileAfter)
	if d.could(err, "to count the commands that wait") && b.Commands > 0 {
		d.report("%s to be delivered to Temporal, the oldest for %s", count(b.Commands, "command waits", "commands wait"), b.Oldest.Round(time.Second))
	}
}

func (d *doctor) parked() {
	parked, err := d.db.Parked(d.ctx, maxNamed)
	if !d.could(err, "to list what is parked") {
		return
	}
	for _, p := range parked {
		d.report("ticket %s has something due that can't be recorded since %s, and is tried again: %s", p.Number, p.Since.UTC().Format(time.RFC3339), p.Reason)
	}
}

// namespace reports whether the workflows can be asked for.
func (d *doctor) namespace() bool {
	missing, attributes, err := dispatch.Lacking(d.ctx, d.temporal)
	if !d.could(err, "to list Temporal's search attributes") {
		return false
	}
	if d.lacking = missing || len(attributes) > 0; d.lacking {
		d.mends++
	}
	if missing {
		d.report("Temporal has no namespace %s: no workflow runs", d.temporal.Namespace)
	}
	if len(attributes) > 0 {
		d.report("Temporal lacks %s, and no workflow gets on: %s", count(len(attributes), "search attribute", "search attributes"), strings.Join(attributes, ", "))
	}
	return !missing
}

func (d *doctor) workflows() {
	lost, err := d.reconciler.Survey(d.ctx, func(int) {})
	d.could(err, "to compare the tickets with their workflows")
	d.lost = lost // of those that could be compared
	owing := 0
	for _, o := range d.lost {
		if o.Mails > 0 || o.Calls > 0 {
			owing++
		}
	}
	if n := len(d.lost); n > 0 {
		d.mends++
		d.report("%s: %s", count(n, "ticket has no running workflow, and nothing keeps its promises", "tickets have no running workflow, and nothing keeps their promises"), named(d.lost))
	}
	if owing > 0 {
		d.mends++
		d.report("%s mails or calls and no running workflow", count(owing, "ticket owes", "tickets owe"))
	}
	stuck, err := d.db.StuckTickets(d.ctx)
	if !d.could(err, "to list the tickets that are stuck") {
		return
	}
	for _, s := range stuck {
		d.stuck = append(d.stuck, desk.Overdue{Number: s.Number})
	}
	if n := len(stuck); n > 0 {
		d.mends++
		d.report("%s: %s; the first since %s", count(n, "ticket does not move although its workflow runs", "tickets do not move although their workflows run"),
			named(d.stuck), stuck[0].Since.UTC().Format(time.RFC3339))
	}
}

func (d *doctor) lookAtDatabase() {
	r, err := d.db.Reconciliation(d.ctx)
	switch {
	case !d.could(err, "to read when workflows were last looked after"):
	case r.Looked.IsZero():
		d.report("no worker has ever looked for lost workflows")
	case r.Late(time.Now()):
		d.report("no worker has looked for lost workflows since %s", r.Looked.UTC().Format(time.RFC3339))
	}
}

func (d *doctor) disagreements() {
	for after := ticket.Number(""); ; {
		found, compared, last, err := d.db.Disagreements(d.ctx, after, comparedPage)
		if !d.could(err, "to compare the tickets with their timelines") {
			return
		}
		for _, f := range found {
			d.report("ticket %s disagrees with itself: %s", f.Number, f.Says)
		}
		if after = last; compared < comparedPage {
			return
		}
	}
}

// repair mends what was found and can be mended.
func (d *doctor) repair() error {
	some := append(append([]desk.Overdue{}, d.lost...), d.stuck...)
	if !d.lacking && len(some) == 0 {
		d.say("there is nothing that this program can repair")
		return nil
	}
	if d.lacking {
		d.say("registering what Temporal lacks")
		if err := d.register(); err != nil {
			return err
		}
	}
	if len(some) > 0 {
		d.say(fmt.Sprintf("having %s looked after, at most %v a second: those that don't run are started",
			count(len(some), "ticket", "tickets"), d.config.ReconcileRate))
		err := d.reconciler.Repair(d.ctx, some, func(done int) { d.say(fmt.Sprintf("%d of %d", done, len(some))) })
		if err != nil {
			return err
		}
	}
	d.say("done; run this again to see what is left")
	return nil
}

// register registers what Temporal lacks, and waits until it knows a namespace that was registered just now.
func (d *doctor) register() error {
	ctx, cancel := context.WithTimeout(d.ctx, temporalTimeout)
	defer cancel()
	return retryUnavailable(ctx, func() error { return dispatch.EnsureNamespace(ctx, d.temporal) })
}

// named lists the first tickets.
func named(some []desk.Overdue) string {
	var names []string
	for _, o := range some[:min(len(some), maxNamed)] {
		names = append(names, string(o.Number))
	}
	if more := len(some) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
