package ticket_test

import (
	"slices"
	"testing"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// conversation returns a fixture with messages: entry 1 is the submission, 2 assigns the ticket for the answer in 3, 4 is
// the requester's reply, 5 a colleague's note, and 6 the agent's progress update. In the requester's timeline, without the
// note, that is entry 5.
func conversation(t *testing.T) *fixture {
	f := submitted(t, plainPolicy)
	f.write(0.5, byAgent, ticket.VerbAgentReply)
	f.write(1, byCustomer, ticket.VerbCustomerReply)
	f.write(1.5, byOtherAgent, ticket.VerbNote)
	f.write(2, byAgent, ticket.VerbProgressUpdate)
	if f.ticket.Events != 6 {
		t.Fatalf("the conversation has %d entries", f.ticket.Events)
	}
	return f
}

func TestDecide_refusesACommandWhenMessagesAreUnseen(t *testing.T) {
	words := func(verb ticket.Verb, seen int) ticket.Command {
		return ticket.Command{Verb: verb, Message: 9, Seen: seen}
	}
	for name, c := range map[string]struct {
		by      ticket.Actor
		c       ticket.Command
		refused bool
	}{
		"who did not say":                         {byAgent, words(ticket.VerbResolve, 0), false},
		"everything seen":                         {bySupervisor, words(ticket.VerbResolve, 6), false},
		"all but one's own":                       {byAgent, words(ticket.VerbResolve, 5), false},
		"a note not seen":                         {byAgent, words(ticket.VerbResolve, 4), true},
		"a note not seen, by its writer":          {byOtherAgent, words(ticket.VerbResolve, 5), true},
		"the reply and the note not seen":         {byAgent, words(ticket.VerbAgentReply, 3), true},
		"a colleague's public words not seen":     {bySupervisor, words(ticket.VerbRequestInformation, 5), true},
		"progress":                                {bySupervisor, words(ticket.VerbProgressUpdate, 5), true},
		"a closure":                               {bySupervisor, ticket.Command{Verb: ticket.VerbClose, Seen: 5}, true},
		"a customer's reply to what was not seen": {byCustomer, words(ticket.VerbCustomerReply, 4), true},
		"a withdrawal":                            {byCustomer, ticket.Command{Verb: ticket.VerbWithdraw, Seen: 3}, true},
		"a customer's reply to everything":        {byCustomer, words(ticket.VerbCustomerReply, 5), false},
	} {
		t.Run(name, func(t *testing.T) {
			f := conversation(t)
			before := f.ticket
			r := f.decide(3, c.by, c.c)
			if !c.refused {
				if r.Outcome.Refused {
					t.Errorf("refused: %+v", r.Outcome)
				}
				return
			}
			checkRefused(t, before, r, c.c, c.by, f.seq, ticket.CodeUnseen)
		})
	}
}

// A customer's message is not refused for a note that they cannot see.
func TestDecide_notesNeverRefuseACustomer(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(1, byAgent, ticket.VerbNote)
	f.mustDecide(2, byCustomer, ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9, Seen: 1})
	f.write(2.5, byAgent, ticket.VerbResolve)
	before, blind := f.ticket, ticket.Command{Verb: ticket.VerbClose, Seen: 3}
	checkRefused(t, before, f.decide(3, byCustomer, blind), blind, byCustomer, f.seq, ticket.CodeUnseen)
	f.mustDecide(4, byCustomer, ticket.Command{Verb: ticket.VerbClose, Seen: 4}) // the request, their reply, who has it, the resolution
}

// However many messages someone sends after looking once.
func TestDecide_ownMessagesCountAsSeen(t *testing.T) {
	for _, by := range []ticket.Actor{byAgent, byCustomer} {
		f := submitted(t, plainPolicy)
		f.write(1, byOtherAgent, ticket.VerbAgentReply)
		seen, verb := f.ticket.Events, ticket.VerbAgentReply
		if by == byCustomer {
			verb = ticket.VerbCustomerReply
		}
		for i := range 3 {
			f.mustDecide(float64(2+i), by, ticket.Command{Verb: verb, Message: 9, Seen: seen})
		}
	}
}

func TestDecide_refusedMessagesNeedNotBeSeen(t *testing.T) {
	f := conversation(t)
	seen := f.ticket.Events
	if r := f.decide(5, byCustomer, ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9, Seen: 2}); r.Outcome.Code != ticket.CodeUnseen {
		t.Fatalf("it is %+v", r.Outcome)
	}
	f.mustDecide(6, byAgent, ticket.Command{Verb: ticket.VerbResolve, Message: 9, Seen: seen})
}

// publicMessages are the events whose messages a requester may read.
var publicMessages = []ticket.EventKind{
	ticket.EventAgentReplied, ticket.EventInformationRequested, ticket.EventProgressUpdated, ticket.EventResolved,
	ticket.EventSubmitted, ticket.EventCustomerReplied,
}

// unseen counts the messages of others after an entry, and the entry with which a customer joined or took a contact's place. For customers only those
// that they may read count, by the numbers of their own timeline.
func unseen(events []ticket.Event, by ticket.Actor, seen int) (n int) {
	place, joined, listed := 0, joinedWith(by.ID, events), ticket.Listed(by.ID, events)
	customer := by.Role == ticket.RoleCustomer
	for i, e := range events {
		if customer && e.Kind == ticket.EventPersonMerged && e.Person == by.ID && e.N == joined && place > seen {
			n++
		}
		if customer && !listed[i] {
			continue
		}
		place++
		readable := !customer || slices.Contains(publicMessages, e.Kind)
		if place > seen && (customer && joined > 0 && e.N == joined || e.Message != 0 && e.Kind != ticket.EventRefused && e.By.ID != by.ID && readable) {
			n++
		}
	}
	return n
}

// joinedWith returns the number of the event with which a person last joined a ticket or took a contact's place, and 0 if it was
// the submission.
func joinedWith(person ticket.PersonID, events []ticket.Event) int {
	joined, in := 0, false
	for _, e := range events {
		switch {
		case e.Kind == ticket.EventParticipantRemoved && e.Person == person, e.Kind == ticket.EventPersonMerged && e.Former == person:
			in = false
		case e.Kind == ticket.EventRequesterChanged && e.Former == person:
			in = true
		case e.Person == person && (e.Kind == ticket.EventParticipantAdded || e.Kind == ticket.EventPersonMerged || e.Kind == ticket.EventRequesterChanged && !in):
			joined, in = e.N, true
		}
	}
	return joined
}
