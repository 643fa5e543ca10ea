package store_test

import (
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
