package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ago is a whole second that many days before now.
func ago(days float64) time.Time {
	return time.Now().UTC().Add(-time.Duration(days * float64(24*time.Hour))).Truncate(time.Second)
}

// chronicle is a ticket's that was submitted some days ago, with what was done since.
func (d *shop) chronicle(days float64, deeds ...desk.Deed) desk.Chronicle {
	first := desk.Deed{
		By: d.customer, At: ago(days), Verb: ticket.VerbSubmit, Subject: "Where is my parcel?", Body: "It was due on Monday.",
		Priority: policy.PriorityNormal, Category: "delivery",
	}
	return desk.Chronicle{Number: ticket.NewNumber("HM"), Deeds: append([]desk.Deed{first}, deeds...)}
}

func (d *shop) imports(chronicles ...desk.Chronicle) {
	d.t.Helper()
	added, err := d.Import(d.t.Context(), chronicles)
	if err != nil || added != len(chronicles) {
		d.t.Fatalf("imported %d of %d: %v", added, len(chronicles), err)
	}
}

// A ticket that was imported must be the ticket that this desk would have kept, had it been asked the same.
func TestImport_isWhatStepsWouldHaveMade(t *testing.T) {
	d := open(t)
	c := d.chronicle(13,
		desk.Deed{By: d.supervisor, At: ago(12.5), Verb: ticket.VerbAssign, Agent: d.agent},
		desk.Deed{By: d.agent, At: ago(12), Verb: ticket.VerbNote, Body: "Ask the carrier."},
		desk.Deed{By: d.agent, At: ago(11.5), Verb: ticket.VerbReclassify, Priority: policy.PriorityLow, Category: "order"},
		desk.Deed{By: d.agent, At: ago(11), Verb: ticket.VerbReopen}, // refused
		desk.Deed{By: d.agent, At: ago(11), Verb: ticket.VerbRequestInformation, Body: "Which address?"},
		desk.Deed{By: d.customer, At: ago(10), Verb: ticket.VerbCustomerReply, Body: "The old one."},
	)
	d.imports(c)
	d.consistent(c.Number)

	lived := d.submit(d.customer)
	d.redate(lived, c.Deeds[0].At)
	d.step(ticket.StepRequest{Number: lived.Number, Command: 1})
	for _, deed := range c.Deeds[1:] {
		a := d.ask(deed.By, desk.Request{
			Number: lived.Number, Verb: deed.Verb, Body: deed.Body, Agent: deed.Agent.Handle, Priority: deed.Priority, Category: deed.Category,
		})
		d.redate(a, deed.At)
		d.step(ticket.StepRequest{Number: lived.Number, Command: a.Seq})
	}
	d.step(ticket.StepRequest{Number: lived.Number, Gate: true})
	// What an import's mails ask counts as delivered.
	if got, want := d.story(c.Number), strings.ReplaceAll(d.story(lived.Number), `"asks":true,`, ""); got != want {
		t.Errorf("imported:\n%s\nlived:\n%s", got, want)
	}
	for _, kind := range []ticket.EventKind{ticket.EventRefused, ticket.EventReminded} {
		if !strings.Contains(d.story(c.Number), string(kind)) {
			t.Errorf("the story to compare tells of no %s", kind)
		}
	}
}

// story is everything that is stored of a ticket but what differs from one to the next by chance.
func (d *shop) story(n ticket.Number) string {
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
		`SELECT coalesce(string_agg(concat_ws(' ', n, event, kind, person, clock, rung), E'\n' ORDER BY n), '') FROM deliveries WHERE ticket = $1`,
		`SELECT string_agg(concat_ws(' ', seq, refused, code, reason), E'\n' ORDER BY seq) FROM outcomes WHERE ticket = $1`,
		`SELECT string_agg(concat_ws(' ', subject, body, internal), E'\n' ORDER BY id) FROM messages WHERE ticket = $1`,
		`SELECT concat_ws(' ', submitted_at, last_command, taken, status, priority, category, assignee, next_due, promise_due, breached, rung) FROM tickets WHERE number = $1`,
	} {
		story += one[string](d, query, n) + "\n"
	}
	return story
}

func TestImport_openTicketsGoOnAndNobodyIsMailedAboutThePast(t *testing.T) {
	d := open(t)
	waiting := d.chronicle(5, desk.Deed{By: d.agent, At: ago(1), Verb: ticket.VerbRequestInformation, Body: "Which address?"})
	late := d.chronicle(30)
	done := d.chronicle(9, desk.Deed{By: d.customer, At: ago(8), Verb: ticket.VerbWithdraw})
	d.imports(waiting, late, done)

	relayed := map[ticket.Number]int64{}
	if _, err := d.Undelivered(t.Context(), 10, 10, func(_ context.Context, all []desk.Delivery) ([]desk.Delivery, error) {
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
	for n, next := range map[ticket.Number]ticket.MomentKind{waiting.Number: ticket.MomentNudge, late.Number: "", done.Number: ""} {
		d.consistent(n)
		first := d.step(ticket.StepRequest{Number: n, Command: 1})
		if len(first.Owed) > 0 || first.State.Next.Kind != next || next != "" && !first.State.Next.Due.After(time.Now()) {
			t.Errorf("the workflow's first step of %s gives %+v", n, first)
		}
	}
	if kinds := fmt.Sprint(d.kinds(late.Number)); kinds != "[submitted reminded breached escalated escalated reminded breached escalated escalated]" {
		t.Errorf("a ticket that was left alone tells of %s", kinds)
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

func TestImport_toldTwiceAddsNothing(t *testing.T) {
	d := open(t)
	first := d.chronicle(3)
	followUp := d.chronicle(1)
	followUp.Follows = first.Number
	d.imports(followUp, first) // in any order
	added, err := d.Import(t.Context(), []desk.Chronicle{first, followUp, first})
	if err != nil || added != 0 {
		t.Errorf("the second time %d were added, %v", added, err)
	}
	if n := one[int64](d, `SELECT count(*) FROM undelivered`); n != 2 {
		t.Errorf("%d tickets wait for the relay", n)
	}
	if record, err := d.Track(t.Context(), first.Number); err != nil || fmt.Sprint(record.FollowedBy) != fmt.Sprintf("[%s]", followUp.Number) {
		t.Errorf("followed by %v, %v", record.FollowedBy, err)
	}
}

func TestImport_tellsOfMailsThatBounced(t *testing.T) {
	d := open(t)
	c := d.chronicle(2, desk.Deed{By: d.agent, At: ago(1), Verb: ticket.VerbAgentReply, Body: "It is on its way."})
	c.Undeliverable = map[ticket.PersonID]string{d.customer.ID: "550 there is no such mailbox"}
	d.imports(c)
	d.consistent(c.Number)
	if kinds := fmt.Sprint(d.kinds(c.Number)); kinds != "[submitted mail-bounced assigned agent-replied mail-bounced]" {
		t.Errorf("the timeline tells of %s", kinds)
	}
	for _, e := range d.timeline(c.Number) {
		if e.Kind == ticket.EventMailBounced && (e.Bounce == nil || e.Bounce.Reason != "550 there is no such mailbox") {
			t.Errorf("the bounce says %+v", e.Bounce)
		}
	}
}

func TestImport_keepsRatings(t *testing.T) {
	d := open(t)
	c := d.chronicle(3, desk.Deed{By: d.agent, At: ago(2), Verb: ticket.VerbResolve, Body: "It has arrived."})
	c.Rating = &desk.Rating{Score: 4, Comment: "Quick.", At: ago(1)}
	d.imports(c)
	want := desk.Rating{Number: c.Number, Score: 4, Comment: "Quick.", At: c.Rating.At}
	if got, err := d.Rating(t.Context(), d.customer, c.Number); got != want || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, bad := range map[string]desk.Chronicle{
		"not resolved": d.chronicle(3),
		"too late":     d.chronicle(40, desk.Deed{By: d.customer, At: ago(39), Verb: ticket.VerbWithdraw}),
	} {
		bad.Rating = &desk.Rating{Score: 4, At: ago(1)}
		if _, err := d.Import(t.Context(), []desk.Chronicle{bad}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestImport_refusesWhatNobodyCouldHaveAsked(t *testing.T) {
	d := open(t)
	for name, spoil := range map[string]func(*desk.Chronicle){
		"no number":             func(c *desk.Chronicle) { c.Number = "hm-1" },
		"no deeds":              func(c *desk.Chronicle) { c.Deeds = nil },
		"no submission":         func(c *desk.Chronicle) { c.Deeds = c.Deeds[1:] },
		"two submissions":       func(c *desk.Chronicle) { c.Deeds = append(c.Deeds[:1:1], c.Deeds[0]) },
		"a submission of staff": func(c *desk.Chronicle) { c.Deeds[0].By = d.agent },
		"a customer's note":     func(c *desk.Chronicle) { c.Deeds[1].By = d.customer },
		"no subject":            func(c *desk.Chronicle) { c.Deeds[0].Subject = "" },
		"a long subject":        func(c *desk.Chronicle) { c.Deeds[0].Subject = strings.Repeat("ä", desk.MaxSubject+1) },
		"no words":              func(c *desk.Chronicle) { c.Deeds[0].Body = "" },
		"too many words":        func(c *desk.Chronicle) { c.Deeds[1].Body = strings.Repeat("x", desk.MaxBody+1) },
		"another category":      func(c *desk.Chronicle) { c.Deeds[0].Category = "weather" },
		"no priority":           func(c *desk.Chronicle) { c.Deeds[0].Priority = "" },
		"the wrong order":       func(c *desk.Chronicle) { c.Deeds[1].At = c.Deeds[0].At.Add(-time.Second) },
		"half a second":         func(c *desk.Chronicle) { c.Deeds[1].At = c.Deeds[1].At.Add(time.Second / 2) },
		"the future":            func(c *desk.Chronicle) { c.Deeds[1].At = ago(-1) },
		"a customer's ticket":   func(c *desk.Chronicle) { c.Deeds[1].Verb, c.Deeds[1].Agent = ticket.VerbAssign, d.other },
	} {
		t.Run(name, func(t *testing.T) {
			good := d.chronicle(2)
			bad := d.chronicle(2, desk.Deed{By: d.agent, At: ago(1), Verb: ticket.VerbNote, Body: "A note."})
			spoil(&bad)
			_, err := d.Import(t.Context(), []desk.Chronicle{good, bad})
			wantKind(t, err, fault.Invalid)
			if n := one[int64](d, `SELECT count(*) FROM tickets`); n != 0 {
				t.Errorf("%d tickets were imported all the same", n)
			}
		})
	}
	stranger := d.chronicle(2)
	stranger.Deeds[0].By.ID = ticket.NewPersonID()
	if _, err := d.Import(t.Context(), []desk.Chronicle{stranger}); err == nil {
		t.Error("a stranger's ticket was imported")
	}
}
