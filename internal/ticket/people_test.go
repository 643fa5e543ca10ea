package ticket_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

func with(verb ticket.Verb, person ticket.PersonID) ticket.Command {
	return ticket.Command{Verb: verb, Person: person}
}

// withParticipant returns an open ticket of agentTwo with a participant, stranger.
func withParticipant(t *testing.T) *fixture {
	t.Helper()
	f := inStatus(t, ticket.StatusOpen)
	r := f.mustDecide(1, byAgent, with(ticket.VerbAddParticipant, stranger))
	wantEqual(t, "mails", mailLines(r.Mails), []string{"participant-added to P-STRANGER"})
	return f
}

func TestParticipants_receivePublicMessagesOfStaffUnlessTheRequesterAloneWasChosen(t *testing.T) {
	for verb, kind := range map[ticket.Verb]string{
		ticket.VerbAgentReply: "reply", ticket.VerbRequestInformation: "information-request",
		ticket.VerbProgressUpdate: "progress", ticket.VerbResolve: "resolution",
	} {
		f := withParticipant(t)
		r := f.write(2, byOtherAgent, verb)
		wantEqual(t, string(verb), mailLines(r.Mails), []string{kind + " to P-CUSTOMER", kind + " to P-STRANGER"})
		if e := r.Events[0]; !e.ListedFor(stranger) || !e.ListedFor(customer) {
			t.Errorf("%s is not shown to all: %+v", verb, e)
		}
		f = withParticipant(t)
		r = f.mustDecide(2, byOtherAgent, ticket.Command{Verb: verb, Message: 9, Alone: true})
		wantEqual(t, string(verb)+" to the requester alone", mailLines(r.Mails), []string{kind + " to P-CUSTOMER"})
		if e := r.Events[0]; e.ListedFor(stranger) || !e.ListedFor(customer) {
			t.Errorf("%s to the requester alone is shown otherwise: %+v", verb, e)
		}
	}
	f := withParticipant(t)
	wantEqual(t, "a note", mailLines(f.write(2, byOtherAgent, ticket.VerbNote).Mails), nil)
	wantEqual(t, "a closure", mailLines(f.do(3, byOtherAgent, ticket.VerbClose).Mails), []string{"closure to P-CUSTOMER", "closure to P-STRANGER"})
}

func TestParticipants_replyAsTheRequesterDoesAndTheOthersReadIt(t *testing.T) {
	f := withParticipant(t)
	f.write(2, byOtherAgent, ticket.VerbRequestInformation)
	r := f.write(3, byStranger, ticket.VerbCustomerReply)
	wantEqual(t, "a participant's reply", mailLines(r.Mails), []string{"customer-reply to P-AGENTTWO", "participant-reply to P-CUSTOMER"})
	if f.ticket.Status != ticket.StatusOpen {
		t.Errorf("after a participant's reply the ticket is %s", f.ticket.Status)
	}
	wantEqual(t, "the requester's reply", mailLines(f.write(4, byCustomer, ticket.VerbCustomerReply).Mails),
		[]string{"customer-reply to P-AGENTTWO", "participant-reply to P-STRANGER"})
	f.write(5, byOtherAgent, ticket.VerbResolve)
	wantEqual(t, "a reply to a resolved ticket", mailLines(f.write(6, byStranger, ticket.VerbCustomerReply).Mails),
		[]string{"customer-reply to P-AGENTTWO", "participant-reply to P-CUSTOMER", "reopening to P-CUSTOMER"})
}

func TestParticipants_mayNeitherConfirmNorWithdraw(t *testing.T) {
	f := withParticipant(t)
	f.write(2, byOtherAgent, ticket.VerbResolve)
	for _, verb := range []ticket.Verb{ticket.VerbClose, ticket.VerbWithdraw} {
		if r := f.decide(3, byStranger, ticket.Command{Verb: verb}); r.Outcome.Code != ticket.CodeRole {
			t.Errorf("a participant's %s: %+v", verb, r.Outcome)
		}
	}
	f.do(4, byCustomer, ticket.VerbClose)
}

func TestParticipants_removedOrGoneAreStrangers(t *testing.T) {
	for name, remove := range map[string]func(*fixture){
		"removed": func(f *fixture) { f.mustDecide(2, byAgent, with(ticket.VerbRemoveParticipant, stranger)) },
		"left":    func(f *fixture) { f.do(2, byStranger, ticket.VerbLeave) },
	} {
		f := withParticipant(t)
		remove(f)
		if f.ticket.Involves(stranger) {
			t.Errorf("%s: %+v", name, f.ticket.Participants)
		}
		wantEqual(t, name, mailLines(f.write(3, byOtherAgent, ticket.VerbAgentReply).Mails), []string{"reply to P-CUSTOMER"})
		if r := f.decide(4, byStranger, ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9}); r.Outcome.Code != ticket.CodeRole {
			t.Errorf("%s: a reply: %+v", name, r.Outcome)
		}
		// A mail that bounced while they were in contains what was written.
		bounced := &ticket.BouncedMail{Mail: 3, Kind: ticket.MailReply, Person: stranger, Bounced: true}
		if r := f.decide(5, byAgent, ticket.Command{Verb: ticket.VerbResend, Resend: bounced}); r.Outcome.Code != ticket.CodeNotInvolved {
			t.Errorf("%s: a mail sent again: %+v", name, r.Outcome)
		}
	}
}

func TestParticipants_areLimited(t *testing.T) {
	f := inStatus(t, ticket.StatusOpen)
	for i := range ticket.MaxParticipants {
		f.mustDecide(1, byAgent, with(ticket.VerbAddParticipant, ticket.PersonID(fmt.Sprintf("P-%010d", i))))
	}
	for _, verb := range []ticket.Verb{ticket.VerbAddParticipant, ticket.VerbChangeRequester} {
		if r := f.decide(2, byAgent, with(verb, stranger)); r.Outcome.Code != ticket.CodeTooManyParticipants {
			t.Errorf("%s of one more: %+v", verb, r.Outcome)
		}
	}
	f.mustDecide(3, byAgent, with(ticket.VerbChangeRequester, "P-0000000003"))
	if len(f.ticket.Participants) != ticket.MaxParticipants || !f.ticket.Involves(customer) {
		t.Errorf("after a change with a participant: %+v", f.ticket.Participants)
	}
}

func TestChangeRequester_asksTheNewOneInFull(t *testing.T) {
	f := inStatus(t, ticket.StatusWaiting)
	f.mailed = true
	r := f.mustDecide(20, byAgent, with(ticket.VerbChangeRequester, stranger))
	wantEqual(t, "mails", mailLines(r.Mails), []string{"requester-changed to P-STRANGER"})
	if f.ticket.Requester != stranger || !f.ticket.Involves(customer) || !r.Mails[0].Asks || !f.ticket.AwaitsDelivery() {
		t.Fatalf("the ticket is %+v, the mail %+v", f.ticket, r.Mails)
	}
	delivered, err := ticket.RecordDelivery(f.ticket, f.desk(), 1, r.Events[0].N, at(21), at(21))
	if err != nil {
		t.Fatal(err)
	}
	f.add(delivered)
	f.advance(44)
	if f.ticket.Nudged {
		t.Error("the new requester is reminded of a question that they have had for less than a day")
	}
	wantEqual(t, "mails", mailLines(f.advance(45).Mails), []string{"nudge to P-STRANGER"})
	if r := f.decide(46, byCustomer, ticket.Command{Verb: ticket.VerbWithdraw}); r.Outcome.Code != ticket.CodeRole {
		t.Errorf("the former requester withdraws: %+v", r.Outcome)
	}
	f.do(47, byStranger, ticket.VerbWithdraw)
}

// A participant's timeline is numbered for itself, so their "seen" is compared with their own numbers.
func TestParticipants_areRefusedOnlyForMessagesThatTheyMayRead(t *testing.T) {
	f := withParticipant(t)
	listed := 0
	for _, e := range f.events {
		if e.ListedFor(stranger) {
			listed++
		}
	}
	f.write(2, byOtherAgent, ticket.VerbNote)
	f.mustDecide(3, byOtherAgent, ticket.Command{Verb: ticket.VerbAgentReply, Message: 9, Alone: true})
	reply := ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9, Seen: listed}
	f.mustDecide(4, byStranger, reply) // entry listed+1
	f.write(5, byCustomer, ticket.VerbCustomerReply)
	reply.Seen = listed + 1
	if r := f.decide(6, byStranger, reply); r.Outcome.Code != ticket.CodeUnseen {
		t.Errorf("a reply that overlooks the requester's: %+v", r.Outcome)
	}
	reply.Seen = listed + 2
	f.mustDecide(7, byStranger, reply)
}

func TestListed_leavesOutWhatAPersonAloneSawBeforeTheyLastJoined(t *testing.T) {
	refused := func(n int, by ticket.Actor) ticket.Event {
		return ticket.Event{N: n, Kind: ticket.EventRefused, By: by}
	}
	events := []ticket.Event{
		{N: 1, Kind: ticket.EventSubmitted},
		refused(2, byCustomer),
		refused(3, byStranger),
		{N: 4, Kind: ticket.EventParticipantAdded, Person: stranger},
		refused(5, byStranger),
		{N: 6, Kind: ticket.EventRequesterChanged, Person: stranger, Former: customer},
		{N: 7, Kind: ticket.EventAgentReplied, Only: stranger},
		{N: 8, Kind: ticket.EventNoted},
		{N: 9, Kind: ticket.EventParticipantRemoved, Person: customer},
		{N: 10, Kind: ticket.EventRequesterChanged, Person: customer, Former: stranger},
	}
	for person, want := range map[ticket.PersonID][]int{customer: {1, 4, 6, 9, 10}, stranger: {1, 4, 5, 6, 7, 9, 10}} {
		wantEqual(t, string(person), listed(person, events), want)
	}
	if got := ticket.FirstRequester(stranger, events); got != customer {
		t.Errorf("the first requester is %s", got)
	}
}

func listed(person ticket.PersonID, events []ticket.Event) (numbers []int) {
	for i, shown := range ticket.Listed(person, events) {
		if shown {
			numbers = append(numbers, events[i].N)
		}
	}
	return numbers
}

// A contact who turns out to have an account: the account is in their place, with all that was shown to the contact.
func TestMergePerson_putsAnAccountInTheContactsPlace(t *testing.T) {
	merge := ticket.Command{Verb: ticket.VerbMergePerson, Person: stranger, Merged: customer}
	t.Run("the requester", func(t *testing.T) {
		f := inStatus(t, ticket.StatusOpen)
		f.mustDecide(1, byOtherAgent, ticket.Command{Verb: ticket.VerbAgentReply, Message: 9, Alone: true})
		r := f.mustDecide(2, byStranger, merge)
		if len(r.Mails) > 0 || f.ticket.Requester != stranger || f.ticket.Involves(customer) || len(f.ticket.Participants) > 0 {
			t.Errorf("requester %s, participants %v, mails %v", f.ticket.Requester, f.ticket.Participants, mailLines(r.Mails))
		}
		if last := len(f.events) - 1; !ticket.Listed(stranger, f.events)[last-1] || ticket.Listed(stranger, f.events)[last] {
			t.Errorf("of the message for the contact alone and the merge, the account sees %v", ticket.Listed(stranger, f.events)[last-1:])
		}
		if got := ticket.FirstRequester(stranger, f.events); got != customer {
			t.Errorf("the first requester is %s", got)
		}
		wantEqual(t, "mails", mailLines(f.write(3, byOtherAgent, ticket.VerbAgentReply).Mails), []string{"reply to P-STRANGER"})
		f.write(4, byStranger, ticket.VerbCustomerReply)
		if r := f.decide(5, byCustomer, ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9}); r.Outcome.Code != ticket.CodeRole {
			t.Errorf("the contact's reply: %+v", r.Outcome)
		}
	})
	t.Run("both in it", func(t *testing.T) {
		f := withParticipant(t)
		f.decide(2, byStranger, ticket.Command{Verb: ticket.VerbWithdraw})
		f.mustDecide(3, byOtherAgent, ticket.Command{Verb: ticket.VerbAgentReply, Message: 9, Alone: true})
		f.mustDecide(4, byAgent, merge)
		if f.ticket.Requester != stranger || len(f.ticket.Participants) > 0 {
			t.Errorf("requester %s, participants %v", f.ticket.Requester, f.ticket.Participants)
		}
		if n := len(listed(stranger, f.events)); n != f.ticket.LatestMessages.Listed {
			t.Errorf("%d entries are listed, and %d counted", n, f.ticket.LatestMessages.Listed)
		}
	})
	t.Run("a participant", func(t *testing.T) {
		f := withParticipant(t)
		f.mustDecide(2, byAgent, ticket.Command{Verb: ticket.VerbMergePerson, Person: "P-NEWCOMER", Merged: stranger})
		if f.ticket.Requester != customer || len(f.ticket.Participants) != 1 || f.ticket.Participants[0].ID != "P-NEWCOMER" {
			t.Errorf("requester %s, participants %v", f.ticket.Requester, f.ticket.Participants)
		}
	})
	t.Run("a participant into the requester", func(t *testing.T) {
		f := withParticipant(t)
		f.mustDecide(2, byAgent, ticket.Command{Verb: ticket.VerbMergePerson, Person: customer, Merged: stranger})
		if f.ticket.Requester != customer || f.ticket.Participants != nil {
			t.Errorf("requester %s, participants %v", f.ticket.Requester, f.ticket.Participants)
		}
		if got := ticket.FirstRequester(customer, f.events); got != customer {
			t.Errorf("the first requester is %s", got)
		}
	})
}

func TestIdentified_namesPeopleAsWhomTheyAreKnownByNow(t *testing.T) {
	timeline := []ticket.Event{
		{N: 1, Kind: ticket.EventCustomerReplied, By: ticket.Actor{ID: "P-FIRST", Role: ticket.RoleCustomer}},
		{N: 2, Kind: ticket.EventAgentReplied, By: byAgent, Only: "P-FIRST"},
		{N: 3, Kind: ticket.EventRequesterChanged, By: byAgent, Person: "P-OTHER", Former: "P-FIRST"},
		{N: 4, Kind: ticket.EventPersonMerged, Person: "P-SECOND", Former: "P-FIRST"},
		{N: 5, Kind: ticket.EventPersonMerged, Person: stranger, Former: "P-SECOND"},
	}
	for n, want := range map[int]ticket.Event{
		0: {N: 1, Kind: ticket.EventCustomerReplied, By: byStranger},
		1: {N: 2, Kind: ticket.EventAgentReplied, By: byAgent, Only: stranger},
		2: {N: 3, Kind: ticket.EventRequesterChanged, By: byAgent, Person: "P-OTHER", Former: stranger},
		3: timeline[3],
	} {
		if got := timeline[n].Identified(ticket.Merges(timeline)); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

// A state that was stored before there were participants is read as one without any, and stored as it was.
func TestState_withoutParticipantsIsUnchanged(t *testing.T) {
	const old = `{"last":{"n":2,"by":"P-AGENTONE"},"other":{"n":1,"by":"P-CUSTOMER"},"listed":4,"public":2}`
	var l ticket.LatestMessages
	if err := json.Unmarshal([]byte(old), &l); err != nil || l.Listed != 4 || l.Public != 2 {
		t.Fatalf("%+v, %v", l, err)
	}
	if got, err := json.Marshal(l); err != nil || string(got) != old {
		t.Errorf("stored again as %s, %v", got, err)
	}
	f := inStatus(t, ticket.StatusOpen)
	state, err := json.Marshal(f.ticket)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(state, &fields); err != nil || fields["participants"] != nil {
		t.Errorf("a ticket without participants is stored as %s, %v", state, err)
	}
}

// Someone who is not of the ticket, but was let in because they answer an email from it, becomes a participant with the reply.
func TestCustomerReply_ofSomeoneWhoAnswersAnEmailMakesThemAParticipant(t *testing.T) {
	reply := ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9, Person: stranger}
	f := inStatus(t, ticket.StatusWaiting)
	r := f.mustDecide(3, byStranger, reply)
	wantEqual(t, "events", kinds(r.Events), []ticket.EventKind{ticket.EventParticipantAdded, ticket.EventCustomerReplied})
	if !f.ticket.Involves(stranger) || f.ticket.Status != ticket.StatusOpen {
		t.Errorf("participants %v, status %s", f.ticket.Participants, f.ticket.Status)
	}
	r = f.mustDecide(4, byStranger, reply)
	wantEqual(t, "events of the next reply", kinds(r.Events), []ticket.EventKind{ticket.EventCustomerReplied})

	for name, c := range map[string]ticket.Command{
		"without having been let in":   {Verb: ticket.VerbCustomerReply, Message: 9},
		"let in for someone else":      {Verb: ticket.VerbCustomerReply, Message: 9, Person: "P-NEWCOMER"},
		"with another verb":            {Verb: ticket.VerbWithdraw, Person: stranger},
		"who would only like to leave": {Verb: ticket.VerbLeave, Person: stranger},
	} {
		f := inStatus(t, ticket.StatusOpen)
		before := f.ticket
		t.Run(name, func(t *testing.T) {
			checkRefused(t, before, f.decide(3, byStranger, c), c, byStranger, f.seq, ticket.CodeRole)
		})
	}

	full := inStatus(t, ticket.StatusOpen)
	for i := range ticket.MaxParticipants {
		full.mustDecide(2, byAgent, with(ticket.VerbAddParticipant, ticket.PersonID(fmt.Sprintf("P-%d", i))))
	}
	before := full.ticket
	checkRefused(t, before, full.decide(3, byStranger, reply), reply, byStranger, full.seq, ticket.CodeTooManyParticipants)
}
