package ticket_test

import (
	"slices"
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The cases are section 4 of Holesalemart's policy, and the mails to staff.
func TestMails_areAddedByEvents(t *testing.T) {
	said := func(verb ticket.Verb) ticket.Command { return ticket.Command{Verb: verb, Message: 9} }
	give := func(to ticket.PersonID) ticket.Command { return ticket.Command{Verb: ticket.VerbAssign, Assignee: to} }
	cases := map[string]struct {
		status ticket.Status // agentTwo has the ticket unless it is new
		by     ticket.Actor
		c      ticket.Command
		want   []string
	}{
		"assignment by someone": {"new", bySupervisor, give(agentOne), []string{"assignment to P-CUSTOMER", "assigned to P-AGENTONE"}},
		"assignment to oneself": {"new", byAgent, give(agentOne), []string{"assignment to P-CUSTOMER"}},
		"assignment by hand":    {"open", byOperator, give(agentOne), []string{"assignment to P-CUSTOMER", "assigned to P-AGENTONE"}},
		"information request":   {"open", byOtherAgent, said(ticket.VerbRequestInformation), []string{"information-request to P-CUSTOMER"}},
		"progress":              {"open", byOtherAgent, said(ticket.VerbProgressUpdate), []string{"progress to P-CUSTOMER"}},
		"reply":                 {"open", byOtherAgent, said(ticket.VerbAgentReply), []string{"reply to P-CUSTOMER"}},
		"reply that takes":      {"new", byAgent, said(ticket.VerbAgentReply), []string{"reply to P-CUSTOMER"}},
		"resolution":            {"open", byOtherAgent, said(ticket.VerbResolve), []string{"resolution to P-CUSTOMER"}},
		"closure":               {"resolved", byOtherAgent, said(ticket.VerbClose), []string{"closure to P-CUSTOMER"}},
		"confirmation":          {"resolved", byCustomer, said(ticket.VerbClose), []string{"closure to P-CUSTOMER"}},
		"withdrawal":            {"open", byCustomer, said(ticket.VerbWithdraw), []string{"closure to P-CUSTOMER"}},
		"reopening":             {"resolved", byOtherAgent, said(ticket.VerbReopen), []string{"reopening to P-CUSTOMER"}},
		"customer's reply":      {"open", byCustomer, said(ticket.VerbCustomerReply), []string{"customer-reply to P-AGENTTWO"}},
		"to no one":             {"new", byCustomer, said(ticket.VerbCustomerReply), nil},
		"that reopens":          {"resolved", byCustomer, said(ticket.VerbCustomerReply), []string{"customer-reply to P-AGENTTWO", "reopening to P-CUSTOMER"}},
		"note":                  {"open", byAgent, said(ticket.VerbNote), nil},
		"reclassification":      {"open", byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: "high"}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := inStatus(t, c.status)
			r := f.mustDecide(3, c.by, c.c)
			wantEqual(t, "mails", mailLines(r.Mails), c.want)
			checkMails(t, f.events, f.mails)
		})
	}
}

func TestMails_theSubmissionAddsAReceipt(t *testing.T) {
	f := submitted(t, plainPolicy)
	wantEqual(t, "mails", mailLines(f.mails), []string{"receipt to P-CUSTOMER"})
}

func TestMails_toStaffAboutPromises(t *testing.T) {
	unassigned := submitted(t, plainPolicy)
	unassigned.advance(124)
	wantEqual(t, "with no one", mailLines(unassigned.mails[1:]), []string{
		"reminder to supervisors", "escalation to supervisors", "escalation to supervisors", "escalation to administrators",
	})
	assigned := submitted(t, plainPolicy)
	assigned.mustDecide(1, byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne})
	assigned.advance(124)
	wantEqual(t, "with an agent", mailLines(assigned.mails[2:]), []string{
		"reminder to P-AGENTONE", "escalation to P-AGENTONE", "escalation to supervisors", "escalation to supervisors",
		"escalation to administrators",
	})
	for _, m := range assigned.mails[2:] {
		step := 0
		if m.Kind == ticket.MailEscalation {
			step = assigned.events[m.Event-1].EscalationStep
		}
		if m.Clock != policy.FirstResponse || m.EscalationStep != step {
			t.Errorf("the mail is about %s, step %d: %+v", m.Clock, m.EscalationStep, m)
		}
	}
	checkMails(t, assigned.events, assigned.mails)
}

// Also when the step names only the assignee and the ticket is unassigned.
func TestMails_anEscalationStepAlwaysReachesSomeone(t *testing.T) {
	document := "time_zone: UTC\nclocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 200h, counts: calendar}}\n" +
		"escalation: [{after: 0s, tell: [assignee]}, {after: 1h, tell: [assignee, administrators]}]\n"
	f := submitted(t, document)
	f.advance(2)
	wantEqual(t, "mails", mailLines(f.mails[1:]), []string{"escalation to supervisors", "escalation to administrators"})
	f = submitted(t, document)
	f.mustDecide(0, byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne})
	f.advance(1)
	wantEqual(t, "mails", mailLines(f.mails[2:]), []string{"escalation to P-AGENTONE"})
}

// checkMails checks that every mail is owed by an existing event, to one recipient, and of a kind for that recipient.
func checkMails(t testingT, events []ticket.Event, mails []ticket.Mail) {
	t.Helper()
	for _, m := range mails {
		if m.Event < 1 || m.Event > len(events) {
			t.Fatalf("mail %+v is owed by no event of %d", m, len(events))
		}
		recipients := 0
		for _, set := range []bool{m.Person != "", m.Audience != "", m.Named != ""} {
			if set {
				recipients++
			}
		}
		if recipients != 1 {
			t.Fatalf("mail %+v goes to a person, to an audience or to a handle", m)
		}
		if m.Kind.ToStaff() != (m.Person != customer && m.Person != stranger) || !slices.Contains(ticket.MailKinds(), m.Kind) {
			t.Fatalf("mail %+v goes to the wrong people", m)
		}
	}
}

var (
	internalEvents = []ticket.EventKind{
		ticket.EventNoted, ticket.EventReclassified, ticket.EventReminded, ticket.EventBreached, ticket.EventEscalated,
		ticket.EventAcknowledged, ticket.EventNoAgentAvailable, ticket.EventMailBounced, ticket.EventWebhookFailed, ticket.EventRefused,
		ticket.EventQuestionDelivered, ticket.EventMailResent, ticket.EventSnoozed, ticket.EventWoke,
		ticket.EventPersonMerged,
	}
	publicEvents = []ticket.EventKind{
		ticket.EventSubmitted, ticket.EventAssigned, ticket.EventCustomerReplied, ticket.EventAgentReplied,
		ticket.EventInformationRequested, ticket.EventProgressUpdated, ticket.EventResolved, ticket.EventClosed,
		ticket.EventReopened, ticket.EventNudged, ticket.EventPaused, ticket.EventExtended, ticket.EventResumed,
		ticket.EventPolicyAdopted, ticket.EventHandedBack, ticket.EventParticipantAdded, ticket.EventParticipantRemoved,
		ticket.EventRequesterChanged,
	}
)

func TestEventKind_internalEventsAreNotPublic(t *testing.T) {
	for _, k := range internalEvents {
		if k.Public() {
			t.Errorf("%s is public", k)
		}
	}
	for _, k := range publicEvents {
		if !k.Public() {
			t.Errorf("%s is internal", k)
		}
	}
	if ticket.EventKind("whatever comes").Public() {
		t.Error("an unknown event is public")
	}
}

func TestBounce_recordsOnlyAnEvent(t *testing.T) {
	f := inStatus(t, ticket.StatusWaiting)
	before := f.ticket
	r, err := ticket.RecordBounce(f.ticket, f.desk(), 3, 0, at(5))
	if err != nil {
		t.Fatal(err)
	}
	e := r.Events[0]
	if len(r.Events) != 1 || e.Kind != ticket.EventMailBounced || e.Mail != 3 || e.By != byDesk || !e.At.Equal(at(5)) || len(r.Mails) > 0 {
		t.Errorf("a bounce is %+v", r)
	}
	before.Events++
	if !r.Ticket.SilentSince.Equal(before.SilentSince) || r.Ticket.Events != before.Events || r.Ticket.Status != before.Status {
		t.Errorf("a bounce changed the ticket:\nfrom %+v\n  to %+v", before, r.Ticket)
	}
}
