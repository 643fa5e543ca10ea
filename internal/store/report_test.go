package store_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// countsPromises checks that what reports count of a ticket follows from its whole timeline.
func (d *fixture) countsPromises(n ticket.Number) {
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
		Status             ticket.SLAStatus
		Priority, Category string
		Agent              string
		Taken, Counted     int64 // -1: not reached
	}
	for _, name := range policy.ClockNames() {
		r, _ := ticket.RecordSLA(ticket.Draft(n, record.Requester.ID, record.Policy, p), events, name)
		want := row{r.SLAStatus, string(r.Priority), r.Category, string(r.Agent), -1, -1}
		if !r.MetAt.IsZero() {
			want.Taken = int64(r.MetAt.Sub(record.Submitted).Seconds())
			want.Counted = int64(record.State.Ticket.Promise(name).Clock.Used(p.Calendar, r.MetAt).Seconds())
		}
		got := one[row](d, `SELECT (CASE sla_status WHEN 'p' THEN 'pending' WHEN 'm' THEN 'met' WHEN 'b' THEN 'breached' WHEN 'c' THEN 'cancelled' END,
				priority, category, coalesce(agent, ''), coalesce(taken, -1), coalesce(counted, -1))
			FROM promises JOIN charges ON id = charge WHERE ticket = $1 AND clock = $2`, n, name)
		if got != want {
			d.t.Errorf("the report counts the %s of %s as %+v, want %+v", name, n, got, want)
		}
	}
}

// reports returns the report service on the fixture, in the policy's time zone.
func (d *fixture) reports() *app.Reports {
	return app.NewReports(d.Store)
}

// everything is a period that includes all tickets of a test.
func everything() report.PromiseFilter {
	now := time.Now()
	return report.PromiseFilter{From: now.AddDate(-1, 0, 0), To: now.Add(time.Hour)}
}

func (d *fixture) promises(f report.PromiseFilter) (first, resolution report.ClockSummary) {
	d.t.Helper()
	r, err := d.reports().Promises(d.t.Context(), f)
	if err != nil {
		d.t.Fatal(err)
	}
	return r.Clocks[0], r.Clocks[1]
}

// TestPromises_countTheResultsOfEach has one ticket for each SLA status.
func TestPromises_countTheResultsOfEach(t *testing.T) {
	d := openUnder(t, quick) // first response within an hour, resolution within four
	hours := func(days, hours float64) time.Time { return ago(days).Add(time.Duration(hours * float64(time.Hour))) }
	urgent := desk.ImportAction{By: d.agent, At: hours(9, .1), Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent}
	d.imports(
		d.past(10, // both met: first response after half an hour, resolved after two
			desk.ImportAction{By: d.agent, At: hours(10, .5), Verb: ticket.VerbAgentReply, Body: "Hello."},
			desk.ImportAction{By: d.agent, At: hours(10, 2), Verb: ticket.VerbResolve, Body: "Done."}),
		d.past(9, urgent, // first response breached while unassigned, and given late by another than its agent
			desk.ImportAction{By: d.supervisor, At: hours(9, 1.5), Verb: ticket.VerbAssign, Agent: d.second},
			desk.ImportAction{By: d.agent, At: hours(9, 2), Verb: ticket.VerbAgentReply, Body: "Hello."},
			desk.ImportAction{By: d.agent, At: hours(9, 3), Verb: ticket.VerbResolve, Body: "Done."},
			desk.ImportAction{By: d.customer, At: hours(9, 3.1), Verb: ticket.VerbClose}),
		d.past(8, // withdrawn at once: neither
			desk.ImportAction{By: d.customer, At: hours(8, .2), Verb: ticket.VerbWithdraw}),
		d.past(0), // pending
		d.past(7), // both breached, and still pending
	)
	first, resolution := d.promises(everything())
	if want := (report.Tally{Met: 1, Breached: 2, Pending: 1, Cancelled: 1, Delivered: 2, Median: 30 * time.Minute, P90: 2 * time.Hour}); first.Total != want {
		t.Errorf("first responses: got %+v, want %+v", first.Total, want)
	}
	if want := (report.Tally{Met: 2, Breached: 1, Pending: 1, Cancelled: 1, Delivered: 2, Median: 2 * time.Hour, P90: 3 * time.Hour}); resolution.Total != want {
		t.Errorf("resolutions: got %+v, want %+v", resolution.Total, want)
	}
	byAgent := func(r report.ClockSummary) map[ticket.PersonID][2]int {
		counted := map[ticket.PersonID][2]int{}
		for _, l := range r.Agents {
			counted[l.Agent.ID] = [2]int{l.Met, l.Breached}
		}
		return counted
	}
	if got, want := byAgent(first), map[ticket.PersonID][2]int{d.agent.ID: {1, 0}, "": {0, 2}}; !maps.Equal(got, want) {
		t.Errorf("first responses by agent: got %v, want %v", got, want)
	}
	if got, want := byAgent(resolution), map[ticket.PersonID][2]int{d.agent.ID: {1, 0}, d.second.ID: {1, 0}, "": {0, 1}}; !maps.Equal(got, want) {
		t.Errorf("resolutions by agent: got %v, want %v", got, want)
	}
	for name, c := range map[string]struct {
		filter func(*report.PromiseFilter)
		want   int
	}{
		"priority when it was broken": {func(f *report.PromiseFilter) { f.Priority = policy.PriorityUrgent }, 1},
		"agent when it was met":       {func(f *report.PromiseFilter) { f.Agent = d.agent.Handle }, 1},
		"category":                    {func(f *report.PromiseFilter) { f.Category = "delivery" }, 5},
		"no category":                 {func(f *report.PromiseFilter) { f.Category = "order" }, 0},
		"period":                      {func(f *report.PromiseFilter) { f.From, f.To = ago(9), ago(7) }, 2},
	} {
		f := everything()
		c.filter(&f)
		if first, _ := d.promises(f); first.Total.All() != c.want {
			t.Errorf("by %s %d are counted, want %d", name, first.Total.All(), c.want)
		}
	}
}

// TestPromises_countedTimeLeavesPausesOut: two hours of waiting for the customer are no time that the desk took.
func TestPromises_countedTimeLeavesPausesOut(t *testing.T) {
	d := openUnder(t, quick)
	start := ago(3)
	d.imports(d.past(3,
		desk.ImportAction{By: d.agent, At: start.Add(time.Hour / 2), Verb: ticket.VerbRequestInformation, Body: "Which?"},
		desk.ImportAction{By: d.customer, At: start.Add(5 * time.Hour / 2), Verb: ticket.VerbCustomerReply, Body: "This."},
		desk.ImportAction{By: d.agent, At: start.Add(3 * time.Hour), Verb: ticket.VerbResolve, Body: "Done."}))
	f := everything()
	if _, r := d.promises(f); r.Total.Median != 3*time.Hour {
		t.Errorf("it took %s", r.Total.Median)
	}
	f.Measure = report.MeasureCounted
	if _, r := d.promises(f); r.Total.Median != time.Hour {
		t.Errorf("by its clock it took %s", r.Total.Median)
	}
}

// TestPromises_reopenedArePendingAgain: closed without another resolution,
// they are neither met nor breached.
func TestPromises_reopenedArePendingAgain(t *testing.T) {
	d := openUnder(t, quick)
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Done."})
	d.consistent(n)
	d.do(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.second.Handle}) // after the breach was recorded
	d.consistent(n)
	if first, r := d.promises(everything()); r.Total.Met != 1 || r.Agents[0].Agent.ID != d.agent.ID || first.Agents[0].Agent.ID != d.agent.ID {
		t.Errorf("resolved: %+v", r)
	}
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Not yet."})
	d.consistent(n)
	if first, r := d.promises(everything()); r.Total.Pending != 1 || r.Total.Delivered != 0 || first.Total.Met != 1 || r.Agents[0].Agent.ID != d.second.ID {
		t.Errorf("reopened: %+v", r)
	}
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	d.consistent(n)
	if _, r := d.promises(everything()); r.Total != (report.Tally{Cancelled: 1}) {
		t.Errorf("closed: %+v", r.Total)
	}
}

// TestMigration_countsTicketsFromBefore lets the migration fill the table anew, from the events, and compares.
func TestMigration_countsTicketsFromBefore(t *testing.T) {
	file, err := os.ReadFile("migrations/00006_reports.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, fill, _ := strings.Cut(string(file), "-- Tickets from before this table.")
	fill, _, _ = strings.Cut(fill, "\n\n")
	d := openUnder(t, quick)
	for seed := range uint64(6) {
		newRandomTicket(d, rand.New(rand.NewPCG(seed, 2))).play(40)
	}
	d.sql(`CREATE TABLE stepped AS SELECT * FROM promises`)
	d.sql(`DELETE FROM promises`)
	d.sql(asNamedNow.Replace(fill))
	if n := one[int64](d, `SELECT count(*) FROM promises`); n != 12 {
		t.Fatalf("%d promises were filled in, want 12", n)
	}
	for _, query := range []string{`SELECT * FROM stepped EXCEPT SELECT * FROM promises`, `SELECT * FROM promises EXCEPT SELECT * FROM stepped`} {
		rows, err := d.beside.Query(t.Context(), `SELECT x::text FROM (`+query+`) x`)
		if err != nil {
			t.Fatal(err)
		}
		if differing := lines(t, rows); differing != "" {
			t.Errorf("%s:\n%s", query, differing)
		}
	}
}

func TestOverview_countsTheDesk(t *testing.T) {
	d := openUnder(t, quick)
	waiting := d.past(2, desk.ImportAction{By: d.agent, At: ago(2).Add(time.Minute), Verb: ticket.VerbRequestInformation, Body: "Which?"})
	broken := d.past(5)
	bounced := d.past(1, desk.ImportAction{By: d.customer, At: ago(.9), Verb: ticket.VerbWithdraw})
	bounced.Undeliverable = map[ticket.PersonID]string{d.customer.ID: "550 no such user"}
	acknowledged := d.past(5, desk.ImportAction{By: d.second, At: ago(1), Verb: ticket.VerbAssign},
		desk.ImportAction{By: d.second, At: ago(.5), Verb: ticket.VerbAcknowledge, Body: "I see to it."})
	d.imports(waiting, broken, bounced, acknowledged)
	pending := d.submit(d.customer).Number
	fresh := d.taken(d.customer)
	now := time.Now()
	o, err := d.reports().Overview(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	today, _, err := d.List(t.Context(), desk.Filter{Viewer: d.agent, DueBefore: desk.Tomorrow(now, o.Zone), Limit: 100})
	if err != nil || len(today) != o.DueToday {
		t.Errorf("%d are due today, and the list has %d, %v", o.DueToday, len(today), err)
	}
	soon := 0 // the fresh one is due within the hour, which may be tomorrow
	if now.Add(time.Hour).Before(desk.Tomorrow(now, o.Zone)) {
		soon = 1
	}
	// Silence has resolved and closed the waiting one.
	if o.Open != 4 || o.Unassigned != 3 || o.Breached != 2 || o.DueToday < soon || o.Statuses[0].Total+o.Statuses[1].Total != 4 {
		t.Errorf("got %+v", o)
	}
	if new := o.Statuses[0]; new.Bands[0] != 2 || new.Bands[2] != 1 {
		t.Errorf("new tickets by age: %+v", new)
	}
	if e := o.Escalations; e.Count != 1 || len(e.First) != 1 || e.First[0].Number != broken.Number || e.First[0].EscalationStep != 2 ||
		len(e.First[0].Breached()) != 2 || !e.First[0].Since().Equal(broken.Actions[0].At.Add(time.Hour)) {
		t.Errorf("escalations: %+v", e)
	}
	if m := o.Mail; m.Waiting != 1 || time.Since(m.Oldest) > time.Minute || m.Bounced != 2 {
		t.Errorf("mail: %+v", m)
	}
	for _, l := range o.Agents {
		if l.Agent.ID == d.second.ID && (l.Open != 1 || l.Breached != 1) || l.Agent.ID == d.agent.ID && l.Load() != 0 {
			t.Errorf("load: %+v", l)
		}
	}
	_, owed, lost, err := d.reports().MailDelivery(t.Context(), time.Now(), false)
	if err != nil || len(owed) != 1 || owed[0].Number != fresh || len(lost) != 2 || lost[0].Number != bounced.Number ||
		lost[0].Reason != "550 no such user" || lost[0].Address != d.customer.Address {
		t.Errorf("mails: %+v, %+v, %v; %s waits for its step", owed, lost, err, pending)
	}
}

func TestRatings_byWeekAndAgent(t *testing.T) {
	d := open(t)
	rated := func(days float64, by desk.Person, score int, comment string) desk.ImportTicket {
		c := d.past(days, desk.ImportAction{By: by, At: ago(days - .1), Verb: ticket.VerbResolve, Body: "Done."})
		c.Rating = &desk.Rating{Score: score, Comment: comment, At: ago(days - .2)}
		return c
	}
	d.imports(rated(3, d.agent, 5, "Quick."), rated(3, d.agent, 2, ""), rated(3, d.second, 4, "Friendly."), rated(40, d.second, 1, "Slow."))
	r, err := d.reports().Ratings(t.Context(), ago(30), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if r.Total != (report.Scores{0, 1, 0, 1, 1}) || len(r.Agents) != 2 || r.Agents[0].Agent.ID != d.agent.ID || r.Agents[0].Scores != (report.Scores{0, 1, 0, 0, 1}) {
		t.Errorf("got %+v", r)
	}
	counted := 0
	for _, w := range r.Weeks {
		counted += w.Count()
	}
	if counted != 3 || len(r.Comments) != 2 || r.Comments[0].Subject == "" || r.Comments[0].Agent.ID == "" {
		t.Errorf("%d in weeks, comments %+v", counted, r.Comments)
	}
}

func TestSuggestions_areReadOnce(t *testing.T) {
	d := open(t)
	for _, by := range []desk.Person{d.customer, {}} {
		if err := d.Suggest(t.Context(), by, "", "Open on Saturdays."); err != nil {
			t.Fatal(err)
		}
	}
	all, unread, err := d.Suggestions(t.Context(), false, 10)
	if err != nil || len(all) != 2 || unread != 2 || all[0].From != nil || all[1].From.ID != d.customer.ID {
		t.Fatalf("got %+v, %d unread, %v", all, unread, err)
	}
	if err := d.MarkSuggestion(t.Context(), all[0].ID, true); err != nil {
		t.Fatal(err)
	}
	left, unread, err := d.Suggestions(t.Context(), true, 10)
	if err != nil || unread != 1 || len(left) != 1 || left[0].ID != all[1].ID {
		t.Errorf("left are %+v, %d unread, %v", left, unread, err)
	}
	if err := d.MarkSuggestion(t.Context(), all[0].ID, false); err != nil {
		t.Fatal(err)
	}
	if _, unread, _ := d.Suggestions(t.Context(), true, 10); unread != 2 {
		t.Errorf("%d are unread", unread)
	}
	wantKind(t, d.MarkSuggestion(t.Context(), 1<<40, true), fault.NotFound)
}
