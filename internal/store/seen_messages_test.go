package store_test

import (
	"math"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestCommand_isRefusedForWordsThatItsWriterHadNotSeen, also for those that were accepted before it and decided with it.
func TestCommand_isRefusedForWordsThatItsWriterHadNotSeen(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Wait, it is worse."})
	blind := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Solved.", Seen: 1})
	d.step(ticket.StepRequest{Number: n, Command: blind.Seq})
	if o := d.outcome(n, blind.Seq); !o.Refused || o.Code != ticket.CodeUnseen {
		t.Fatalf("it is %+v", o)
	}
	after := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Solved.", Seen: len(d.timeline(n))})
	if after.State.Ticket.Status != ticket.StatusResolved {
		t.Errorf("it is %s", after.State.Ticket.Status)
	}
	d.consistent(n)
}

// TestCommand_seesTheSubmissionBeforeItsStep: a page shows it as soon as it is accepted.
func TestCommand_seesTheSubmissionBeforeItsStep(t *testing.T) {
	d := open(t)
	n := d.submit(d.customer).Number
	after := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "At once.", Seen: 1})
	if o := d.outcome(n, 2); o.Refused || after.State.Ticket.Status != ticket.StatusOpen {
		t.Errorf("%+v", o)
	}
}

func TestCommand_seesNothingThatIsNotThere(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	for _, seen := range []int{2, math.MaxInt32, math.MaxInt} {
		_, err := d.Command(t.Context(), d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "x", Seen: seen})
		wantKind(t, err, fault.Invalid)
	}
	if words := one[int64](d, `SELECT count(*) FROM messages`); words != 1 {
		t.Errorf("%d messages: something refused left its words", words)
	}
	// A customer could count notes by it.
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "x", Seen: math.MaxInt})
	d.consistent(n)
}

// TestMigrate_findsTheLatestWordsOfOldTickets in their events, as the fold does.
func TestMigrate_findsTheLatestWordsOfOldTickets(t *testing.T) {
	d := open(t)
	find, own := backfill(t, "00020_seen.sql"), ownEntries(t)
	say := func(by desk.Person, verb ticket.Verb) func(ticket.Number) {
		return func(n ticket.Number) { d.do(by, desk.Request{Number: n, Verb: verb, Body: "Words."}) }
	}
	for name, does := range map[string][]func(ticket.Number){
		"nothing":    nil,
		"one's":      {say(d.customer, ticket.VerbCustomerReply)},
		"a note":     {say(d.agent, ticket.VerbNote)},
		"an answer":  {say(d.agent, ticket.VerbAgentReply), say(d.agent, ticket.VerbProgressUpdate)},
		"three's":    {say(d.agent, ticket.VerbRequestInformation), say(d.second, ticket.VerbNote), say(d.customer, ticket.VerbCustomerReply)},
		"resolved":   {say(d.agent, ticket.VerbResolve), say(d.second, ticket.VerbNote), say(d.second, ticket.VerbNote)},
		"a refusal":  {say(d.agent, ticket.VerbResolve), say(d.second, ticket.VerbRequestInformation)},
		"their own":  {func(n ticket.Number) { d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbClose}) }, say(d.agent, ticket.VerbAgentReply)},
		"no step":    {func(n ticket.Number) { d.submit(d.customer) }},
		"and closed": {say(d.agent, ticket.VerbAgentReply), func(n ticket.Number) { d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbClose}) }},
	} {
		t.Run(name, func(t *testing.T) {
			d := *d
			d.t = t
			n := d.taken(d.customer)
			for _, do := range does {
				do(n)
			}
			d.sql(`UPDATE tickets SET state = state #- '{ticket,latest_messages}'`) // as the release before this one left it
			d.sql(find)
			d.sql(own)
			d.consistent(n)
			if !one[bool](&d, `SELECT state->'ticket' ? 'latest_messages' FROM tickets WHERE number = $1`, n) {
				t.Error("it says nothing of words")
			}
		})
	}
}
