package ticket_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// asleep is an open ticket that is snoozed at hour 2 until hour 50.
func asleep(t *testing.T, status ticket.Status) *fixture {
	t.Helper()
	f := inStatus(t, status)
	f.mustDecide(3, byAgent, ticket.Command{Verb: ticket.VerbSnooze, Until: at(50)})
	if got := f.ticket.SnoozedUntil; !got.Equal(at(50)) {
		t.Fatalf("it sleeps until %s", got)
	}
	return f
}

func (f *fixture) woke() bool { return f.ticket.SnoozedUntil.IsZero() }

func TestSnooze_endsAtItsInstantWithAnEventAndNoMail(t *testing.T) {
	f := asleep(t, ticket.StatusOpen)
	r, err := ticket.Advance(f.ticket, f.desk(), at(50).Add(-time.Second))
	if err != nil || r.Ticket.SnoozedUntil.IsZero() {
		t.Fatalf("it woke early: %v %v", kinds(r.Events), err)
	}
	r, err = ticket.Advance(f.ticket, f.desk(), at(50))
	if err != nil || !r.Ticket.SnoozedUntil.IsZero() {
		t.Fatalf("it sleeps on: %v %v", kinds(r.Events), err)
	}
	last := r.Events[len(r.Events)-1]
	if last.Kind != ticket.EventWoke || !last.At.Equal(at(50)) {
		t.Errorf("the last event is %s at %s", last.Kind, last.At)
	}
	for _, m := range r.Mails {
		if m.Event == last.N {
			t.Errorf("waking owes the mail %+v", m)
		}
	}
}

func TestSnooze_movesNoPromise(t *testing.T) {
	was := inStatus(t, ticket.StatusOpen)
	f := asleep(t, ticket.StatusOpen)
	for _, pair := range [][2]ticket.Promise{{was.ticket.FirstResponse, f.ticket.FirstResponse}, {was.ticket.Resolution, f.ticket.Resolution}} {
		before, _ := pair[0].Due()
		after, runs := pair[1].Due()
		if !runs || !before.Equal(after) {
			t.Errorf("due %s became %s, runs %v", before, after, runs)
		}
	}
}

func TestSnooze_isEndedByTheRequesterAndByAnotherStatusOnly(t *testing.T) {
	for name, c := range map[string]struct {
		status ticket.Status
		by     ticket.Actor
		c      ticket.Command
		wakes  bool
	}{
		"the requester's reply": {ticket.StatusOpen, byCustomer, ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9}, true},
		"their reply, waiting":  {ticket.StatusWaiting, byCustomer, ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9}, true},
		"a resolution":          {ticket.StatusOpen, byAgent, ticket.Command{Verb: ticket.VerbResolve, Message: 9}, true},
		"reopened":              {ticket.StatusWaiting, byAgent, ticket.Command{Verb: ticket.VerbReopen}, true},
		"by hand":               {ticket.StatusOpen, byOperator, ticket.Command{Verb: ticket.VerbWake}, true},
		"closed":                {ticket.StatusOpen, byAgent, ticket.Command{Verb: ticket.VerbClose}, true},
		"an agent's reply":      {ticket.StatusOpen, byAgent, ticket.Command{Verb: ticket.VerbAgentReply, Message: 9}, false},
		"a question":            {ticket.StatusOpen, byAgent, ticket.Command{Verb: ticket.VerbRequestInformation, Message: 9}, false},
		"a note":                {ticket.StatusOpen, byAgent, ticket.Command{Verb: ticket.VerbNote, Message: 9}, false},
		"an assignment":         {ticket.StatusOpen, byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne, Handle: "one"}, false},
		"taken when new":        {ticket.StatusNew, byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne, Handle: "one"}, false},
		"a priority":            {ticket.StatusOpen, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: "high"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := asleep(t, c.status)
			r := f.mustDecide(4, c.by, c.c)
			if f.woke() != c.wakes {
				t.Errorf("after %v it sleeps until %v", kinds(r.Events), f.ticket.SnoozedUntil)
			}
			last := r.Events[len(r.Events)-1].Kind
			if woke := last == ticket.EventWoke; woke != (c.wakes && !f.ticket.Closed()) {
				t.Errorf("the events are %v", kinds(r.Events))
			}
		})
	}
}

func TestSnooze_isEndedByAResolutionSentAgain(t *testing.T) {
	for verb, wakes := range map[ticket.Verb]bool{ticket.VerbResolve: true, ticket.VerbRequestInformation: false} {
		f := submittedWithMail(t)
		f.write(10, byAgent, verb)
		asked := f.ticket.Asked
		f.bounce(20, asked)
		f.mustDecide(21, byAgent, ticket.Command{Verb: ticket.VerbSnooze, Until: at(50)})
		r := f.mustDecide(22, byAgent, ticket.Command{Verb: ticket.VerbResend, Resend: &ticket.BouncedMail{
			Mail: 7, Kind: ticket.MailResolution, Person: customer, Event: asked, Bounced: true,
		}})
		if f.woke() != wakes {
			t.Errorf("the email of %s sent again: %v, and it sleeps until %s", verb, kinds(r.Events), f.ticket.SnoozedUntil)
		}
	}
}

func TestSnooze_againMovesIt(t *testing.T) {
	f := asleep(t, ticket.StatusOpen)
	f.mustDecide(4, byOtherAgent, ticket.Command{Verb: ticket.VerbSnooze, Until: at(9)})
	if m, ok := ticket.Next(f.ticket, f.desk().Policy); !ok || m.Due.After(at(9)) || !f.ticket.SnoozedUntil.Equal(at(9)) {
		t.Errorf("it sleeps until %s, and next is %+v", f.ticket.SnoozedUntil, m)
	}
}

func TestSnooze_isRefusedOutsideItsLimits(t *testing.T) {
	f := asleep(t, ticket.StatusOpen)
	now := at(4)
	for name, c := range map[string]struct {
		until time.Time
		code  string
	}{
		"never":          {time.Time{}, ticket.CodeMalformed},
		"now":            {now, ticket.CodeMalformed},
		"in the past":    {now.Add(-time.Hour), ticket.CodeMalformed},
		"over a year":    {now.Add(366*24*time.Hour + time.Second), ticket.CodeMalformed},
		"as it is":       {at(50), ticket.CodeNothing},
		"a year":         {now.Add(366 * 24 * time.Hour), ""},
		"a second ahead": {now.Add(time.Second), ""},
	} {
		r, err := ticket.Decide(f.ticket, f.desk(), ticket.Command{Seq: 99, Verb: ticket.VerbSnooze, By: byAgent, At: now, Until: c.until})
		if err != nil || r.Outcome.Code != c.code {
			t.Errorf("%s: %+v %v", name, r.Outcome, err)
		}
	}
}
