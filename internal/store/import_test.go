package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ago returns the whole second that many days before now.
func ago(days float64) time.Time {
	return time.Now().UTC().Add(-time.Duration(days * float64(24*time.Hour))).Truncate(time.Second)
}

// past returns an import ticket that was submitted some days ago, with the given actions since.
func (d *fixture) past(days float64, actions ...desk.ImportAction) desk.ImportTicket {
	first := desk.ImportAction{
		By: d.customer, At: ago(days), Verb: ticket.VerbSubmit, Subject: "Where is my parcel?", Body: "It was due on Monday.",
		Priority: policy.PriorityNormal, Category: "delivery",
	}
	return desk.ImportTicket{Number: ticket.NewNumber("HM"), Actions: append([]desk.ImportAction{first}, actions...)}
}

func (d *fixture) imports(tickets ...desk.ImportTicket) {
	d.t.Helper()
	added, err := d.Import(d.t.Context(), tickets)
	if err != nil || added != len(tickets) {
		d.t.Fatalf("imported %d of %d: %v", added, len(tickets), err)
	}
}

// An imported ticket must equal one that received the same commands here.
func TestImport_isWhatStepsWouldHaveMade(t *testing.T) {
	d := open(t)
	c := d.past(13,
		desk.ImportAction{By: d.supervisor, At: ago(12.5), Verb: ticket.VerbAssign, Agent: d.agent},
		desk.ImportAction{By: d.agent, At: ago(12), Verb: ticket.VerbNote, Body: "Ask the carrier."},
		desk.ImportAction{By: d.agent, At: ago(11.5), Verb: ticket.VerbReclassify, Priority: policy.PriorityLow, Category: "order"},
		desk.ImportAction{By: d.agent, At: ago(11), Verb: ticket.VerbReopen}, // refused
		desk.ImportAction{By: d.agent, At: ago(11), Verb: ticket.VerbRequestInformation, Body: "Which address?"},
		desk.ImportAction{By: d.customer, At: ago(10), Verb: ticket.VerbCustomerReply, Body: "The old one."},
	)
	d.imports(c)
	d.consistent(c.Number)

	lived := d.liveTicket(c)
	// Mails of an import count as delivered.
	if got, want := d.storedTicket(c.Number), strings.ReplaceAll(d.storedTicket(lived), `"asks":true,`, ""); got != want {
		t.Errorf("imported:\n%s\nlived:\n%s", got, want)
	}
	for _, kind := range []ticket.EventKind{ticket.EventRefused, ticket.EventReminded} {
		if !strings.Contains(d.storedTicket(c.Number), string(kind)) {
			t.Errorf("the history to compare has no %s", kind)
		}
	}
}

// liveTicket submits a ticket and repeats all commands of an imported one, at the same instants, before its first step.
func (d *fixture) liveTicket(c desk.ImportTicket) ticket.Number {
	d.t.Helper()
	lived := d.submit(d.customer)
	d.redate(lived, c.Actions[0].At)
	for _, action := range c.Actions[1:] {
		a := d.ask(action.By, desk.Request{
			Number: lived.Number, Verb: action.Verb, Body: action.Body, Agent: action.Agent.Handle, Priority: action.Priority, Category: action.Category,
		})
		d.redate(a, action.At)
	}
	d.step(ticket.StepRequest{Number: lived.Number, CatchUp: true})
	return lived.Number
}

// An import applies the transitions of past emergencies, whether there were commands in them or not.
func TestImport_passesTheEmergenciesOfItsPast(t *testing.T) {
	d := open(t)
	for i, days := range [][2]float64{{12, 11}, {9, 8}, {3, 2}} {
		d.sql(`INSERT INTO emergencies (id, kind, notice, starts_at, ends_at, revision) VALUES ($1, 'closed', 'Snow.', $2, $3, 1)`,
			fmt.Sprintf("E-000000000%d", i), ago(days[0]), ago(days[1]))
	}
	d.sql(`UPDATE emergency_schedule SET revision = 1`)
	c := d.past(13,
		desk.ImportAction{By: d.supervisor, At: ago(11.5), Verb: ticket.VerbAssign, Agent: d.agent},
		desk.ImportAction{By: d.agent, At: ago(5), Verb: ticket.VerbNote, Body: "Ask the carrier."})
	d.imports(c)
	d.consistent(c.Number)
	if got, want := d.storedTicket(c.Number), d.storedTicket(d.liveTicket(c)); got != want {
		t.Errorf("imported:\n%s\nlived:\n%s", got, want)
	}
	if n := strings.Count(fmt.Sprint(d.kinds(c.Number)), string(ticket.EventResumed)); n != 3 {
		t.Errorf("%d emergencies ended: %v", n, d.kinds(c.Number))
	}
	late := d.past(10)
	late.Undeliverable = map[ticket.PersonID]string{d.customer.ID: "550 there is no such mailbox"}
	d.imports(late)
	d.consistent(late.Number)
}

// The rules for assignment hold for the past, too, and those who are present now stand for those who were.
func TestImport_assignsByTheRules(t *testing.T) {
	d, agents := openGroup(t)
	var tickets []desk.ImportTicket
	for range 6 {
		tickets = append(tickets, d.past(.01))
	}
	d.imports(tickets...)
	for _, c := range tickets {
		d.consistent(c.Number)
	}
	for _, agent := range agents {
		if n := one[int64](d, `SELECT count(*) FROM tickets WHERE assignee = $1`, agent.ID); n != 2 {
			t.Errorf("%s got %d of 6", agent.Name, n)
		}
	}
	if n := one[int64](d, `SELECT max(turn) FROM group_turns WHERE group_handle = 'vans'`); n != 6 {
		t.Errorf("%d turns for 6 tickets", n)
	}
	first := one[ticket.PersonID](d, `SELECT assignee FROM tickets WHERE number = $1`, tickets[0].Number)
	if got := d.about("delivery").State.Ticket.Assignee; got != first {
		t.Errorf("%s got the next, and it was the turn of %s", got, first)
	}
}

// Whoever has least gets the next also among tickets of one import.
func TestImport_countsWhatItHasGivenAlready(t *testing.T) {
	d, agents := openGroup(t)
	var tickets []desk.ImportTicket
	for range 2 {
		c := d.past(.02, desk.ImportAction{By: agents[0], At: ago(.01), Verb: ticket.VerbAssign})
		c.Actions[0].Category = "general"
		tickets = append(tickets, c)
	}
	for range 4 {
		c := d.past(.01)
		c.Actions[0].Category = "order"
		tickets = append(tickets, c)
	}
	d.imports(tickets...)
	for _, agent := range agents {
		if n := one[int64](d, `SELECT count(*) FROM tickets WHERE assignee = $1`, agent.ID); n != 2 {
			t.Errorf("%s has %d of 6", agent.Name, n)
		}
	}
}

// storedTicket returns everything stored of a ticket except for what differs between tickets by chance.
func (d *fixture) storedTicket(n ticket.Number) string {
	d.t.Helper()
	record, err := d.Track(d.t.Context(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	state := *record.State
	state.Ticket.Number, state.Next.Label = "", ""
	story := asJSON(d.t, state) + "\n"
	for _, e := range d.timeline(n) {
		e.Message, e.Recorded = 0, time.Time{}
		story += asJSON(d.t, e) + "\n"
	}
	for _, query := range []string{
		`SELECT coalesce(string_agg(concat_ws(' ', n, event, kind, person, clock, escalation_step), E'\n' ORDER BY n), '') FROM deliveries WHERE ticket = $1`,
		`SELECT string_agg(concat_ws(' ', seq, refused, code, reason), E'\n' ORDER BY seq) FROM outcomes WHERE ticket = $1`,
		`SELECT string_agg(concat_ws(' ', subject, body, internal), E'\n' ORDER BY id) FROM messages WHERE ticket = $1`,
		`SELECT concat_ws(' ', submitted_at, last_command, taken, status, priority, category, assignee, next_due, promise_due, breached, escalation_step) FROM tickets WHERE number = $1`,
	} {
		story += one[string](d, query, n) + "\n"
	}
	return story
}

func TestImport_openTicketsGoOnAndNoMailIsAboutThePast(t *testing.T) {
	d := open(t)
	waiting := d.past(5, desk.ImportAction{By: d.agent, At: ago(1), Verb: ticket.VerbRequestInformation, Body: "Which address?"})
	late := d.past(30)
	done := d.past(9, desk.ImportAction{By: d.customer, At: ago(8), Verb: ticket.VerbWithdraw})
	d.imports(waiting, late, done)

	relayed := map[ticket.Number]int64{}
	if _, err := d.Undelivered(t.Context(), 10, 10, func(_ context.Context, all []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
		for _, delivery := range all {
			relayed[delivery.Number] = delivery.Command.Seq
		}
		return all, nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(relayed) != 2 || relayed[waiting.Number] != 1 || relayed[late.Number] != 1 {
		t.Errorf("the relay was given %v", relayed)
	}
	if left := one[int64](d, `SELECT count(*) FROM undelivered`); left != 0 {
		t.Errorf("%d rows wait for a step that has been taken", left)
	}
	for n, next := range map[ticket.Number]ticket.DueKind{waiting.Number: ticket.DueNudge, late.Number: "", done.Number: ""} {
		d.consistent(n)
		first := d.step(ticket.StepRequest{Number: n, Command: 1})
		if len(first.Owed) > 0 || first.State.Next.Kind != next || next != "" && !first.State.Next.Due.After(time.Now()) {
			t.Errorf("the workflow's first step of %s gives %+v", n, first)
		}
	}
	// The order of the two clocks' events depends on the day of the week on which it was submitted.
	kinds := d.kinds(late.Number)
	if slices.Sort(kinds); fmt.Sprint(kinds) != "[breached breached escalated escalated escalated escalated reminded reminded submitted]" {
		t.Errorf("a ticket that was left alone has %s", kinds)
	}
	if unsent := one[int64](d, `SELECT count(*) FROM deliveries WHERE queue = 'ticket' AND status <> 'sent'`); unsent != 0 {
		t.Errorf("%d mails are to be sent", unsent)
	}
	result := d.do(d.customer, desk.Request{Number: waiting.Number, Verb: ticket.VerbCustomerReply, Body: "The old one."})
	if result.State.Ticket.Status != ticket.StatusOpen || len(result.Owed) != 1 {
		t.Errorf("a reply leaves %+v", result)
	}
	d.consistent(waiting.Number)
}

func TestImport_repeatedAddsNothing(t *testing.T) {
	d := open(t)
	first := d.past(3)
	followUp := d.past(1)
	followUp.Follows = first.Number
	d.imports(followUp, first) // in any order
	added, err := d.Import(t.Context(), []desk.ImportTicket{first, followUp, first})
	if err != nil || added != 0 {
		t.Errorf("the second time %d were added, %v", added, err)
	}
	if n := one[int64](d, `SELECT count(*) FROM undelivered`); n != 2 {
		t.Errorf("%d tickets wait for the relay", n)
	}
	if record, err := d.Ticket(t.Context(), d.agent, first.Number); err != nil || fmt.Sprint(record.FollowedBy) != fmt.Sprintf("[%s]", followUp.Number) {
		t.Errorf("followed by %v, %v", record.FollowedBy, err)
	}
}

func TestImport_recordsMailsThatBounced(t *testing.T) {
	d := open(t)
	c := d.past(2, desk.ImportAction{By: d.agent, At: ago(1), Verb: ticket.VerbAgentReply, Body: "It is on its way."})
	c.Undeliverable = map[ticket.PersonID]string{d.customer.ID: "550 there is no such mailbox"}
	d.imports(c)
	d.consistent(c.Number)
	if kinds := fmt.Sprint(d.kinds(c.Number)); kinds != "[submitted mail-bounced assigned agent-replied mail-bounced]" {
		t.Errorf("the timeline has %s", kinds)
	}
	for _, e := range d.timeline(c.Number) {
		if e.Kind == ticket.EventMailBounced && (e.Bounce == nil || e.Bounce.Reason != "550 there is no such mailbox") {
			t.Errorf("the bounce says %+v", e.Bounce)
		}
	}
}

func TestImport_keepsRatings(t *testing.T) {
	d := open(t)
	c := d.past(3, desk.ImportAction{By: d.agent, At: ago(2), Verb: ticket.VerbResolve, Body: "It has arrived."})
	c.Rating = &desk.Rating{Score: 4, Comment: "Quick.", At: ago(1)}
	d.imports(c)
	want := desk.Rating{Number: c.Number, Score: 4, Comment: "Quick.", At: c.Rating.At}
	if got, err := d.Rating(t.Context(), d.customer, c.Number); got != want || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, bad := range map[string]desk.ImportTicket{
		"not resolved": d.past(3),
		"too late":     d.past(40, desk.ImportAction{By: d.customer, At: ago(39), Verb: ticket.VerbWithdraw}),
	} {
		bad.Rating = &desk.Rating{Score: 4, At: ago(1)}
		if _, err := d.Import(t.Context(), []desk.ImportTicket{bad}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestImport_refusesImpossibleHistories(t *testing.T) {
	d := open(t)
	for name, spoil := range map[string]func(*desk.ImportTicket){
		"no number":             func(c *desk.ImportTicket) { c.Number = "hm-1" },
		"no actions":            func(c *desk.ImportTicket) { c.Actions = nil },
		"no submission":         func(c *desk.ImportTicket) { c.Actions = c.Actions[1:] },
		"two submissions":       func(c *desk.ImportTicket) { c.Actions = append(c.Actions[:1:1], c.Actions[0]) },
		"a submission of staff": func(c *desk.ImportTicket) { c.Actions[0].By = d.agent },
		"a customer's note":     func(c *desk.ImportTicket) { c.Actions[1].By = d.customer },
		"no subject":            func(c *desk.ImportTicket) { c.Actions[0].Subject = "" },
		"a long subject":        func(c *desk.ImportTicket) { c.Actions[0].Subject = strings.Repeat("ä", desk.MaxSubject+1) },
		"no words":              func(c *desk.ImportTicket) { c.Actions[0].Body = "" },
		"too many words":        func(c *desk.ImportTicket) { c.Actions[1].Body = strings.Repeat("x", desk.MaxBody+1) },
		"another category":      func(c *desk.ImportTicket) { c.Actions[0].Category = "weather" },
		"no priority":           func(c *desk.ImportTicket) { c.Actions[0].Priority = "" },
		"the wrong order":       func(c *desk.ImportTicket) { c.Actions[1].At = c.Actions[0].At.Add(-time.Second) },
		"half a second":         func(c *desk.ImportTicket) { c.Actions[1].At = c.Actions[1].At.Add(time.Second / 2) },
		"the future":            func(c *desk.ImportTicket) { c.Actions[1].At = ago(-1) },
		"a customer's ticket":   func(c *desk.ImportTicket) { c.Actions[1].Verb, c.Actions[1].Agent = ticket.VerbAssign, d.other },
	} {
		t.Run(name, func(t *testing.T) {
			good := d.past(2)
			bad := d.past(2, desk.ImportAction{By: d.agent, At: ago(1), Verb: ticket.VerbNote, Body: "A note."})
			spoil(&bad)
			_, err := d.Import(t.Context(), []desk.ImportTicket{good, bad})
			wantKind(t, err, fault.Invalid)
			if n := one[int64](d, `SELECT count(*) FROM tickets`); n != 0 {
				t.Errorf("%d tickets were imported all the same", n)
			}
		})
	}
	stranger := d.past(2)
	stranger.Actions[0].By.ID = ticket.NewPersonID()
	if _, err := d.Import(t.Context(), []desk.ImportTicket{stranger}); err == nil {
		t.Error("a stranger's ticket was imported")
	}
}
