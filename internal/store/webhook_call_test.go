package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// escalatingPolicy has a first response target of an hour and several escalation steps.
const escalatingPolicy = `
name: Escalation
time_zone: UTC
clocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 100h, counts: calendar}}
escalation:
  - {after: 0s, tell: [assignee, {webhook: ops}, {webhook: watch}]}
  - {after: 1h, priorities: [normal], tell: [{person: ANNA-agent}, {person: nobody-here}]}
  - {after: 2h, tell: [administrators, {webhook: ops}]}
`

// broken returns a ticket of a day ago without a first response, after its first step.
func (d *fixture) broken() (ticket.Number, time.Time) {
	d.t.Helper()
	a := d.submit(d.customer)
	start := a.At.Add(-24 * time.Hour)
	d.redate(a, start)
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	return a.Number, start
}

// deliveriesAfter runs due events and returns the deliveries numbered above a number, as "n kind to recipient".
func (d *fixture) deliveriesAfter(n ticket.Number, due time.Time, known int) (all []string) {
	d.t.Helper()
	for _, o := range d.step(ticket.StepRequest{Number: n, Due: due, LastDelivery: known}).Owed {
		all = append(all, fmt.Sprintf("%d %s to %s%s", o.N, o.Kind, o.To, o.Webhook))
	}
	return all
}

func TestStep_addsEveryWebhookCallOfAnEscalationStep(t *testing.T) {
	d := openUnder(t, escalatingPolicy)
	n, start := d.broken()
	want := []string{fmt.Sprintf("2 escalation to %s", d.supervisor.ID), "3 webhook to ops", "4 webhook to watch"}
	for range 2 { // a repeated step adds no delivery
		if got := d.deliveriesAfter(n, start.Add(time.Hour), 1); !slices.Equal(got, want) {
			t.Errorf("owed %v, want %v", got, want)
		}
	}
	d.consistent(n)
	d.checkCalls(n)
	c, err := d.Call(t.Context(), n, 3)
	if err != nil {
		t.Fatal(err)
	}
	if c.Number != n || c.Webhook != "ops" || c.EscalationStep != 1 || c.Clock != "first_response" || c.Priority != "normal" || c.Status != desk.DeliveryOwed ||
		!c.Breached.Equal(start.Add(time.Hour)) || !c.Due.Equal(start.Add(time.Hour)) || time.Since(c.Fired) > time.Minute {
		t.Errorf("the call is %+v", c)
	}
	if got := d.deliveriesAfter(n, start.Add(3*time.Hour), 4); len(got) != 3 || got[2] != "7 webhook to ops" {
		t.Errorf("the next steps owe %v", got)
	}
	d.consistent(n)
	d.checkCalls(n)
}

// checkCalls compares the webhook calls with the escalation steps on the timeline.
func (d *fixture) checkCalls(n ticket.Number) {
	d.t.Helper()
	h, err := d.workspace.History(d.t.Context(), d.supervisor, n)
	if err != nil {
		d.t.Fatal(err)
	}
	record, err := d.Track(d.t.Context(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	p, err := d.Policy(d.t.Context(), record.Policy)
	if err != nil {
		d.t.Fatal(err)
	}
	var want, got []string
	for _, e := range d.timeline(n) {
		if e.Kind == ticket.EventEscalated {
			for _, name := range p.Escalation[e.EscalationStep-1].Webhooks {
				want = append(want, fmt.Sprint(e.N, name))
			}
		}
	}
	for _, c := range h.Calls {
		got = append(got, fmt.Sprint(c.Event, c.Webhook))
	}
	if !slices.Equal(got, want) {
		d.t.Errorf("the calls are %v, the timeline owes %v", got, want)
	}
}

func TestCall_isSettledOnce(t *testing.T) {
	d := openUnder(t, escalatingPolicy)
	n, start := d.broken()
	d.deliveriesAfter(n, start.Add(time.Hour), 1)
	ctx := t.Context()
	first, err := d.CallPutOff(ctx, n, 3, "HTTP 503")
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.CallPutOff(ctx, n, 3, "timed out")
	if err != nil || !again.Equal(first) {
		t.Errorf("deferred first at %s, then %s: %v", first, again, err)
	}
	if c, _ := d.Call(ctx, n, 3); c.Tries != 2 || c.Reason != "timed out" || c.Status != desk.DeliveryOwed {
		t.Errorf("deferred, the call is %+v", c)
	}
	for _, settle := range []func() error{
		func() error { return d.CallMade(ctx, n, 3) },
		func() error { return d.CallMade(ctx, n, 3) },
		func() error { return d.CallFailed(ctx, n, 3, "HTTP 404") },
	} {
		if err := settle(); err != nil {
			t.Error(err)
		}
	}
	if c, _ := d.Call(ctx, n, 3); c.Status != desk.DeliverySent || c.Settled.IsZero() || c.Reason != "timed out" {
		t.Errorf("made, the call is %+v", c)
	}
	if err := d.CallFailed(ctx, n, 4, "HTTP 404"); err != nil {
		t.Fatal(err)
	}
	if got := d.deliveriesAfter(n, start.Add(time.Hour), 1); len(got) != 2 || !strings.HasPrefix(got[1], "4 ") { // its failure is to be recorded
		t.Errorf("still owed: %v", got)
	}
	d.step(ticket.StepRequest{Number: n, Bounced: 4})
	if got := d.deliveriesAfter(n, start.Add(time.Hour), 1); len(got) != 1 {
		t.Errorf("still owed: %v", got)
	}
	for _, err := range []error{d.CallMade(ctx, n, 99), d.CallFailed(ctx, n, 2, "no call, a mail"), d.CallMade(ctx, "HM-0000000000", 3)} {
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("settled what is not there: %v", err)
		}
	}
}

func TestStep_recordsAFailedWebhookOnce(t *testing.T) {
	d := openUnder(t, escalatingPolicy)
	n, start := d.broken()
	d.deliveriesAfter(n, start.Add(time.Hour), 1)
	if err := d.CallFailed(t.Context(), n, 4, "HTTP 410"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		d.step(ticket.StepRequest{Number: n, Bounced: 4})
	}
	var failed []desk.Entry
	for _, e := range d.timeline(n) {
		if e.Kind == ticket.EventWebhookFailed {
			failed = append(failed, e)
		}
	}
	if len(failed) != 1 || failed[0].Webhook != "watch" || failed[0].Mail != 4 {
		t.Errorf("the timeline shows %+v", failed)
	}
	if at := one[int](d, `SELECT failure_event FROM deliveries WHERE queue = 'webhook' AND ticket = $1 AND n = 4`, n); at != len(d.timeline(n)) {
		t.Errorf("the call is recorded as failed in event %d", at)
	}
	d.consistent(n)
}

func TestImport_settlesCallsWithTheMails(t *testing.T) {
	d := openUnder(t, escalatingPolicy)
	c := d.past(1)
	d.imports(c)
	d.consistent(c.Number)
	d.checkCalls(c.Number)
	if unsent := one[int64](d, `SELECT count(*) FROM deliveries WHERE queue = 'webhook' AND status <> 'sent'`); unsent != 0 {
		t.Errorf("%d calls of the past are still owed", unsent)
	}
}

// written returns the recipients of a ticket's escalations, as "step to recipient instead of recipient".
func (d *fixture) written(n ticket.Number) []string {
	d.t.Helper()
	rows, err := d.beside.Query(d.t.Context(), `
		SELECT concat_ws(' ', 'step', escalation_step, 'to', p.name, CASE WHEN stands_for IS NOT NULL THEN 'instead of ' || stands_for END)
		FROM deliveries m JOIN people p ON p.id = m.person WHERE m.ticket = $1 AND kind = 'escalation' ORDER BY escalation_step, p.name`, n)
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(lines(d.t, rows)), "\n")
}

func TestStep_notifiesPeopleByNameOrSupervisorsInstead(t *testing.T) {
	for name, c := range map[string]struct {
		arrange func(d *fixture)
		want    []string
	}{
		"someone and no one": {func(*fixture) {}, []string{
			"step 1 to Sue Supervisor", "step 2 to Anna Agent", "step 2 to Sue Supervisor instead of nobody-here", "step 3 to Ada Administrator",
		}},
		"someone who left": {func(d *fixture) { d.disable(d.agent) }, []string{
			"step 1 to Sue Supervisor", "step 2 to Sue Supervisor instead of ANNA-agent", "step 3 to Ada Administrator",
		}},
		"no supervisor": {func(d *fixture) { d.disable(d.supervisor) }, []string{
			"step 1 to Ada Administrator", "step 2 to Ada Administrator instead of nobody-here", "step 2 to Anna Agent", "step 3 to Ada Administrator",
		}},
		"no administrator": {func(d *fixture) { d.disable(d.administrator) }, []string{
			"step 1 to Sue Supervisor", "step 2 to Anna Agent", "step 2 to Sue Supervisor instead of nobody-here", "step 3 to Sue Supervisor",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := openUnder(t, escalatingPolicy)
			d.rename(d.agent, "anna-Agent")
			n, start := d.broken()
			c.arrange(d)
			d.step(ticket.StepRequest{Number: n, Due: start.Add(3 * time.Hour)})
			if got, want := d.written(n), c.want; !slices.Equal(got, want) {
				t.Errorf("notified\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			d.consistent(n)
		})
	}
}

func (d *fixture) rename(p desk.Person, handle string) {
	d.sql(`UPDATE people SET handle = $2 WHERE id = $1`, p.ID, handle)
}

// TestStep_aRecipientAnywayStandsInForNoOne: a supervisor who is notified as one is not notified again in place of a
// colleague who left.
func TestStep_aRecipientAnywayStandsInForNoOne(t *testing.T) {
	d := openUnder(t, strings.Replace(escalatingPolicy, "[assignee, {webhook: ops}, {webhook: watch}]", "[assignee, supervisors]", 1))
	a := d.submit(d.customer)
	start := a.At.Add(-24 * time.Hour)
	d.redate(a, start)
	as := d.ask(d.supervisor, desk.Request{Number: a.Number, Verb: ticket.VerbAssign, Agent: d.agent.Handle})
	d.redate(as, start)
	d.disable(d.agent)
	d.step(ticket.StepRequest{Number: a.Number, Command: as.Seq})
	d.step(ticket.StepRequest{Number: a.Number, Due: start.Add(time.Hour)})
	n := a.Number
	if got, want := d.written(n), []string{"step 1 to Sue Supervisor"}; !slices.Equal(got, want) {
		t.Errorf("notified %v, want %v", got, want)
	}
}

func TestMailData_saysInsteadOfWhomItCame(t *testing.T) {
	d := openUnder(t, escalatingPolicy)
	n := d.taken(d.customer)
	as := d.ask(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.agent.Handle})
	d.disable(d.agent)
	d.step(ticket.StepRequest{Number: n, Command: as.Seq})
	l, _, err := d.mails.LoadMail(t.Context(), n, 3)
	if err != nil || l.Kind != ticket.MailAssigned || l.To.Name != d.supervisor.Name || l.Instead != d.agent.Name {
		t.Errorf("the mail is %+v, %v", l, err)
	}
}
