package store_test

import (
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestStep_takesTheSubmission(t *testing.T) {
	d := open(t)
	a := d.submit(d.customer)
	got := d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	if got.State.Ticket.Status != ticket.StatusNew || got.State.Command != 1 || got.LastCommand != 1 {
		t.Errorf("got %+v", got)
	}
	if want := []ticket.Owed{{N: 1, To: d.customer.ID, Kind: ticket.MailReceipt}}; !reflect.DeepEqual(got.Owed, want) {
		t.Errorf("owed %v, want %v", got.Owed, want)
	}
	if got.State.Next.Kind == "" || got.State.Ticket.Submitted != a.At {
		t.Errorf("next %v, submitted %s, accepted %s", got.State.Next, got.State.Ticket.Submitted, a.At)
	}
	d.consistent(a.Number)
}

func TestStep_repeatedChangesNothingAndAnswersTheSame(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	a := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "On its way."})
	requests := []ticket.StepRequest{
		{Number: n, Command: 1}, {Number: n, Command: a.Seq},
		{Number: n, Manual: []ticket.ManualCommand{{Key: "run/1", Verb: ticket.VerbResolve}}},
	}
	for _, r := range requests {
		d.step(r)
	}
	first := d.step(requests[2])
	for _, r := range requests {
		again := d.step(r)
		if len(r.Manual) == 0 {
			again.Manual = first.Manual // which only a step that is asked for them returns
		}
		if !reflect.DeepEqual(again, first) {
			t.Errorf("step %+v gave\n%+v, want\n%+v", r, again, first)
		}
	}
	want := []ticket.EventKind{ticket.EventSubmitted, ticket.EventAssigned, ticket.EventAgentReplied, ticket.EventResolved}
	if got := d.kinds(n); !slices.Equal(got, want) {
		t.Errorf("timeline %v, want %v", got, want)
	}
	d.consistent(n)
}

func TestStep_takesWhatIsMissing(t *testing.T) {
	d := open(t)
	a := d.submit(d.customer)
	d.ask(d.agent, desk.Request{Number: a.Number, Verb: ticket.VerbAssign})
	last := d.ask(d.second, desk.Request{Number: a.Number, Verb: ticket.VerbAgentReply, Body: "Hello."})
	got := d.step(ticket.StepRequest{Number: a.Number, Command: last.Seq})
	if got.State.Command != 3 || got.State.Ticket.Assignee != d.agent.ID || got.State.Ticket.Handle != d.agent.Handle {
		t.Errorf("got %+v", got.State)
	}
	d.consistent(a.Number)
}

func TestStep_numberNeverGivenOutTakesWhatThereIs(t *testing.T) {
	d := open(t)
	a := d.submit(d.customer)
	d.ask(d.agent, desk.Request{Number: a.Number, Verb: ticket.VerbAssign})
	if got := d.step(ticket.StepRequest{Number: a.Number, Command: 1 << 40}); got.State.Command != 2 || got.LastCommand != 2 {
		t.Errorf("taken %d, pending %d, want 2 and 2", got.State.Command, got.LastCommand)
	}
	d.consistent(a.Number)
}

func TestStep_twoAtOnceTakeACommandOnce(t *testing.T) {
	d := open(t)
	a := d.submit(d.customer)
	var both sync.WaitGroup
	results := make([]ticket.StepResult, 8)
	for i := range results {
		both.Go(func() { results[i], _ = d.Step(t.Context(), ticket.StepRequest{Number: a.Number, Command: 1}) })
	}
	both.Wait()
	var outcomes []string
	for i := range results {
		outcomes = append(outcomes, results[i].Outcomes...) // only the one that decided it has them
		results[i].Outcomes = nil
		if r := results[i]; !reflect.DeepEqual(r, results[0]) || r.Digest.Command != 1 {
			t.Errorf("got %+v and %+v", r, results[0])
		}
	}
	if !slices.Equal(outcomes, []string{"submit: done"}) {
		t.Errorf("outcomes %q", outcomes)
	}
	d.consistent(a.Number)
}

func TestStep_refusesWhatMeansNothing(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	for _, r := range []ticket.StepRequest{
		{Number: n}, {Number: n, Command: -1}, {Number: n, Command: 1, Bounced: 1},
		{Number: n, Manual: []ticket.ManualCommand{{Verb: ticket.VerbClose}}}, {Number: n, Manual: []ticket.ManualCommand{{Key: "k", Verb: "sing"}}},
	} {
		if _, err := d.Step(t.Context(), r); fault.KindOf(err) != fault.Invalid {
			t.Errorf("step %+v: got %v, want a fault of kind %s", r, err, fault.Invalid)
		}
	}
	_, err := d.Step(t.Context(), ticket.StepRequest{Number: "HM-0000000000", Command: 1})
	wantKind(t, err, fault.NotFound)
	d.consistent(n)
}

func TestStep_replyBeforeTheDeadlineMeetsTheTarget(t *testing.T) {
	for name, reply := range map[string]struct {
		offset  time.Duration // from the deadline to the reply's acceptance
		breach  bool
		pending bool // the due event waits for the reply
	}{
		"a second before": {-time.Second, false, true},
		"at it":           {0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := openUnder(t, quick)
			a := d.submit(d.customer)
			d.redate(a, a.At.Add(-24*time.Hour))
			state := d.step(ticket.StepRequest{Number: a.Number, Command: 1}).State
			state = d.step(ticket.StepRequest{Number: a.Number, Due: state.Next.Due}).State // the reminder
			due, _ := state.Ticket.FirstResponse.Clock.Due()
			if state.Next.Kind != ticket.DueBreach || state.Next.Due != due {
				t.Fatalf("next %+v, want the breach at %s", state.Next, due)
			}
			r := d.ask(d.agent, desk.Request{Number: a.Number, Verb: ticket.VerbAgentReply, Body: "Here."})
			d.redate(r, due.Add(reply.offset))
			fired := d.step(ticket.StepRequest{Number: a.Number, Due: due})
			if waits := fired.State.Ticket.Events == state.Ticket.Events; waits != reply.pending || fired.LastCommand != r.Seq {
				t.Errorf("the due event waited: %v, want %v; pending %d", waits, reply.pending, fired.LastCommand)
			}
			after := d.step(ticket.StepRequest{Number: a.Number, Command: r.Seq}).State.Ticket
			if broken := !after.FirstResponse.BreachedAt.IsZero(); broken != reply.breach || after.FirstResponse.MetAt.IsZero() {
				t.Errorf("broken: %v, want %v; met at %s", broken, reply.breach, after.FirstResponse.MetAt)
			}
			d.consistent(a.Number)
		})
	}
}

func TestStep_dueEventAheadFiresNothing(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	before := d.step(ticket.StepRequest{Number: n, Command: 1})
	got := d.step(ticket.StepRequest{Number: n, Due: before.State.Next.Due})
	if !reflect.DeepEqual(got, before) {
		t.Errorf("got %+v, want %+v", got, before)
	}
}

func TestStep_escalationNotifiesEachPersonOnce(t *testing.T) {
	d := openUnder(t, quick)
	third := d.add(ticket.RoleSupervisor, "Former Supervisor", "former@desk.example")
	if err := d.DisablePerson(t.Context(), third.ID); err != nil {
		t.Fatal(err)
	}
	a := d.submit(d.customer)
	d.redate(a, a.At.Add(-24*time.Hour))
	as := d.ask(d.supervisor, desk.Request{Number: a.Number, Verb: ticket.VerbAssign})
	d.redate(as, a.At.Add(-24*time.Hour))
	d.step(ticket.StepRequest{Number: a.Number, Command: 2})
	got := d.step(ticket.StepRequest{Number: a.Number, LastDelivery: 2, Due: a.At})
	notified := map[ticket.PersonID]int{}
	for _, o := range got.Owed {
		if o.Kind == ticket.MailEscalation {
			notified[o.To]++
		}
	}
	// Both clocks have two escalation steps: assignee and supervisors, who are one; then supervisors and administrators.
	want := map[ticket.PersonID]int{d.supervisor.ID: 4, d.administrator.ID: 2}
	if !reflect.DeepEqual(notified, want) {
		t.Errorf("notified %v, want %v", notified, want)
	}
	d.do(d.supervisor, desk.Request{Number: a.Number, Verb: ticket.VerbAcknowledge, Body: "I see to it."})
	lines := d.timeline(a.Number)
	if last := lines[len(lines)-1]; last.Kind != ticket.EventAcknowledged || last.Body != "I see to it." {
		t.Errorf("acknowledged as %+v", last)
	}
	if !one[bool](d, `SELECT internal FROM messages WHERE body = 'I see to it.'`) {
		t.Error("the reason is not for staff alone")
	}
	d.consistent(a.Number)
}

func TestStep_bouncedMailIsRecordedOnce(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Hello."})
	if err := d.Sent(t.Context(), n, 2); err != nil {
		t.Fatal(err)
	}
	d.step(ticket.StepRequest{Number: n, Bounced: 2}) // it was sent: nothing to record
	if err := d.Bounced(t.Context(), n, 1, "550 no such user"); err != nil {
		t.Fatal(err)
	}
	// Until a step has recorded the bounce, each returns the mail.
	if got := d.step(ticket.StepRequest{Number: n, CatchUp: true}); len(got.Owed) != 1 || got.Owed[0].N != 1 {
		t.Errorf("a step before that owes %v", got.Owed)
	}
	for range 2 {
		if got := d.step(ticket.StepRequest{Number: n, Bounced: 1}); len(got.Owed) != 0 {
			t.Errorf("owed %v", got.Owed)
		}
	}
	want := []ticket.EventKind{ticket.EventSubmitted, ticket.EventAssigned, ticket.EventAgentReplied, ticket.EventMailBounced}
	if got := d.kinds(n); !slices.Equal(got, want) {
		t.Errorf("timeline %v, want %v", got, want)
	}
	for i, e := range d.timeline(n) {
		switch to := (desk.Ref{ID: d.customer.ID, Name: d.customer.Name, Role: ticket.RoleCustomer}); {
		case i < 3 && e.Bounce != nil:
			t.Errorf("a bounce on %s: %+v", e.Kind, e.Bounce)
		case i == 3 && (e.Bounce == nil || *e.Bounce != desk.Bounce{Kind: ticket.MailReceipt, To: to, Reason: "550 no such user"}):
			t.Errorf("staff read %+v of the bounce", e.Bounce)
		}
	}
	seen, err := d.tickets.Timeline(t.Context(), d.customer, n)
	if err != nil || slices.ContainsFunc(seen, func(e desk.Entry) bool { return e.Bounce != nil || e.Kind == ticket.EventMailBounced }) {
		t.Errorf("the customer sees %+v, %v", seen, err)
	}
	d.consistent(n)
}

func TestStep_mailGivenUpCountsAsBounced(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.step(ticket.StepRequest{Number: n, Bounced: 1})
	if _, status, err := d.mails.LoadMail(t.Context(), n, 1); status != desk.DeliveryBounced || err != nil {
		t.Errorf("the mail is %s, %v", status, err)
	}
	d.consistent(n)
}

func TestStep_byHand(t *testing.T) {
	d := open(t)
	for name, c := range map[string]struct {
		hand ticket.ManualCommand
		code string // empty: granted
	}{
		"assign by handle":     {ticket.ManualCommand{Verb: ticket.VerbAssign, Agent: d.second.Handle}, ""},
		"assign by ID":         {ticket.ManualCommand{Verb: ticket.VerbAssign, Agent: string(d.agent.ID)}, ""},
		"assign to a customer": {ticket.ManualCommand{Verb: ticket.VerbAssign, Agent: string(d.other.ID)}, ticket.CodeNoAgent},
		"assign to no one":     {ticket.ManualCommand{Verb: ticket.VerbAssign}, ticket.CodeNoAgent},
		"resolve":              {ticket.ManualCommand{Verb: ticket.VerbResolve}, ""},
		"words needed":         {ticket.ManualCommand{Verb: ticket.VerbNote}, ticket.CodeRole},
		"malformed":            {ticket.ManualCommand{Verb: ticket.VerbResolve, Malformed: true}, ticket.CodeMalformed},
		"unknown priority":     {ticket.ManualCommand{Verb: ticket.VerbReclassify, Priority: "huge"}, ticket.CodeMalformed},
		"unstorable category":  {ticket.ManualCommand{Verb: ticket.VerbReclassify, Category: "a\x00b"}, ticket.CodeMalformed},
		"raise the priority":   {ticket.ManualCommand{Verb: ticket.VerbReclassify, Priority: policy.PriorityHigh}, ""},
		"emergency":            {ticket.ManualCommand{Verb: ticket.VerbEmergencyExtend, Emergency: "E-1", Extension: time.Hour}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := *d
			d.t = t
			n := d.taken(d.customer)
			waiting := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Taken first."})
			c.hand.Key = "run/1"
			got := d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{c.hand}})
			if got.LastCommand != 3 || got.State.Command != 3 {
				t.Errorf("pending %d, taken %d, want 3 and 3", got.LastCommand, got.State.Command)
			}
			if o := d.outcome(n, 3); o.Code != c.code || o.Refused != (c.code != "") {
				t.Errorf("outcome %+v, want code %q", o, c.code)
			}
			again := d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{c.hand}})
			want := []ticket.ManualOutcome{{Key: c.hand.Key, Refused: c.code != "", Code: c.code}}
			if !slices.Equal(got.Manual, want) || !slices.Equal(again.Manual, want) {
				t.Errorf("the step says %+v, and %+v when it is asked again; want %+v", got.Manual, again.Manual, want)
			}
			if o := d.outcome(n, waiting.Seq); o.Refused {
				t.Errorf("the note was refused: %+v", o)
			}
			d.consistent(n)
		})
	}
}

// quick is a policy with both deadlines, both silences and two escalation steps within a day, at any time of it.
const quick = `
name: Quick
time_zone: UTC
hours: {monday: ["09:00-17:00"]}
clocks:
  first_response: {target: 1h, counts: calendar, remind_at: 50%}
  resolution: {target: 4h, counts: calendar, remind_at: 75%, pauses: [waiting, resolved]}
silence: {nudge_after: 1h, resolve_after: 3h, close_after: 2h}
escalation: [{after: 0s, tell: [assignee, supervisors], raise_priority: true}, {after: 2h, tell: [supervisors, administrators]}]
`
