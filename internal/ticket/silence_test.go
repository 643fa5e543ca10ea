package ticket_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestSilence_nudgesThenResolvesThenCloses(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(10, byAgent, ticket.VerbRequestInformation)
	f.advance(5000)
	wantEqual(t, "due events", automatic(f.events), []string{"nudged 34", "resolved 82", "closed 130"})
	wantEqual(t, "mails since the request", mailLines(f.mails)[2:], []string{
		"nudge to P-CUSTOMER", "resolution to P-CUSTOMER", "closure to P-CUSTOMER",
	})
	wantTime(t, "resolved", f.ticket.Resolution.MetAt, 82)
}

// Nothing else restarts it.
func TestSilence_restartsWithEveryPublicMessageOfTheDesk(t *testing.T) {
	assign := ticket.Command{Verb: ticket.VerbAssign, Assignee: agentTwo}
	raise := ticket.Command{Verb: ticket.VerbReclassify, Priority: "high"}
	said := func(verb ticket.Verb) ticket.Command { return ticket.Command{Verb: verb, Message: 9} }
	cases := map[string]struct {
		first   ticket.Verb
		by      ticket.Actor
		c       ticket.Command
		restart bool
	}{
		"waiting, another request": {ticket.VerbRequestInformation, byAgent, said(ticket.VerbRequestInformation), true},
		"waiting, a reply":         {ticket.VerbRequestInformation, byAgent, said(ticket.VerbAgentReply), true},
		"waiting, progress":        {ticket.VerbRequestInformation, byAgent, said(ticket.VerbProgressUpdate), true},
		"waiting, a note":          {ticket.VerbRequestInformation, byAgent, said(ticket.VerbNote), false},
		"waiting, an assignment":   {ticket.VerbRequestInformation, byAgent, assign, false},
		"waiting, another class":   {ticket.VerbRequestInformation, byAgent, raise, false},
		"waiting, an extension":    {ticket.VerbRequestInformation, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: 3600e9}, false},
		"waiting, a refusal":       {ticket.VerbRequestInformation, byStranger, said(ticket.VerbCustomerReply), false},
		"resolved, a reply":        {ticket.VerbResolve, byAgent, said(ticket.VerbAgentReply), true},
		"resolved, a note":         {ticket.VerbResolve, byAgent, said(ticket.VerbNote), false},
		"resolved, an assignment":  {ticket.VerbResolve, byAgent, assign, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := submitted(t, plainPolicy)
			f.write(10, byAgent, c.first)
			f.decide(40, c.by, c.c)
			from := 10.0
			if c.restart {
				from = 40
			}
			want := ticket.DueEvent{Kind: ticket.DueResolve, Due: at(from + 72)}
			switch {
			case c.first == ticket.VerbResolve:
				want = ticket.DueEvent{Kind: ticket.DueClose, Due: at(from + 48)}
			case c.restart:
				want = ticket.DueEvent{Kind: ticket.DueNudge, Due: at(from + 24)}
			}
			if m, ok := ticket.Next(f.ticket, f.policy); !ok || !m.Same(want) {
				t.Errorf("next is %+v, want %+v", m, want)
			}
		})
	}
}

func TestSilence_endsWithTheRequestersReply(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(10, byAgent, ticket.VerbRequestInformation)
	f.write(40, byCustomer, ticket.VerbCustomerReply)
	wantZero(t, "silence", f.ticket.SilentSince)
	f.wantDue(policy.Resolution, 230)
	f.write(50, byAgent, ticket.VerbRequestInformation)
	f.advance(74)
	wantEqual(t, "due events", automatic(f.events), []string{"nudged 34", "nudged 74"})
}

// But a reply to a resolved ticket reopens it.
func TestSilence_aReplyAtTheDeadlineIsTooLate(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(10, byAgent, ticket.VerbRequestInformation)
	r := f.write(82, byCustomer, ticket.VerbCustomerReply)
	wantEqual(t, "events", kinds(r.Events)[1:], []ticket.EventKind{
		ticket.EventResolved, ticket.EventCustomerReplied, ticket.EventReopened,
	})
	f = submitted(t, plainPolicy)
	f.write(10, byAgent, ticket.VerbResolve)
	r = f.decide(58, byCustomer, ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9})
	if r.Outcome.Code != ticket.CodeClosed {
		t.Errorf("a reply at the instant of the closure is answered with %+v", r.Outcome)
	}
}

func TestSilence_withoutPeriodsNeverEnds(t *testing.T) {
	f := submitted(t, "time_zone: UTC\nclocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 2h, counts: calendar, pauses: [waiting, resolved]}}\n")
	for _, verb := range []ticket.Verb{ticket.VerbRequestInformation, ticket.VerbResolve} {
		f.write(0.5, byAgent, verb)
		if m, ok := ticket.Next(f.ticket, f.policy); ok {
			t.Errorf("after %s next is %+v, want nothing", verb, m)
		}
	}
}

func TestReopen_ofAWaitingTicketSendsNoMail(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(10, byAgent, ticket.VerbRequestInformation)
	r := f.do(40, byAgent, ticket.VerbReopen)
	if r.Ticket.Status != ticket.StatusOpen || len(r.Mails) != 1 || r.Mails[0].Kind != ticket.MailNudge {
		t.Errorf("the ticket is %s, and owes %v", r.Ticket.Status, mailLines(r.Mails))
	}
	f.wantDue(policy.Resolution, 230)
}

// Both clocks stay as they were.
func TestAssign_keepsAWaitingTicketWaiting(t *testing.T) {
	f := inStatus(t, ticket.StatusWaiting)
	before := f.ticket
	f.mustDecide(3, byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne, Handle: "one"})
	if f.ticket.Status != ticket.StatusWaiting || f.ticket.Assignee != agentOne || f.ticket.SilentSince != before.SilentSince {
		t.Errorf("the ticket became %+v", f.ticket)
	}
	if len(f.ticket.Resolution.Clock.Ledger) != len(before.Resolution.Clock.Ledger) {
		t.Error("an assignment is in the ledger")
	}
}
