package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestWorkload_countsWhatWaits(t *testing.T) {
	t.Parallel()
	d := open(t)
	work := func() desk.Workload {
		t.Helper()
		w, err := d.Workload(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	if w := work(); w.Submissions.Count+w.Commands.Count+w.Undecided.Count+w.Overdue.Count+w.Incoming.Count != 0 || len(w.Deliveries) != 4 {
		t.Errorf("of an empty desk: %+v", w)
	}
	n := d.taken(d.customer)
	d.submit(d.customer)
	d.submit(d.customer)
	d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign})
	d.sql(`UPDATE commands SET accepted_at = accepted_at - interval '1 hour' WHERE seq = 2`)
	d.sql(`UPDATE tickets SET next_due = statement_timestamp() - interval '3 minutes' WHERE number = $1`, n)
	d.sql(`UPDATE deliveries SET owed_at = statement_timestamp() - interval '2 hours' WHERE ticket = $1`, n)
	w := work()
	if w.Submissions.Count != 2 || w.Submissions.Oldest > time.Minute {
		t.Errorf("submissions: %+v", w.Submissions)
	}
	if w.Commands.Count != 1 || w.Commands.Oldest.Round(time.Minute) != time.Hour {
		t.Errorf("commands: %+v", w.Commands)
	}
	if w.Overdue.Count != 1 || w.Overdue.Oldest.Round(time.Minute) != 3*time.Minute {
		t.Errorf("overdue: %+v", w.Overdue)
	}
	if o := w.Deliveries[0]; o.Queue != string(outbox.TicketMails) || o.Ages != [5]int{3: 1} || o.Oldest.Round(time.Minute) != 2*time.Hour {
		t.Errorf("deliveries: %+v", w.Deliveries)
	}
	d.sql(`UPDATE undelivered SET delivered_at = statement_timestamp() - interval '5 minutes' WHERE seq > 1`)
	d.sql(`UPDATE undelivered SET tries = 2 WHERE seq = 1`)
	w = work()
	if w.Undecided.Count != 1 || w.Undecided.Oldest.Round(time.Minute) != 5*time.Minute || w.Retried.Count != 2 || w.Submissions.Count != 0 {
		t.Errorf("undecided: %+v, retried: %+v", w.Undecided, w.Retried)
	}
}

// The commands of an imported ticket were decided where it comes from, long ago, also if its workflow has yet to be started.
func TestWorkload_countsNoCommandsOfImportedTicketsAsWaiting(t *testing.T) {
	t.Parallel()
	d := open(t)
	imported := d.past(30, desk.ImportAction{By: d.agent, At: ago(29), Verb: ticket.VerbNote, Body: "a note"})
	d.imports(imported)
	waiting := func(state string, submissions, retried, undecided int) {
		t.Helper()
		w, err := d.Workload(t.Context())
		if err != nil || w.Submissions.Count != submissions || w.Retried.Count != retried || w.Undecided.Count != undecided {
			t.Errorf("%s: submissions %+v, retried %+v, undecided %+v, %v", state, w.Submissions, w.Retried, w.Undecided, err)
		}
		if oldest := max(w.Submissions.Oldest, w.Retried.Oldest, w.Undecided.Oldest); oldest > time.Minute {
			t.Errorf("%s: the oldest has waited for %v", state, oldest)
		}
		if b, err := d.Backlog(t.Context(), late); err != nil || b.Commands != 0 {
			t.Errorf("%s: backlog %+v, %v", state, b, err)
		}
	}
	waiting("its workflow has yet to be started", 0, 0, 0)
	d.submit(d.customer)
	waiting("and so has another's", 1, 0, 0)
	d.sql(`UPDATE undelivered SET tries = 1`)
	waiting("starting them failed", 0, 1, 0)
	d.sql(`UPDATE undelivered SET tries = 0`)
	d.deliverAll()
	waiting("started, and the other has taken no step", 0, 0, 1)
	d.ask(d.agent, desk.Request{Number: imported.Number, Verb: ticket.VerbAssign})
	d.deliverAll()
	waiting("a later command is delivered", 0, 0, 2)
}

// What waits for a lock must be seen while that is what keeps everything else from being read.
func TestDatabaseSessions_showsWhoWaitsWhileATableIsLocked(t *testing.T) {
	t.Parallel()
	d := open(t)
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := d.Workload(t.Context())
		read <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), slack)
	defer cancel()
	for {
		s, err := d.DatabaseSessions(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if s.Locked.Count == 1 && s.Locked.Oldest > 0 && s.Idle.Count == 1 {
			break
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	if s, err := d.DatabaseSessions(ctx); err != nil || s.Locked.Count+s.Idle.Count != 0 {
		t.Errorf("afterwards: %+v, %v", s, err)
	}
}

func TestWorkload_leavesOutDueEventsThatAreLateOnPurpose(t *testing.T) {
	t.Parallel()
	d := open(t)
	n := d.taken(d.customer)
	d.sql(`UPDATE tickets SET next_due = statement_timestamp() - interval '3 minutes' WHERE number = $1`, n)
	overdue := func(state string, want int) {
		t.Helper()
		w, err := d.Workload(t.Context())
		if err != nil || w.Overdue.Count != want || (w.Overdue.Oldest > 0) != (want > 0) {
			t.Errorf("%s: %+v, %v", state, w.Overdue, err)
		}
	}
	overdue("late", 1)
	d.sql(`INSERT INTO parked_steps (ticket, retry_at, reason) VALUES ($1, now(), '')`, n)
	overdue("parked", 0)
	d.sql(`DELETE FROM parked_steps`)
	mail := d.receive(desk.IncomingMail{Envelope: desk.Envelope{Source: desk.SourceLMTP}, Blob: "b", Fingerprint: make([]byte, 32)})
	d.sql(`UPDATE incoming_mails SET received_at = now() - interval '5 minutes' WHERE id = $1`, mail)
	overdue("an email to no ticket waits", 1)
	d.sql(`UPDATE incoming_mails SET thread = $1`, n)
	overdue("an email that arrived before waits", 0)
	d.sql(`UPDATE incoming_mails SET received_at = now() - interval '1 minute'`)
	overdue("an email that arrived after it was due waits", 1)
	d.sql(`UPDATE incoming_mails SET received_at = now() - interval '25 hours'`)
	overdue("an email has waited for more than a day", 1)
}
