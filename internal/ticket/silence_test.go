package ticket_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestSilence_nudgesThenResolvesThenCloses(t *testing.T) {
	l := submitted(t, plain)
	l.says(10, byAgent, ticket.VerbRequestInformation)
	l.until(5000)
	same(t, "moments", moments(l.events), []string{"nudged 34", "resolved 82", "closed 130"})
	same(t, "mails since the request", owed(l.mails)[2:], []string{
		"nudge to P-CUSTOMER", "resolution to P-CUSTOMER", "closure to P-CUSTOMER",
	})
	instant(t, "resolved", l.ticket.Resolution.MetAt, 82)
}

// TestSilence_countsFromTheDesksLastWord, whatever else happens in between.
func TestSilence_countsFromTheDesksLastWord(t *testing.T) {
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
			l := submitted(t, plain)
			l.says(10, byAgent, c.first)
			l.take(40, c.by, c.c)
			from := 10.0
			if c.restart {
				from = 40
			}
			want := ticket.Moment{Kind: ticket.MomentResolve, Due: at(from + 72)}
			switch {
			case c.first == ticket.VerbResolve:
				want = ticket.Moment{Kind: ticket.MomentClose, Due: at(from + 48)}
			case c.restart:
				want = ticket.Moment{Kind: ticket.MomentNudge, Due: at(from + 24)}
			}
			if m, ok := ticket.Next(l.ticket, l.policy); !ok || !m.Same(want) {
				t.Errorf("next is %+v, want %+v", m, want)
			}
		})
	}
}

func TestSilence_endsWithTheRequestersReply(t *testing.T) {
	l := submitted(t, plain)
	l.says(10, byAgent, ticket.VerbRequestInformation)
	l.says(40, byCustomer, ticket.VerbCustomerReply)
	never(t, "silence", l.ticket.SilentSince)
	l.due(policy.Resolution, 230)
	l.says(50, byAgent, ticket.VerbRequestInformation)
	l.until(74)
	same(t, "moments", moments(l.events), []string{"nudged 34", "nudged 74"})
}

// TestSilence_aReplyAtTheLastInstantIsTooLate, but a reply to a resolved ticket reopens it.
func TestSilence_aReplyAtTheLastInstantIsTooLate(t *testing.T) {
	l := submitted(t, plain)
	l.says(10, byAgent, ticket.VerbRequestInformation)
	r := l.says(82, byCustomer, ticket.VerbCustomerReply)
	same(t, "events", kinds(r.Events)[1:], []ticket.EventKind{
		ticket.EventResolved, ticket.EventCustomerReplied, ticket.EventReopened,
	})
	l = submitted(t, plain)
	l.says(10, byAgent, ticket.VerbResolve)
	r = l.take(58, byCustomer, ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9})
	if r.Outcome.Code != ticket.CodeClosed {
		t.Errorf("a reply at the instant of the closure is answered with %+v", r.Outcome)
	}
}

func TestSilence_ofAPolicyWithoutPeriodsLastsForEver(t *testing.T) {
	l := submitted(t, "time_zone: UTC\nclocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 2h, counts: calendar, pauses: [waiting, resolved]}}\n")
	for _, verb := range []ticket.Verb{ticket.VerbRequestInformation, ticket.VerbResolve} {
		l.says(0.5, byAgent, verb)
		if m, ok := ticket.Next(l.ticket, l.policy); ok {
			t.Errorf("after %s next is %+v, want nothing", verb, m)
		}
	}
}

func TestReopen_ofAWaitingTicketTellsNobody(t *testing.T) {
	l := submitted(t, plain)
	l.says(10, byAgent, ticket.VerbRequestInformation)
	r := l.does(40, byAgent, ticket.VerbReopen)
	if r.Ticket.Status != ticket.StatusOpen || len(r.Mails) != 1 || r.Mails[0].Kind != ticket.MailNudge {
		t.Errorf("the ticket is %s, and owes %v", r.Ticket.Status, owed(r.Mails))
	}
	l.due(policy.Resolution, 230)
}

// TestAssign_whileWaitingLeavesItWaiting with both clocks as they were.
func TestAssign_whileWaitingLeavesItWaiting(t *testing.T) {
	l := inStatus(t, ticket.StatusWaiting)
	before := l.ticket
	l.granted(3, byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne, Handle: "one"})
	if l.ticket.Status != ticket.StatusWaiting || l.ticket.Assignee != agentOne || l.ticket.SilentSince != before.SilentSince {
		t.Errorf("the ticket became %+v", l.ticket)
	}
	if len(l.ticket.Resolution.Clock.Ledger) != len(before.Resolution.Clock.Ledger) {
		t.Error("an assignment is in the ledger")
	}
}
