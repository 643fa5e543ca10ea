package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/report"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	maxNamed     = 10              // tickets that a finding names
	maxIdle      = 5 * time.Second // for a transaction
	comparedPage = 200             // tickets whose timelines are read in one query
	surveyLimit  = 2 * time.Minute // for the comparison of a page of tickets with their workflows, besides what its rate takes
)

type doctorCommand struct {
	Repair bool `help:"Also start missing workflows, have stuck ones check their tickets, and register what Temporal lacks."`
	Quick  bool `help:"Skip the comparison of every ticket with its timeline, which reads all of them."`
}

// Run prints a sentence for each problem, and fails if there is any that it has not repaired. It may be run while the
// system is in use.
func (c doctorCommand) Run(p *program) error {
	n, err := p.connectBriefly()
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
		d.print("no problems found")
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
		dependencies: n, ctx: p.ctx, reconciler: n.reconciler(processName()),
		print: func(line string) { _, _ = fmt.Fprintln(p.stdout, line) },
	}
}

// report prints a problem.
func (d *doctor) report(format string, args ...any) {
	d.wrong++
	d.print(fmt.Sprintf(format, args...))
}

// ok reports whether err is nil, and otherwise prints which check failed, and within what time if it was limited. An error often
// names the same operation, which is not repeated.
func (d *doctor) ok(err error, check, within string) bool {
	if err != nil && d.ctx.Err() == nil {
		cause := strings.Replace(": "+err.Error(), ": "+check+": ", ": ", 1)
		d.report("cannot %s%s%s", check, within, cause)
	}
	return err == nil
}

// ask returns the answer to a question that may take up to a limit. ok is false if there is none; what was asked for and why there
// is no answer is printed then, and the other checks go on.
func ask[T any](d *doctor, limit time.Duration, check string, question func(context.Context) (T, error)) (answer T, ok bool) {
	ctx, cancel := context.WithTimeout(d.ctx, limit)
	defer cancel()
	answer, err := question(ctx)
	within := ""
	if err != nil && ctx.Err() != nil {
		within = fmt.Sprintf(" within %s", limit)
	}
	return answer, d.ok(err, check, within)
}

// asks is ask for a question whose answer is that there is no error.
func (d *doctor) asks(limit time.Duration, check string, question func(context.Context) error) bool {
	_, ok := ask(d, limit, check, func(ctx context.Context) (struct{}, error) { return struct{}{}, question(ctx) })
	return ok
}

// examine runs all checks, without the slow comparison of timelines if quick is set.
func (d *doctor) examine(quick bool) {
	if !d.asks(databaseLimit, "reach PostgreSQL", d.db.Ready) {
		return
	}
	d.asks(databaseLimit, "write to PostgreSQL", d.db.Writable)
	d.locks()
	d.idle()
	d.backlog()
	d.unprocessed()
	d.parked()
	if d.asks(temporalLimit, "reach Temporal", dispatch.New(d.temporal, dispatch.Pages{}).Ready) && d.namespace() {
		d.versions()
		d.workflows()
	}
	d.lastReconciliation()
	d.asks(blobLimit, "write to the store of files", d.blobs.Ping)
	if !quick {
		d.disagreements()
		d.missingBlobs()
		d.missingMails()
	}
}

// locks reports sessions that have locked tables, for which other checks may wait in vain.
func (d *doctor) locks() {
	locks, ok := ask(d, databaseLimit, "list locked tables", func(ctx context.Context) ([]desk.TableLock, error) { return d.db.TableLocks(ctx, maxIdle) })
	if !ok {
		return
	}
	for _, l := range locks {
		stops, lasts := "cannot write to it", ""
		if l.Reads {
			stops = "can neither read it nor write to it"
		}
		if l.For > 0 {
			lasts = ", in a transaction that began " + l.For.Round(time.Second).String() + " ago"
		}
		d.report("%s has locked the table %s%s: others %s", session(l.PID, l.User, l.Client, l.Program), l.Table, lasts, stops)
	}
}

// session describes a session of the database.
func session(pid int, user, client, program string) string {
	from := "local"
	if client != "" {
		from = "from " + client
	}
	return fmt.Sprintf("session %d of user %s (%s, program %q)", pid, user, from, program)
}

// idle reports sessions that hold a transaction open without doing anything.
func (d *doctor) idle() {
	sessions, _ := ask(d, databaseLimit, "list idle transactions", func(ctx context.Context) ([]desk.IdleSession, error) { return d.db.IdleSessions(ctx, maxIdle) })
	for _, s := range sessions {
		d.report("%s has held an idle transaction open for %s", session(s.PID, s.User, s.Client, s.Program), s.For.Round(time.Second))
	}
}

// backlog reports commands that wait to be delivered to Temporal.
func (d *doctor) backlog() {
	b, ok := ask(d, databaseLimit, "count the commands that wait", func(ctx context.Context) (desk.Backlog, error) {
		return d.db.Backlog(ctx, d.config.ReconcileAfter)
	})
	if ok && b.Commands > 0 {
		d.report("%s to be delivered to Temporal, the oldest for %s", count(b.Commands, "command is waiting", "commands are waiting"), b.Oldest.Round(time.Second))
	}
}

// unprocessed reports that incoming mails wait for longer than usual.
func (d *doctor) unprocessed() {
	now := time.Now()
	m, ok := ask(d, databaseLimit, "count the incoming emails that wait", func(ctx context.Context) (report.MailStatus, error) { return d.db.MailState(ctx, now) })
	if ok && m.Late(now) {
		d.report("%s to be processed, the oldest for %s", count(m.Unprocessed, "incoming email is waiting", "incoming emails are waiting"),
			now.Sub(m.OldestUnprocessed).Round(time.Second))
	}
}

// parked reports tickets with a due event that can't be recorded.
func (d *doctor) parked() {
	parked, _ := ask(d, databaseLimit, "list parked tickets", func(ctx context.Context) ([]store.ParkedStep, error) { return d.db.Parked(ctx, maxNamed) })
	for _, p := range parked {
		d.report("ticket %s has had a due event since %s that can't be recorded and is retried: %s", p.Number, p.Since.UTC().Format(time.RFC3339), p.Reason)
	}
}

// namespace checks Temporal's namespace and search attributes, and reports whether the namespace exists.
func (d *doctor) namespace() bool {
	var missing bool
	attributes, ok := ask(d, temporalLimit, "list Temporal's search attributes", func(ctx context.Context) (lacking []string, err error) {
		missing, lacking, err = dispatch.Lacking(ctx, d.temporal)
		return lacking, err
	})
	if !ok {
		return false
	}
	if d.lacking = missing || len(attributes) > 0; d.lacking {
		d.fixable++
	}
	if missing {
		d.report("Temporal has no namespace %s, so no workflow runs", d.temporal.Namespace)
	}
	if len(attributes) > 0 {
		d.report("Temporal lacks %s, so no workflow can proceed: %s", count(len(attributes), "search attribute", "search attributes"), strings.Join(attributes, ", "))
	}
	return !missing
}

// workflows reports tickets without a running workflow and tickets whose workflow is stuck.
func (d *doctor) workflows() {
	d.lost = d.survey() // also after an error: those that were compared
	owing := 0
	for _, o := range d.lost {
		if o.Mails > 0 || o.Calls > 0 {
			owing++
		}
	}
	if n := len(d.lost); n > 0 {
		d.fixable++
		d.report("%s: %s", count(n, "ticket has no running workflow, so its targets are not watched", "tickets have no running workflow, so their targets are not watched"), named(d.lost))
	}
	if owing > 0 {
		d.fixable++
		d.report("%s pending emails or webhook calls and no running workflow", count(owing, "ticket has", "tickets have"))
	}
	stuck, _ := ask(d, databaseLimit, "list stuck tickets", d.db.StuckTickets)
	for _, s := range stuck {
		d.stuck = append(d.stuck, desk.Overdue{Number: s.Number})
	}
	if n := len(stuck); n > 0 {
		d.fixable++
		d.report("%s: %s; the first since %s", count(n, "ticket is stuck although its workflow is running", "tickets are stuck although their workflows are running"),
			named(d.stuck), stuck[0].Since.UTC().Format(time.RFC3339))
	}
}

// survey returns the tickets without a running workflow, as far as the comparison goes on from page to page.
func (d *doctor) survey() []desk.Overdue {
	ctx, cancel := context.WithCancelCause(d.ctx)
	defer cancel(nil)
	limit := surveyLimit + time.Duration(dispatch.AuditPage/d.config.ReconcileRate*float64(time.Second)).Round(time.Second)
	stalled := time.AfterFunc(limit, func() { cancel(fmt.Errorf("no page of tickets was compared within %s", limit)) })
	defer stalled.Stop()
	lost, err := d.reconciler.Survey(ctx, func(int) { stalled.Reset(limit) })
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	d.ok(err, "compare the tickets with their workflows", "")
	return lost
}

// lastReconciliation reports that no worker has looked for lost workflows recently.
func (d *doctor) lastReconciliation() {
	r, ok := ask(d, databaseLimit, "read the time of the last reconciliation", d.db.Reconciliation)
	switch {
	case !ok:
	case r.CheckedAt.IsZero():
		d.report("no worker has ever looked for lost workflows")
	case r.Late(time.Now()):
		d.report("no worker has looked for lost workflows since %s", r.CheckedAt.UTC().Format(time.RFC3339))
	}
}

// disagreements reports tickets whose row differs from what their timeline yields.
func (d *doctor) disagreements() {
	for after := ticket.Number(""); ; {
		compared, last := 0, ticket.Number("")
		found, ok := ask(d, databaseLimit, "compare the tickets with their timelines", func(ctx context.Context) (found []desk.Disagreement, err error) {
			found, compared, last, err = d.db.Disagreements(ctx, after, comparedPage)
			return found, err
		})
		if !ok {
			return
		}
		for _, f := range found {
			d.report("ticket %s does not match its timeline: %s", f.Number, f.Says)
		}
		if after = last; compared < comparedPage {
			return
		}
	}
}

// listed lists the first of n names.
func listed(first []string, n int) string {
	if more := n - len(first); more > 0 {
		first = append(first, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(first, ", ")
}

// repair fixes the problems that can be fixed.
func (d *doctor) repair() error {
	some := append(append([]desk.Overdue{}, d.lost...), d.stuck...)
	if !d.lacking && len(some) == 0 {
		d.print("none of this can be repaired automatically")
		return nil
	}
	if d.lacking {
		d.print("registering what Temporal lacks")
		if err := d.register(); err != nil {
			return err
		}
	}
	if len(some) > 0 {
		d.print(fmt.Sprintf("checking %s, at most %v per second; missing workflows are started",
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
	return d.onceTemporalResponds(d.ctx, func(ctx context.Context) error { return dispatch.EnsureNamespace(ctx, d.temporal) })
}

// named lists the numbers of the first tickets.
func named(some []desk.Overdue) string {
	var names []string
	for _, o := range some[:min(len(some), maxNamed)] {
		names = append(names, string(o.Number))
	}
	return listed(names, len(some))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
