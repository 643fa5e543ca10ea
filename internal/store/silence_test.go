package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// waitingTicket returns a ticket that waits for its requester, whose question is mail 2.
func (d *fixture) waitingTicket() ticket.Number {
	d.t.Helper()
	n := d.taken(d.customer)
	got := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbRequestInformation, Body: "Which one?"})
	if len(got.Owed) != 2 || got.Owed[0].Asks || !got.Owed[1].Asks || got.Owed[1].N != 2 {
		d.t.Fatalf("owed %+v", got.Owed)
	}
	return n
}

// sent records that the mail server accepted a mail at an instant.
func (d *fixture) sent(n ticket.Number, mail int, at time.Time) {
	d.t.Helper()
	if err := d.Sent(d.t.Context(), n, mail); err != nil {
		d.t.Fatal(err)
	}
	d.sql(`UPDATE deliveries SET settled_at = $3 WHERE ticket = $1 AND n = $2`, n, mail, at)
}

func (d *fixture) bounced(n ticket.Number, mail int) {
	d.t.Helper()
	if err := d.Bounced(d.t.Context(), n, mail, "550 no such user"); err != nil {
		d.t.Fatal(err)
	}
}

func TestSilence_countsFromTheServersYes(t *testing.T) {
	d := openUnder(t, quick)
	n := d.waitingTicket()
	waits := d.step(ticket.StepRequest{Number: n, CatchUp: true})
	if s := waits.State; !s.Ticket.AwaitsDelivery() || s.Next.Kind != "" || !waits.Digest.AwaitsDelivery {
		t.Fatalf("while the question is owed: %+v", s)
	}
	yes := time.Now().Add(time.Second).UTC().Truncate(time.Second)
	d.sent(n, 2, yes)
	time.Sleep(time.Until(yes)) // a step in the same second would come before it
	for range 2 {
		s := d.step(ticket.StepRequest{Number: n, Delivered: 2}).State
		if !s.Ticket.SilentSince.Equal(yes) || s.Next.Kind != ticket.DueNudge || !s.Next.Due.Equal(yes.Add(time.Hour)) {
			t.Errorf("silence since %s, want %s, and next is %+v", s.Ticket.SilentSince, yes, s.Next)
		}
	}
	want := []ticket.EventKind{ticket.EventSubmitted, ticket.EventAssigned, ticket.EventInformationRequested, ticket.EventQuestionDelivered}
	if got := d.kinds(n); !slices.Equal(got, want) {
		t.Errorf("timeline %v, want %v", got, want)
	}
	seen, err := d.tickets.Timeline(t.Context(), d.customer, n)
	if err != nil || len(seen) != 3 {
		t.Errorf("the customer sees %+v, %v", seen, err)
	}
	d.consistent(n)
}

// TestSilence_newsThatWereLostAreMadeUpFor by the next step, whatever caused it.
func TestSilence_newsThatWereLostAreMadeUpFor(t *testing.T) {
	d := openUnder(t, quick)
	for name, spoil := range map[string]func(ticket.Number){
		"sent": func(n ticket.Number) { d.sent(n, 2, time.Now()) },
		"gone": func(n ticket.Number) { d.sql(`DELETE FROM deliveries WHERE ticket = $1 AND n = 2`, n) },
	} {
		n := d.waitingTicket()
		spoil(n)
		if s := d.step(ticket.StepRequest{Number: n, CatchUp: true}).State; s.Ticket.AwaitsDelivery() || s.Next.Kind != ticket.DueNudge {
			t.Errorf("%s: %+v", name, s)
		}
	}
	n := d.waitingTicket()
	d.bounced(n, 2)
	if s := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Hm."}).State; s.Ticket.Status != ticket.StatusOpen {
		t.Errorf("after a bounce of which no news came: %+v", s)
	}
	d.step(ticket.StepRequest{Number: n, Bounced: 2}) // the lost signal arrives after all
	want := []ticket.EventKind{
		ticket.EventSubmitted, ticket.EventAssigned, ticket.EventInformationRequested, ticket.EventNoted,
		ticket.EventMailBounced, ticket.EventHandedBack,
	}
	if got := d.kinds(n); !slices.Equal(got, want) {
		t.Errorf("timeline %v, want %v", got, want)
	}
	d.consistent(n)
}

func TestSilence_aBounceHandsTheTicketBack(t *testing.T) {
	d := openUnder(t, quick)
	n := d.waitingTicket()
	d.bounced(n, 2)
	got := d.step(ticket.StepRequest{Number: n, Bounced: 2, LastDelivery: 2})
	if s := got.State.Ticket; s.Status != ticket.StatusOpen || !s.Resolution.Clock.Running() || s.BeforeBounce.Status != ticket.StatusWaiting {
		t.Errorf("handed back: %+v", s)
	}
	if len(got.Owed) != 1 || got.Owed[0].Kind != ticket.MailUndelivered || got.Owed[0].To != d.agent.ID {
		t.Errorf("owed %+v", got.Owed)
	}
	lines := d.timeline(n)
	if b := lines[len(lines)-2].Bounce; b == nil || b.Kind != ticket.MailInformationRequest || lines[len(lines)-1].Bounce != nil {
		t.Errorf("timeline %+v", lines)
	}
	seen, err := d.tickets.Timeline(t.Context(), d.customer, n)
	if err != nil || seen[len(seen)-1].Kind != ticket.EventHandedBack || slices.ContainsFunc(seen, func(e desk.Entry) bool { return e.Bounce != nil }) {
		t.Errorf("the customer sees %+v, %v", seen, err)
	}
	d.consistent(n)
}

// TestSilence_whatWasAcceptedBeforeTheBounceComesFirst, in whatever order the workflow learns of the two.
func TestSilence_whatWasAcceptedBeforeTheBounceComesFirst(t *testing.T) {
	d := openUnder(t, quick)
	n := d.waitingTicket()
	d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "The red one."})
	d.bounced(n, 2)
	d.step(ticket.StepRequest{Number: n, Bounced: 2})
	if got := d.kinds(n); slices.Contains(got, ticket.EventHandedBack) || got[len(got)-1] != ticket.EventMailBounced {
		t.Errorf("timeline %v", got)
	}
	d.consistent(n)
}

func TestSilence_ofADisabledRequesterCountsFromTheEvent(t *testing.T) {
	d := openUnder(t, quick)
	n := d.taken(d.customer)
	d.sql(`UPDATE people SET disabled_at = now() WHERE id = $1`, d.customer.ID)
	s := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbRequestInformation, Body: "Which one?"}).State
	if s.LastDelivery != 1 || s.Ticket.AwaitsDelivery() || s.Next.Kind != ticket.DueNudge {
		t.Errorf("%+v", s)
	}
	d.consistent(n)
}

func TestResend_asksAgainAtACorrectedAddress(t *testing.T) {
	d := openUnder(t, quick)
	n := d.waitingTicket()
	d.bounced(n, 2)
	d.step(ticket.StepRequest{Number: n, Bounced: 2, LastDelivery: 2})
	got := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: 2, Address: "right@example.com"})
	if s := got.State.Ticket; s.Status != ticket.StatusWaiting || !s.AwaitsDelivery() || s.Resolution.Clock.Running() {
		t.Errorf("sent again: %+v", s)
	}
	again := d.mailData(n, 4)
	if again.Kind != ticket.MailInformationRequest || again.To.Address != "right@example.com" || again.Body != "Which one?" ||
		again.Author != d.agent.Name || again.Silence != 3*time.Hour || again.Status != ticket.StatusWaiting {
		t.Errorf("the mail is %+v", again)
	}
	if l, _, err := d.mails.LoadMail(t.Context(), n, 2); err != nil || l.To.Address != d.customer.Address {
		t.Errorf("the first mail went to %s, %v", l.To.Address, err)
	}
	refused := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: 2})
	if o := d.outcome(n, refused.State.Command); o.Code != ticket.CodeResent {
		t.Errorf("sent a third time: %+v", o)
	}
	d.sent(n, 4, time.Now())
	if s := d.step(ticket.StepRequest{Number: n, Delivered: 4}).State; s.Next.Kind != ticket.DueNudge {
		t.Errorf("delivered: %+v", s)
	}
	history, err := d.workspace.History(t.Context(), d.agent, n)
	if m := history.Mails; err != nil || m[3].Resends != 2 || m[3].Address != "right@example.com" || !m[1].Resent || m[3].Resent {
		t.Errorf("mails %+v, %v", m, err)
	}
	d.consistent(n)
}

// TestResend_ofAMailThatBouncedAgain sends the text of the first, whichever mail is resent.
func TestResend_ofAMailThatBouncedAgain(t *testing.T) {
	d := openUnder(t, quick)
	n := d.waitingTicket()
	mail := 2
	for next := 4; next < 10; next += 2 { // each bounce adds one to the agent
		d.bounced(n, mail)
		d.step(ticket.StepRequest{Number: n, Bounced: mail})
		if mail != 2 { // only the newest asks the question that the ticket waits for
			old := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: 2})
			d.step(ticket.StepRequest{Number: n, Command: old.Seq})
			if o := d.outcome(n, old.Seq); o.Code != ticket.CodeResent {
				t.Errorf("the first mail, sent again after the one that it was sent again as: %+v", o)
			}
		}
		d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: mail})
		if l := d.mailData(n, next); l.Body != "Which one?" || l.To.Address != d.customer.Address {
			t.Errorf("mail %d is %+v", next, l)
		}
		mail = next
	}
	d.consistent(n)
}

// TestResend_ofAQuestionThatIsAnswered asks nothing and announces no closure.
func TestResend_ofAQuestionThatIsAnswered(t *testing.T) {
	d := openUnder(t, quick)
	n := d.waitingTicket()
	d.bounced(n, 2)
	d.step(ticket.StepRequest{Number: n, Bounced: 2})
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "The red one."})
	got := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: 2})
	last := got.Owed[len(got.Owed)-1]
	if l := d.mailData(n, last.N); last.Asks || l.Silence != 0 || l.Body != "Which one?" || got.State.Ticket.Status != ticket.StatusOpen {
		t.Errorf("owed %+v, and it says %+v", last, l)
	}
	d.consistent(n)
}

func TestResend_ofAClosedTicket(t *testing.T) {
	d := openUnder(t, quick)
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	d.bounced(n, 2)
	d.step(ticket.StepRequest{Number: n, Bounced: 2})
	if _, err := d.Command(t.Context(), d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Hm."}); err == nil {
		t.Error("a closed ticket takes a note")
	}
	got := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: 2, Address: "right@example.com"})
	if last := got.Owed[len(got.Owed)-1]; last.N != 3 || last.Kind != ticket.MailClosure || last.Asks || got.State.Ticket.Status != ticket.StatusClosed {
		t.Errorf("owed %+v, and the ticket is %s", got.Owed, got.State.Ticket.Status)
	}
	d.consistent(n)
}

func TestResend_refusesWhatCanNotBeSentAgain(t *testing.T) {
	d := openUnder(t, quick)
	n := d.taken(d.customer)
	d.do(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.agent.Handle}) // mail 3 goes to the agent
	d.bounced(n, 3)
	resend := func(by desk.Person, number ticket.Number, mail int, address string) error {
		_, err := d.Command(t.Context(), by, desk.Request{Number: number, Verb: ticket.VerbResend, Mail: mail, Address: address})
		return err
	}
	wantKind(t, resend(d.customer, n, 1, ""), fault.Forbidden)
	wantKind(t, resend(d.agent, n, 9, ""), fault.NotFound)
	wantKind(t, resend(d.agent, "HM-0000000000", 1, ""), fault.NotFound)
	wantKind(t, resend(d.agent, n, 3, "elsewhere@example.com"), fault.Invalid)
	for _, address := range []string{"nowhere", "a@b@example.com", "x <y@example.com>", "\"a@b\"@example.com"} {
		wantKind(t, resend(d.agent, n, 1, address), fault.Invalid)
	}
	owed := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: 1})
	if o := d.outcome(n, owed.State.Command); o.Code != ticket.CodeNotBounced {
		t.Errorf("of a mail that is owed: %+v", o)
	}
	own := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: 3})
	if o := d.outcome(n, own.State.Command); o.Refused || own.Owed[len(own.Owed)-1].To != d.agent.ID {
		t.Errorf("of staff's own: %+v, owed %+v", o, own.Owed)
	}
	d.consistent(n)
}

// TestResend_askedForTwiceAtOnceSendsOne, also when one step decides both.
func TestResend_askedForTwiceAtOnceSendsOne(t *testing.T) {
	d := openUnder(t, quick)
	n := d.taken(d.customer)
	d.bounced(n, 1)
	first := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: 1})
	second := d.ask(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: 1})
	d.step(ticket.StepRequest{Number: n, Command: second.Seq})
	if a, b := d.outcome(n, first.Seq), d.outcome(n, second.Seq); a.Refused || b.Code != ticket.CodeResent {
		t.Errorf("decided %+v and %+v", a, b)
	}
	d.consistent(n)
}
