package ticket_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestFirstResponse_isMetByAPersonsPublicAnswer goes through everything that can happen to a ticket before an answer.
func TestFirstResponse_isMetByAPersonsPublicAnswer(t *testing.T) {
	words := func(verb ticket.Verb) ticket.Command { return ticket.Command{Verb: verb, Message: 9} }
	cases := map[string]struct {
		by    ticket.Actor
		c     ticket.Command
		meets bool
	}{
		"a reply":                   {byAgent, words(ticket.VerbAgentReply), true},
		"a supervisor's reply":      {bySupervisor, words(ticket.VerbAgentReply), true},
		"a request for information": {byAgent, words(ticket.VerbRequestInformation), true},
		"a resolution in words":     {byAgent, words(ticket.VerbResolve), true},
		"a resolution without":      {byAgent, ticket.Command{Verb: ticket.VerbResolve}, false},
		"a resolution by hand":      {byHand, ticket.Command{Verb: ticket.VerbResolve}, false},
		"a note":                    {byAgent, words(ticket.VerbNote), false},
		"progress":                  {byAgent, words(ticket.VerbProgressUpdate), false},
		"an assignment":             {byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne}, false},
		"another class":             {byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: "high"}, false},
		"the customer's own words":  {byCustomer, words(ticket.VerbCustomerReply), false},
		"a withdrawal":              {byCustomer, ticket.Command{Verb: ticket.VerbWithdraw}, false},
		"a closure":                 {byAgent, ticket.Command{Verb: ticket.VerbClose}, false},
		"an emergency":              {bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "E"}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := submitted(t, plain)
			l.granted(5, c.by, c.c)
			if !c.meets {
				never(t, "the first response", l.ticket.FirstResponse.MetAt)
				return
			}
			instant(t, "the first response", l.ticket.FirstResponse.MetAt, 5)
			if !l.ticket.FirstResponse.Clock.Settled() {
				t.Error("its clock is not settled")
			}
		})
	}
}

func TestFirstResponse_isMetOnceByTheFirstAnswer(t *testing.T) {
	l := submitted(t, plain)
	l.says(5, byAgent, ticket.VerbAgentReply)
	l.says(6, byAgent, ticket.VerbAgentReply)
	l.says(7, byAgent, ticket.VerbResolve)
	instant(t, "the first response", l.ticket.FirstResponse.MetAt, 5)
	instant(t, "the resolution", l.ticket.Resolution.MetAt, 7)
}

func TestAnswer_takesAnUnassignedTicket(t *testing.T) {
	for _, verb := range []ticket.Verb{ticket.VerbAgentReply, ticket.VerbRequestInformation, ticket.VerbResolve} {
		l := submitted(t, plain)
		r := l.granted(1, byAgent, ticket.Command{Verb: verb, Message: 9, Handle: "one"})
		if l.ticket.Assignee != agentOne || l.ticket.Handle != "one" {
			t.Errorf("%s leaves the ticket with %q (%q)", verb, l.ticket.Assignee, l.ticket.Handle)
		}
		if len(r.Events) != 2 || r.Events[0].Kind != ticket.EventAssigned || r.Events[1].Message != 9 {
			t.Errorf("%s tells %v", verb, kinds(r.Events))
		}
		if len(r.Mails) != 1 || r.Mails[0].Event != r.Events[1].N {
			t.Errorf("%s owes %v: the answer's own mail names who took it", verb, r.Mails)
		}
		r = l.granted(2, byOtherAgent, ticket.Command{Verb: ticket.VerbNote, Message: 9, Handle: "two"})
		if l.ticket.Assignee != agentOne {
			t.Errorf("somebody else's words took the ticket: %v", kinds(r.Events))
		}
	}
}

func TestAnswer_leavesAnAssignedTicketWhereItIs(t *testing.T) {
	for _, verb := range []ticket.Verb{ticket.VerbAgentReply, ticket.VerbRequestInformation, ticket.VerbResolve} {
		l := inStatus(t, ticket.StatusOpen)
		l.granted(2, byAgent, ticket.Command{Verb: verb, Message: 9, Handle: "one"})
		if l.ticket.Assignee != agentTwo || l.ticket.Handle != "two" {
			t.Errorf("%s gives the ticket to %q", verb, l.ticket.Assignee)
		}
	}
}

func TestNoAnswer_takesNothing(t *testing.T) {
	l := submitted(t, plain)
	l.says(1, byAgent, ticket.VerbNote)
	l.says(2, byAgent, ticket.VerbProgressUpdate)
	l.does(3, byAgent, ticket.VerbResolve)
	if l.ticket.Assignee != "" {
		t.Errorf("%s has the ticket", l.ticket.Assignee)
	}
}

// TestWithdraw_owesNoAnswerAnyMore: neither kept nor broken, and nothing falls due on a closed ticket.
func TestWithdraw_owesNoAnswerAnyMore(t *testing.T) {
	l := submitted(t, plain)
	l.does(10, byCustomer, ticket.VerbWithdraw)
	r := l.until(10000)
	if len(r.Events) > 0 {
		t.Errorf("after the withdrawal: %v", moments(r.Events))
	}
	for _, name := range policy.ClockNames() {
		p := l.ticket.Promise(name)
		never(t, string(name)+" met", p.MetAt)
		never(t, string(name)+" broken", p.BreachedAt)
		if !p.Clock.Settled() {
			t.Errorf("%s is still owed", name)
		}
	}
	if l.ticket.Cause != ticket.CauseWithdrawn {
		t.Errorf("the cause is %q", l.ticket.Cause)
	}
}

func TestCause_saysWhoEndedTheTicket(t *testing.T) {
	cases := map[string]struct {
		live func(*life)
		want ticket.Cause
	}{
		"resolved by an agent": {func(l *life) { l.says(1, byAgent, ticket.VerbResolve) }, ticket.CauseAgent},
		"closed by an agent":   {func(l *life) { l.does(1, byAgent, ticket.VerbClose) }, ticket.CauseAgent},
		"confirmed": {func(l *life) {
			l.says(1, byAgent, ticket.VerbResolve)
			l.does(2, byCustomer, ticket.VerbClose)
		}, ticket.CauseRequester},
		"withdrawn": {func(l *life) { l.does(1, byCustomer, ticket.VerbWithdraw) }, ticket.CauseWithdrawn},
		"resolved by silence": {func(l *life) {
			l.says(1, byAgent, ticket.VerbRequestInformation)
			l.until(1 + 72)
		}, ticket.CauseSilence},
		"closed by silence": {func(l *life) {
			l.says(1, byAgent, ticket.VerbResolve)
			l.until(1 + 48)
		}, ticket.CauseSilence},
		"reopened": {func(l *life) {
			l.says(1, byAgent, ticket.VerbResolve)
			l.does(2, byAgent, ticket.VerbReopen)
		}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := submitted(t, plain)
			c.live(l)
			if l.ticket.Cause != c.want {
				t.Errorf("the cause is %q, want %q", l.ticket.Cause, c.want)
			}
		})
	}
}
