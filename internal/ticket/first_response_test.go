package ticket_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The cases are everything that can happen to a ticket before an answer.
func TestFirstResponse_isMetByAPublicAnswerOfStaff(t *testing.T) {
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
		"a resolution by hand":      {byOperator, ticket.Command{Verb: ticket.VerbResolve}, false},
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
			f := submitted(t, plainPolicy)
			f.mustDecide(5, c.by, c.c)
			if !c.meets {
				wantZero(t, "the first response", f.ticket.FirstResponse.MetAt)
				return
			}
			wantTime(t, "the first response", f.ticket.FirstResponse.MetAt, 5)
			if !f.ticket.FirstResponse.Clock.Met() {
				t.Error("its clock is not settled")
			}
		})
	}
}

func TestFirstResponse_isMetOnceByTheFirstAnswer(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(5, byAgent, ticket.VerbAgentReply)
	f.write(6, byAgent, ticket.VerbAgentReply)
	f.write(7, byAgent, ticket.VerbResolve)
	wantTime(t, "the first response", f.ticket.FirstResponse.MetAt, 5)
	wantTime(t, "the resolution", f.ticket.Resolution.MetAt, 7)
}

func TestAnswer_assignsAnUnassignedTicket(t *testing.T) {
	for _, verb := range []ticket.Verb{ticket.VerbAgentReply, ticket.VerbRequestInformation, ticket.VerbResolve} {
		f := submitted(t, plainPolicy)
		r := f.mustDecide(1, byAgent, ticket.Command{Verb: verb, Message: 9, Handle: "one"})
		if f.ticket.Assignee != agentOne || f.ticket.Handle != "one" {
			t.Errorf("%s leaves the ticket with %q (%q)", verb, f.ticket.Assignee, f.ticket.Handle)
		}
		if len(r.Events) != 2 || r.Events[0].Kind != ticket.EventAssigned || r.Events[1].Message != 9 {
			t.Errorf("%s records %v", verb, kinds(r.Events))
		}
		if len(r.Mails) != 1 || r.Mails[0].Event != r.Events[1].N {
			t.Errorf("%s owes %v: the answer's own mail names who took it", verb, r.Mails)
		}
		r = f.mustDecide(2, byOtherAgent, ticket.Command{Verb: ticket.VerbNote, Message: 9, Handle: "two"})
		if f.ticket.Assignee != agentOne {
			t.Errorf("someone else's words took the ticket: %v", kinds(r.Events))
		}
	}
}

func TestAnswer_keepsTheAssignee(t *testing.T) {
	for _, verb := range []ticket.Verb{ticket.VerbAgentReply, ticket.VerbRequestInformation, ticket.VerbResolve} {
		f := inStatus(t, ticket.StatusOpen)
		f.mustDecide(2, byAgent, ticket.Command{Verb: verb, Message: 9, Handle: "one"})
		if f.ticket.Assignee != agentTwo || f.ticket.Handle != "two" {
			t.Errorf("%s gives the ticket to %q", verb, f.ticket.Assignee)
		}
	}
}

func TestAnswer_isNeededToAssign(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(1, byAgent, ticket.VerbNote)
	f.write(2, byAgent, ticket.VerbProgressUpdate)
	f.do(3, byAgent, ticket.VerbResolve)
	if f.ticket.Assignee != "" {
		t.Errorf("%s has the ticket", f.ticket.Assignee)
	}
}

// The promises are neither met nor breached, and nothing is due on a closed ticket.
func TestWithdraw_cancelsBothPromises(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.do(10, byCustomer, ticket.VerbWithdraw)
	r := f.advance(10000)
	if len(r.Events) > 0 {
		t.Errorf("after the withdrawal: %v", automatic(r.Events))
	}
	for _, name := range policy.ClockNames() {
		p := f.ticket.Promise(name)
		wantZero(t, string(name)+" met", p.MetAt)
		wantZero(t, string(name)+" broken", p.BreachedAt)
		if !p.Clock.Met() {
			t.Errorf("%s is still owed", name)
		}
	}
	if f.ticket.Cause != ticket.CauseWithdrawn {
		t.Errorf("the cause is %q", f.ticket.Cause)
	}
}

func TestCause_namesWhoEndedTheTicket(t *testing.T) {
	cases := map[string]struct {
		live func(*fixture)
		want ticket.Cause
	}{
		"resolved by an agent": {func(f *fixture) { f.write(1, byAgent, ticket.VerbResolve) }, ticket.CauseAgent},
		"closed by an agent":   {func(f *fixture) { f.do(1, byAgent, ticket.VerbClose) }, ticket.CauseAgent},
		"confirmed": {func(f *fixture) {
			f.write(1, byAgent, ticket.VerbResolve)
			f.do(2, byCustomer, ticket.VerbClose)
		}, ticket.CauseRequester},
		"withdrawn": {func(f *fixture) { f.do(1, byCustomer, ticket.VerbWithdraw) }, ticket.CauseWithdrawn},
		"resolved by silence": {func(f *fixture) {
			f.write(1, byAgent, ticket.VerbRequestInformation)
			f.advance(1 + 72)
		}, ticket.CauseSilence},
		"closed by silence": {func(f *fixture) {
			f.write(1, byAgent, ticket.VerbResolve)
			f.advance(1 + 48)
		}, ticket.CauseSilence},
		"reopened": {func(f *fixture) {
			f.write(1, byAgent, ticket.VerbResolve)
			f.do(2, byAgent, ticket.VerbReopen)
		}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := submitted(t, plainPolicy)
			c.live(f)
			if f.ticket.Cause != c.want {
				t.Errorf("the cause is %q, want %q", f.ticket.Cause, c.want)
			}
		})
	}
}
