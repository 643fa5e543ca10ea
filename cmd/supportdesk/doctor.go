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
	maxNamed     = 10              // tickets that a finding names
	maxIdle      = 5 * time.Second // for a transaction
	comparedPage = 200             // tickets whose timelines are read in one query
)

type doctorCommand struct {
	Repair bool `help:"Also start the workflows that are missing, ask those that are stuck to look at everything, and register what Temporal lacks."`
	Quick  bool `help:"Leave out the comparison of every ticket with its timeline, which reads them all."`
}

// Run prints a sentence for each problem, and fails if there is any that it has not repaired. It may be run while the
// system is in use.
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
		d.print("nothing is wrong")
		return nil
	}
	if c.Repair {
		if err := d.repair(); err != nil {
			return err
		}
	}
	if !c.Repair || d.wrong > d.fixable {
		return errReported
	}
	return nil
}

// doctor checks everything once.
type doctor struct {
	*dependencies
	ctx        context.Context
	reconciler *dispatch.Reconciler
	print      func(string)

	wrong   int  // number of problems
	fixable int  // number of problems that repair can fix
	lacking bool // Temporal lacks the namespace or a search attribute
	lost    []desk.Overdue
	stuck   []desk.Overdue
}

func newDoctor(p *program, n *dependencies) *doctor {
	return &doctor{
		dependencies: n, ctx: p.ctx, reconciler: n.reconciler(),
		print: func(line string) { _, _ = fmt.Fprintln(p.stdout, line) },
	}
}

// report prints a problem.
func (d *doctor) report(format string, args ...any) {
	d.wrong++
	d.print(fmt.Sprintf(format, args...))
}

// ok reports whether err is nil, and otherwise prints which check failed.
func (d *doctor) ok(err error, doing string) bool {
	if err != nil && d.ctx.Err() == nil {
		d.report("%s fails: %v", doing, err)
	}
	return err == nil
}

// examine runs all checks, without the slow comparison of timelines if quick is set.
func (d *doctor) examine(quick bool) {
	if !d.ok(d.db.Ready(d.ctx), "to ask PostgreSQL") {
		return
	}
	d.ok(d.db.Writable(d.ctx), "to write into PostgreSQL")
	d.idle()
	d.backlog()
	d.parked()
	if d.ok(dispatch.New(d.temporal, dispatch.Pages{}).Ready(d.ctx), "to ask Temporal") && d.namespace() {
		d.workflows()
	}
	d.lastReconciliation()
	if !quick {
		d.disagreements()
	}
}

// idle reports sessions that hold a transaction open without doing anything.
func (d *doctor) idle() {
	sessions, err := d.db.IdleSessions(d.ctx, maxIdle)
	if !d.ok(err, "to list idle transactions") {
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

// backlog reports commands that wait to be delivered to Temporal.
func (d *doctor) backlog() {
	b, err := d.db.Backlog(d.ctx, d.config.ReconcileAfter)
	if d.ok(err, "to count the commands that wait") && b.Commands > 0 {
		d.report("%s to be delivered to Temporal, the oldest for %s", count(b.Commands, "command waits", "commands wait"), b.Oldest.Round(time.Second))
	}
}

// parked reports tickets with a due event that can't be recorded.
func (d *doctor) parked() {
	parked, err := d.db.Parked(d.ctx, maxNamed)
	if !d.ok(err, "to list what is parked") {
		return
	}
	for _, p := range parked {
		d.report("ticket %s has something due that can't be recorded since %s, and is tried again: %s", p.Number, p.Since.UTC().Format(time.RFC3339), p.Reason)
	}
}

// namespace checks Temporal's namespace and search attributes, and reports whether the namespace exists.
func (d *doctor) namespace() bool {
	missing, attributes, err := dispatch.Lacking(d.ctx, d.temporal)
	if !d.ok(err, "to list Temporal's search attributes") {
		return false
	}
	if d.lacking = missing || len(attributes) > 0; d.lacking {
		d.fixable++
	}
	if missing {
		d.report("Temporal has no namespace %s: no workflow runs", d.temporal.Namespace)
	}
	if len(attributes) > 0 {
		d.report("Temporal lacks %s, and no workflow gets on: %s", count(len(attributes), "search attribute", "search attributes"), strings.Join(attributes, ", "))
	}
	return !missing
}

// workflows reports tickets without a running workflow and tickets whose workflow is stuck.
func (d *doctor) workflows() {
	lost, err := d.reconciler.Survey(d.ctx, func(int) {})
	d.ok(err, "to compare the tickets with their workflows")
	d.lost = lost // also after an error: those that were compared
	owing := 0
	for _, o := range d.lost {
		if o.Mails > 0 || o.Calls > 0 {
			owing++
		}
	}
	if n := len(d.lost); n > 0 {
		d.fixable++
		d.report("%s: %s", count(n, "ticket has no running workflow, and nothing keeps its promises", "tickets have no running workflow, and nothing keeps their promises"), named(d.lost))
	}
	if owing > 0 {
		d.fixable++
		d.report("%s mails or calls and no running workflow", count(owing, "ticket owes", "tickets owe"))
	}
	stuck, err := d.db.StuckTickets(d.ctx)
	if !d.ok(err, "to list the tickets that are stuck") {
		return
	}
	for _, s := range stuck {
		d.stuck = append(d.stuck, desk.Overdue{Number: s.Number})
	}
	if n := len(stuck); n > 0 {
		d.fixable++
		d.report("%s: %s; the first since %s", count(n, "ticket does not move although its workflow runs", "tickets do not move although their workflows run"),
			named(d.stuck), stuck[0].Since.UTC().Format(time.RFC3339))
	}
}

// lastReconciliation reports that no worker has looked for lost workflows recently.
func (d *doctor) lastReconciliation() {
	r, err := d.db.Reconciliation(d.ctx)
	switch {
	case !d.ok(err, "to read when workflows were last looked after"):
	case r.Looked.IsZero():
		d.report("no worker has ever looked for lost workflows")
	case r.Late(time.Now()):
		d.report("no worker has looked for lost workflows since %s", r.Looked.UTC().Format(time.RFC3339))
	}
}

// disagreements reports tickets whose row differs from what their timeline yields.
func (d *doctor) disagreements() {
	for after := ticket.Number(""); ; {
		found, compared, last, err := d.db.Disagreements(d.ctx, after, comparedPage)
		if !d.ok(err, "to compare the tickets with their timelines") {
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

// repair fixes the problems that can be fixed.
func (d *doctor) repair() error {
	some := append(append([]desk.Overdue{}, d.lost...), d.stuck...)
	if !d.lacking && len(some) == 0 {
		d.print("there is nothing that this program can repair")
		return nil
	}
	if d.lacking {
		d.print("registering what Temporal lacks")
		if err := d.register(); err != nil {
			return err
		}
	}
	if len(some) > 0 {
		d.print(fmt.Sprintf("having %s looked after, at most %v a second: those that don't run are started",
			count(len(some), "ticket", "tickets"), d.config.ReconcileRate))
		err := d.reconciler.Repair(d.ctx, some, func(done int) { d.print(fmt.Sprintf("%d of %d", done, len(some))) })
		if err != nil {
			return err
		}
	}
	d.print("done; run this again to see what is left")
	return nil
}

// register registers what Temporal lacks, and waits until a new namespace can be used.
func (d *doctor) register() error {
	ctx, cancel := context.WithTimeout(d.ctx, temporalTimeout)
	defer cancel()
	return retryUnavailable(ctx, func() error { return dispatch.EnsureNamespace(ctx, d.temporal) })
}

// named lists the numbers of the first tickets.
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
