package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	maxNamed     = 10              // tickets that a finding names
	maxIdle      = 5 * time.Second // for a transaction
	comparedPage = 200             // tickets whose timelines are read in one query
)

type doctorCommand struct {
	Repair bool `help:"Also start missing workflows, have stuck ones check their tickets, and register what Temporal lacks."`
	Quick  bool `help:"Skip the comparison of every ticket with its timeline, which reads all of them."`
}

// Run prints a sentence for each problem, and fails if there is any that it has not repaired. It may be run while the
// system is in use.
func (c doctorCommand) Run(p *program) error {
	n, err := p.connect("")
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

// ok reports whether err is nil, and otherwise prints which check failed.
func (d *doctor) ok(err error, check string) bool {
	if err != nil && d.ctx.Err() == nil {
		d.report("cannot %s: %v", check, err)
	}
	return err == nil
}

// examine runs all checks, without the slow comparison of timelines if quick is set.
func (d *doctor) examine(quick bool) {
	if !d.ok(d.db.Ready(d.ctx), "reach PostgreSQL") {
		return
	}
	d.ok(d.db.Writable(d.ctx), "write to PostgreSQL")
	d.idle()
	d.backlog()
	d.unprocessed()
	d.parked()
	if d.ok(dispatch.New(d.temporal, dispatch.Pages{}).Ready(d.ctx), "reach Temporal") && d.namespace() {
		d.versions()
		d.workflows()
	}
	d.lastReconciliation()
	d.ok(d.blobs.Ping(d.ctx), "write to the store of files")
	if !quick {
		d.disagreements()
		d.missingBlobs()
		d.missingMails()
	}
}

// idle reports sessions that hold a transaction open without doing anything.
func (d *doctor) idle() {
	sessions, err := d.db.IdleSessions(d.ctx, maxIdle)
	if !d.ok(err, "list idle transactions") {
		return
	}
	for _, s := range sessions {
		from := "local"
		if s.Client != "" {
			from = "from " + s.Client
		}
		d.report("session %d of user %s (%s, program %q) has held an idle transaction open for %s",
			s.PID, s.User, from, s.Program, s.For.Round(time.Second))
	}
}

// backlog reports commands that wait to be delivered to Temporal.
func (d *doctor) backlog() {
	b, err := d.db.Backlog(d.ctx, d.config.ReconcileAfter)
	if d.ok(err, "count the commands that wait") && b.Commands > 0 {
		d.report("%s to be delivered to Temporal, the oldest for %s", count(b.Commands, "command is waiting", "commands are waiting"), b.Oldest.Round(time.Second))
	}
}

// unprocessed reports that incoming mails wait for longer than usual.
func (d *doctor) unprocessed() {
	now := time.Now()
	m, err := d.db.MailState(d.ctx, now)
	if d.ok(err, "count the incoming emails that wait") && m.Late(now) {
		d.report("%s to be processed, the oldest for %s", count(m.Unprocessed, "incoming email is waiting", "incoming emails are waiting"),
			now.Sub(m.OldestUnprocessed).Round(time.Second))
	}
}

// parked reports tickets with a due event that can't be recorded.
func (d *doctor) parked() {
	parked, err := d.db.Parked(d.ctx, maxNamed)
	if !d.ok(err, "list parked tickets") {
		return
	}
	for _, p := range parked {
		d.report("ticket %s has had a due event since %s that can't be recorded and is retried: %s", p.Number, p.Since.UTC().Format(time.RFC3339), p.Reason)
	}
}

// namespace checks Temporal's namespace and search attributes, and reports whether the namespace exists.
func (d *doctor) namespace() bool {
	missing, attributes, err := dispatch.Lacking(d.ctx, d.temporal)
	if !d.ok(err, "list Temporal's search attributes") {
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
	lost, err := d.reconciler.Survey(d.ctx, func(int) {})
	d.ok(err, "compare the tickets with their workflows")
	d.lost = lost // also after an error: those that were compared
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
	stuck, err := d.db.StuckTickets(d.ctx)
	if !d.ok(err, "list stuck tickets") {
		return
	}
	for _, s := range stuck {
		d.stuck = append(d.stuck, desk.Overdue{Number: s.Number})
	}
	if n := len(stuck); n > 0 {
		d.fixable++
		d.report("%s: %s; the first since %s", count(n, "ticket is stuck although its workflow is running", "tickets are stuck although their workflows are running"),
			named(d.stuck), stuck[0].Since.UTC().Format(time.RFC3339))
	}
}

// lastReconciliation reports that no worker has looked for lost workflows recently.
func (d *doctor) lastReconciliation() {
	r, err := d.db.Reconciliation(d.ctx)
	switch {
	case !d.ok(err, "read the time of the last reconciliation"):
	case r.CheckedAt.IsZero():
		d.report("no worker has ever looked for lost workflows")
	case r.Late(time.Now()):
		d.report("no worker has looked for lost workflows since %s", r.CheckedAt.UTC().Format(time.RFC3339))
	}
}

// disagreements reports tickets whose row differs from what their timeline yields.
func (d *doctor) disagreements() {
	for after := ticket.Number(""); ; {
		found, compared, last, err := d.db.Disagreements(d.ctx, after, comparedPage)
		if !d.ok(err, "compare the tickets with their timelines") {
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

// missingBlobs reports files whose bytes are not in the blob store.
func (d *doctor) missingBlobs() {
	var missing missing
	for after := desk.FileID(""); ; {
		files, err := d.db.FileBlobs(d.ctx, after, comparedPage)
		if !d.ok(err, "list the files") {
			return
		}
		for _, f := range files {
			after = f.ID
			there, err := d.stored(f.Blob, f.Preview)
			if !d.ok(err, "look for a file's bytes") {
				return
			}
			if !there {
				missing.add(string(f.ID) + " of " + cmp.Or(string(f.Ticket), "no ticket yet"))
			}
		}
		if len(files) < comparedPage {
			break
		}
	}
	if missing.n > 0 {
		d.report("%s no bytes in the store of files: %s", count(missing.n, "file has", "files have"), missing)
	}
}

// missingMails reports incoming mails whose content is not in the blob store.
func (d *doctor) missingMails() {
	var missing missing
	for after := int64(0); ; {
		mails, err := d.db.IncomingBlobs(d.ctx, after, comparedPage)
		if !d.ok(err, "list the incoming emails") {
			return
		}
		for _, m := range mails {
			after = m.ID
			there, err := d.stored(m.Blob)
			if !d.ok(err, "look for an incoming email's content") {
				return
			}
			if !there {
				missing.add(fmt.Sprintf("%d (%s)", m.ID, m.Status))
			}
		}
		if len(mails) < comparedPage {
			break
		}
	}
	if missing.n > 0 {
		d.report("%s no content in the store of files: %s", count(missing.n, "incoming email has", "incoming emails have"), missing)
	}
}

// missing counts what is missing, and names the first.
type missing struct {
	n     int
	first []string
}

func (m *missing) add(name string) {
	if m.n++; m.n <= maxNamed {
		m.first = append(m.first, name)
	}
}

func (m missing) String() string { return listed(m.first, m.n) }

// listed lists the first of n names.
func listed(first []string, n int) string {
	if more := n - len(first); more > 0 {
		first = append(first, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(first, ", ")
}

// stored reports whether the blob store has the blobs with all keys that are not empty.
func (d *doctor) stored(keys ...string) (bool, error) {
	for _, key := range keys {
		if key == "" {
			continue
		}
		r, _, err := d.blobs.Open(d.ctx, key)
		if fault.KindOf(err) == fault.NotFound {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if err := r.Close(); err != nil {
			return false, err
		}
	}
	return true, nil
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
	return listed(names, len(some))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
