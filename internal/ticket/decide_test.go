package ticket_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// statusTable repeats by hand, for each verb, who may use it, and for each status of a ticket the status that follows or,
// after an exclamation mark, the code of the refusal.
// C is the requester, A an agent, S a supervisor, D an administrator, O an operator in Temporal UI.
var statusTable = []statusRow{
	{ticket.VerbSubmit, "C", "!wrong-status", "!wrong-status", "!wrong-status", "!wrong-status"},
	{ticket.VerbAssign, "ASDO", "open", "open", "waiting", "resolved"},
	{ticket.VerbCustomerReply, "C", "new", "open", "open", "open"},
	{ticket.VerbAgentReply, "ASD", "open", "open", "waiting", "resolved"},
	{ticket.VerbRequestInformation, "ASD", "waiting", "waiting", "waiting", "!wrong-status"},
	{ticket.VerbProgressUpdate, "ASD", "open", "open", "waiting", "!wrong-status"},
	{ticket.VerbNote, "ASD", "new", "open", "waiting", "resolved"},
	{ticket.VerbReclassify, "ASDO", "new", "open", "waiting", "resolved"},
	{ticket.VerbResolve, "ASDO", "resolved", "resolved", "resolved", "!wrong-status"},
	{ticket.VerbClose, "ASDO", "closed", "closed", "closed", "closed"},
	{ticket.VerbClose, "C", "!not-resolved", "!not-resolved", "!not-resolved", "closed"},
	{ticket.VerbReopen, "ASDO", "!wrong-status", "!wrong-status", "open", "open"},
	{ticket.VerbWithdraw, "C", "closed", "closed", "closed", "closed"},
	{ticket.VerbAcknowledge, "ASDO", "!nothing-to-change", "!nothing-to-change", "!nothing-to-change", "!nothing-to-change"},
	{ticket.VerbEmergencyPause, "SDO", "new", "open", "waiting", "resolved"},
	{ticket.VerbEmergencyExtend, "SDO", "new", "open", "waiting", "resolved"},
	{ticket.VerbEmergencyResume, "SDO", "!no-emergency", "!no-emergency", "!no-emergency", "!no-emergency"},
	{ticket.VerbAdoptPolicy, "SDO", "!no-such-policy", "!no-such-policy", "!no-such-policy", "!no-such-policy"},
	{ticket.VerbSnooze, "ASDO", "new", "open", "waiting", "resolved"},
	{ticket.VerbWake, "ASDO", "!nothing-to-change", "!nothing-to-change", "!nothing-to-change", "!nothing-to-change"},
	{ticket.VerbResend, "ASD", "new", "open", "waiting", "resolved"},
	{ticket.VerbAddParticipant, "ASD", "new", "open", "waiting", "resolved"},
	{ticket.VerbRemoveParticipant, "ASD", "!nothing-to-change", "!nothing-to-change", "!nothing-to-change", "!nothing-to-change"},
	{ticket.VerbChangeRequester, "ASD", "new", "open", "waiting", "resolved"},
	{ticket.VerbLeave, "C", "!is-requester", "!is-requester", "!is-requester", "!is-requester"},
	{ticket.VerbMergePerson, "ASD", "new", "open", "waiting", "resolved"},
	{ticket.VerbMergePerson, "C", "!not-allowed", "!not-allowed", "!not-allowed", "!not-allowed"}, // into someone else
	{ticket.VerbSubmit, "CASD", "!wrong-status", "!wrong-status", "!wrong-status", "!wrong-status"},
}

type statusRow struct {
	verb                         ticket.Verb
	who                          string
	new, open, waiting, resolved string
}

var actors = []struct {
	letter string
	actor  ticket.Actor
}{
	{"C", byCustomer},
	{"", byStranger}, // a customer who is not the requester
	{"A", byAgent},
	{"S", bySupervisor},
	{"D", byAdministrator},
	{"O", byOperator},
	{"", byDesk},
	{"", ticket.Actor{ID: agentOne, Role: "janitor"}},
}

// inStatus returns a fixture whose ticket has a status and, unless it is new, is assigned to agentTwo.
func inStatus(t *testing.T, status ticket.Status) *fixture {
	t.Helper()
	f := submitted(t, plainPolicy)
	if status == ticket.StatusNew {
		return f
	}
	f.mustDecide(1, byOtherAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentTwo, Handle: "two"})
	switch status {
	case ticket.StatusWaiting:
		f.write(2, byOtherAgent, ticket.VerbRequestInformation)
	case ticket.StatusResolved:
		f.write(2, byOtherAgent, ticket.VerbResolve)
	case ticket.StatusClosed:
		f.do(2, byOtherAgent, ticket.VerbClose)
	}
	if f.ticket.Status != status {
		t.Fatalf("the ticket is %s, want %s", f.ticket.Status, status)
	}
	return f
}

// complete returns a command of a verb with every field set.
func complete(verb ticket.Verb) ticket.Command {
	return ticket.Command{
		Verb: verb, Message: 7, Assignee: agentOne, Handle: "one", Priority: policy.PriorityHigh, Category: "delivery",
		Emergency: "E-1", Extension: time.Hour, Until: at(200), Resend: &ticket.BouncedMail{Mail: 1, Kind: ticket.MailAssigned, Person: agentTwo, Bounced: true},
		Person: "P-NEWCOMER", Merged: customer,
	}
}

func TestDecide_everyVerbInEveryStatusByEveryRole(t *testing.T) {
	for _, verb := range append(ticket.Signals(), ticket.VerbSubmit, "drop-table") {
		for _, status := range ticket.Statuses() {
			for _, who := range actors {
				name := fmt.Sprintf("%s/%s/%s-%s", verb, status, who.actor.Role, who.actor.ID)
				want := expectedOutcome(verb, status, who.letter)
				t.Run(name, func(t *testing.T) { checkStatus(t, verb, status, who.actor, want) })
			}
		}
	}
}

// expectedOutcome looks up the next status, or the code of the refusal after an exclamation mark.
func expectedOutcome(verb ticket.Verb, status ticket.Status, letter string) string {
	want := "!" + ticket.CodeUnknownVerb
	for _, row := range statusTable {
		if row.verb != verb {
			continue
		}
		if letter != "" && strings.Contains(row.who, letter) {
			closed := "!" + ticket.CodeClosed
			switch verb {
			case ticket.VerbResend, ticket.VerbMergePerson:
				closed = "closed"
				if strings.HasPrefix(row.resolved, "!") {
					closed = row.resolved
				}
			case ticket.VerbRemoveParticipant, ticket.VerbLeave:
				closed = row.resolved
			}
			return map[ticket.Status]string{
				ticket.StatusNew: row.new, ticket.StatusOpen: row.open, ticket.StatusWaiting: row.waiting,
				ticket.StatusResolved: row.resolved, ticket.StatusClosed: closed,
			}[status]
		}
		want = "!" + ticket.CodeRole
	}
	return want
}

func checkStatus(t *testing.T, verb ticket.Verb, status ticket.Status, by ticket.Actor, want string) {
	t.Helper()
	f := inStatus(t, status)
	before := f.ticket
	r := f.decide(3, by, complete(verb))
	code, refused := strings.CutPrefix(want, "!")
	if refused {
		checkRefused(t, before, r, complete(verb), by, f.seq, code)
		return
	}
	if r.Outcome != (ticket.Outcome{}) {
		t.Fatalf("refused with %q (%s)", r.Outcome.Code, r.Outcome.Reason)
	}
	if string(r.Ticket.Status) != want {
		t.Errorf("the status is %s, want %s", r.Ticket.Status, want)
	}
	for _, e := range r.Events {
		if e.By != by || e.Command != f.seq || !e.At.Equal(at(3)) {
			t.Errorf("event %s is by %v of command %d at %s", e.Kind, e.By, e.Command, e.At)
		}
	}
}

// checkRefused checks that a refusal adds an event and changes nothing else.
func checkRefused(t *testing.T, before ticket.Ticket, r ticket.Result, c ticket.Command, by ticket.Actor, seq int64, code string) {
	t.Helper()
	if !r.Outcome.Refused || r.Outcome.Code != code || r.Outcome.Reason == "" {
		t.Fatalf("the outcome is %+v, want a refusal with %q and a reason", r.Outcome, code)
	}
	before.Events++
	if by.ID == before.Requester {
		before.LatestMessages.Listed++
		before.LatestMessages.Own++
	}
	want := []ticket.Event{{
		N: before.Events, Kind: ticket.EventRefused, At: at(3), By: by, Command: seq, Message: c.Message, Verb: c.Verb, Code: code,
	}}
	if !reflect.DeepEqual(r.Events, want) {
		t.Errorf("the events are %+v, want %+v", r.Events, want)
	}
	if len(r.Mails) > 0 {
		t.Errorf("a refusal owes %v", mailLines(r.Mails))
	}
	if !reflect.DeepEqual(r.Ticket, before) {
		t.Errorf("a refusal changed the ticket:\nfrom %+v\n  to %+v", before, r.Ticket)
	}
}

func TestDecide_refusesIncompleteCommands(t *testing.T) {
	long := 366 * 24 * time.Hour
	cases := map[string]struct {
		by   ticket.Actor
		c    ticket.Command
		code string
	}{
		"a customer's reply without words":  {byCustomer, ticket.Command{Verb: ticket.VerbCustomerReply}, ticket.CodeBodyMissing},
		"an agent's reply without words":    {byAgent, ticket.Command{Verb: ticket.VerbAgentReply}, ticket.CodeBodyMissing},
		"a request without words":           {byAgent, ticket.Command{Verb: ticket.VerbRequestInformation}, ticket.CodeBodyMissing},
		"progress without words":            {byAgent, ticket.Command{Verb: ticket.VerbProgressUpdate}, ticket.CodeBodyMissing},
		"a note without words":              {byAgent, ticket.Command{Verb: ticket.VerbNote}, ticket.CodeBodyMissing},
		"an assignment to no one":           {byAgent, ticket.Command{Verb: ticket.VerbAssign}, ticket.CodeNoAgent},
		"an assignment to who has it":       {byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentTwo}, ticket.CodeNothing},
		"a guarded assignment, too late":    {byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne, Guarded: true}, ticket.CodeTaken},
		"one that expects someone else":     {byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne, Guarded: true, Expected: supervisor}, ticket.CodeTaken},
		"one to who has it, unexpectedly":   {byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentTwo, Guarded: true}, ticket.CodeNothing},
		"no change of class":                {byAgent, ticket.Command{Verb: ticket.VerbReclassify}, ticket.CodeNothing},
		"the same class":                    {byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: "normal", Category: "general"}, ticket.CodeNothing},
		"a category of another policy":      {byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: "high", Category: "boats"}, ticket.CodeWrongCategory},
		"an unknown priority":               {byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: "huge", Category: "delivery"}, ticket.CodeMalformed},
		"an extension by nothing":           {bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyExtend, Emergency: "E"}, ticket.CodeMalformed},
		"an extension into the past":        {bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: -time.Hour}, ticket.CodeMalformed},
		"an extension by half a second":     {bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: 1500 * time.Millisecond}, ticket.CodeMalformed},
		"an extension by over a year":       {bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: long + time.Second}, ticket.CodeMalformed},
		"a policy that isn't there":         {bySupervisor, ticket.Command{Verb: ticket.VerbAdoptPolicy, Policy: 9}, ticket.CodeNoPolicy},
		"the policy that it is under":       {bySupervisor, ticket.Command{Verb: ticket.VerbAdoptPolicy, Policy: 1, Adopt: policy.Default()}, ticket.CodeNothing},
		"what came by hand, unreadable":     {byOperator, ticket.Command{Verb: ticket.VerbResolve, Malformed: true}, ticket.CodeMalformed},
		"a participant without a person":    {byAgent, ticket.Command{Verb: ticket.VerbAddParticipant}, ticket.CodeNoPerson},
		"the requester as a participant":    {byAgent, ticket.Command{Verb: ticket.VerbAddParticipant, Person: customer}, ticket.CodeNothing},
		"the requester removed":             {byAgent, ticket.Command{Verb: ticket.VerbRemoveParticipant, Person: customer}, ticket.CodeIsRequester},
		"a requester without a person":      {byAgent, ticket.Command{Verb: ticket.VerbChangeRequester}, ticket.CodeNoPerson},
		"the same requester":                {byAgent, ticket.Command{Verb: ticket.VerbChangeRequester, Person: customer}, ticket.CodeNothing},
		"a contact without a person":        {byAgent, ticket.Command{Verb: ticket.VerbMergePerson, Person: stranger}, ticket.CodeNoPerson},
		"a contact merged into themselves":  {byAgent, ticket.Command{Verb: ticket.VerbMergePerson, Person: customer, Merged: customer}, ticket.CodeNoPerson},
		"a contact who is not in it":        {byAgent, ticket.Command{Verb: ticket.VerbMergePerson, Person: customer, Merged: stranger}, ticket.CodeNothing},
		"words by hand, without their role": {byOperator, ticket.Command{Verb: ticket.VerbNote}, ticket.CodeRole},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := inStatus(t, ticket.StatusOpen)
			before := f.ticket
			checkRefused(t, before, f.decide(3, c.by, c.c), c.c, c.by, f.seq, c.code)
		})
	}
}

// The expected assignee may be none.
func TestAssign_guardedSucceedsOnlyWithTheExpectedAssignee(t *testing.T) {
	for status, expected := range map[ticket.Status]ticket.PersonID{ticket.StatusNew: "", ticket.StatusOpen: agentTwo} {
		f := inStatus(t, status)
		f.mustDecide(3, byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne, Guarded: true, Expected: expected})
		if f.ticket.Assignee != agentOne {
			t.Errorf("%q has the %s ticket", f.ticket.Assignee, status)
		}
	}
}

func TestMayAsk_agreesWithTheTable(t *testing.T) {
	for _, who := range actors[:6] {
		for _, verb := range append(ticket.Signals(), ticket.VerbSubmit, "drop-table") {
			want := false
			for _, row := range statusTable {
				want = want || row.verb == verb && who.letter != "" && strings.Contains(row.who, who.letter)
			}
			if who.actor.ID == stranger {
				want = ticket.MayAsk(ticket.RoleCustomer, verb)
			}
			if got := ticket.MayAsk(who.actor.Role, verb); got != want {
				t.Errorf("MayAsk(%s, %s) = %v, want %v", who.actor.Role, verb, got, want)
			}
		}
	}
	if ticket.MayAsk(ticket.RoleDesk, ticket.VerbClose) {
		t.Error("the desk itself asks for nothing")
	}
}

func TestSignals_listsEveryVerbButSubmitOnce(t *testing.T) {
	seen := map[ticket.Verb]bool{ticket.VerbSubmit: true}
	for _, verb := range ticket.Signals() {
		if seen[verb] {
			t.Errorf("%s is there twice, or is no signal", verb)
		}
		seen[verb] = true
	}
	for _, row := range statusTable {
		if !seen[row.verb] {
			t.Errorf("%s is no signal", row.verb)
		}
	}
}
