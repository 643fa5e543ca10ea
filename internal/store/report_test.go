package store_test

import (
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// countsPromises checks that what reports count of a ticket follows from its whole timeline.
func (d *shop) countsPromises(n ticket.Number) {
	d.t.Helper()
	record, err := d.Track(d.t.Context(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	p, err := d.Policy(d.t.Context(), record.Policy)
	if err != nil {
		d.t.Fatal(err)
	}
	var events []ticket.Event
	for _, e := range d.timeline(n) {
		events = append(events, e.Event)
	}
	type row struct {
		Verdict            ticket.Verdict
		Priority, Category string
		Agent              string
		Taken, Counted     int64 // -1: not delivered
	}
	for _, name := range policy.ClockNames() {
		r, _ := ticket.Rule(ticket.Draft(n, record.Requester.ID, record.Policy, p), events, name)
		want := row{r.Verdict, string(r.Priority), r.Category, string(r.Agent), -1, -1}
		if !r.MetAt.IsZero() {
			want.Taken = int64(r.MetAt.Sub(record.Submitted).Seconds())
			want.Counted = int64(record.State.Ticket.Promise(name).Clock.Used(p.Calendar, r.MetAt).Seconds())
		}
		got := one[row](d, `SELECT (verdict, priority, category, coalesce(agent, ''), coalesce(taken, -1), coalesce(counted, -1))
			FROM promises WHERE ticket = $1 AND clock = $2`, n, name)
		if got != want {
			d.t.Errorf("the report counts the %s of %s as %+v, want %+v", name, n, got, want)
		}
	}
}
