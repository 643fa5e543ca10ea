package ticket_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// plainPolicy counts calendar time, so that every time in a test is a number of hours after the submission.
const plainPolicy = `
time_zone: UTC
clocks:
  first_response: {target: 100h, counts: calendar, remind_at: 75%}
  resolution: {target: 200h, counts: calendar, remind_at: 80%, pauses: [waiting, resolved]}
silence: {nudge_after: 24h, resolve_after: 72h, close_after: 48h}
escalation:
  - {after: 0s, tell: [assignee, supervisors], raise_priority: true}
  - {after: 24h, tell: [supervisors, administrators]}
categories: [general, delivery]
`

const (
	customer      ticket.PersonID = "P-CUSTOMER"
	stranger      ticket.PersonID = "P-STRANGER"
	agentOne      ticket.PersonID = "P-AGENTONE"
	agentTwo      ticket.PersonID = "P-AGENTTWO"
	supervisor    ticket.PersonID = "P-SUPERVISOR"
	administrator ticket.PersonID = "P-ADMINISTRATOR"

	number ticket.Number = "HM-7Q2K9XM4TD"
)

var (
	byCustomer      = ticket.Actor{ID: customer, Role: ticket.RoleCustomer}
	byStranger      = ticket.Actor{ID: stranger, Role: ticket.RoleCustomer}
	byAgent         = ticket.Actor{ID: agentOne, Role: ticket.RoleAgent}
	byOtherAgent    = ticket.Actor{ID: agentTwo, Role: ticket.RoleAgent}
	bySupervisor    = ticket.Actor{ID: supervisor, Role: ticket.RoleSupervisor}
	byAdministrator = ticket.Actor{ID: administrator, Role: ticket.RoleAdministrator}
	byOperator      = ticket.Actor{Role: ticket.RoleOperator}
	byDesk          = ticket.Actor{Role: ticket.RoleDesk}
)

// testingT is a test of the testing package or of rapid.
type testingT interface {
	Helper()
	Fatalf(format string, args ...any)
}

func parse(t testingT, document string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(document))
	if err != nil {
		t.Fatalf("parse the policy of the test: %v", err)
	}
	return p
}

// submission is when every ticket of these tests is submitted, a Monday.
var submission = time.Date(2026, time.November, 23, 10, 0, 0, 0, time.UTC)

// fixture is a ticket in a test, with all events, mails and calls so far. Times are in hours after the submission.
type fixture struct {
	t        *testing.T
	policy   *policy.Policy
	schedule ticket.EmergencySchedule
	ticket   ticket.Ticket
	seq      int64
	events   []ticket.Event
	mails    []ticket.Mail
	rosters  ticket.Rosters // agents available for assignment by rules
	lacks    string         // the roster that the last decision lacked
	calls    []ticket.WebhookCall
	outcome  ticket.Outcome
	mailed   bool // the requester gets mails: silence counts from their delivery, which the test must report
}

// submitted returns a fixture whose ticket has just been submitted.
func submitted(t *testing.T, document string) *fixture {
	t.Helper()
	p := parse(t, document)
	f := &fixture{t: t, policy: p, ticket: ticket.Draft(number, customer, 1, p)}
	f.mustDecide(0, byCustomer, ticket.Command{
		Verb: ticket.VerbSubmit, Message: 1, Priority: policy.PriorityNormal, Category: p.Categories[0],
	})
	return f
}

func at(hours float64) time.Time { return submission.Add(time.Duration(hours * float64(time.Hour))) }

func (f *fixture) desk() ticket.Environment {
	return ticket.Environment{Policy: f.policy, Schedule: f.schedule, Rosters: f.rosters, RequesterDisabled: !f.mailed}
}

// decide decides a command accepted so many hours after the submission.
func (f *fixture) decide(hours float64, by ticket.Actor, c ticket.Command) ticket.Result {
	f.t.Helper()
	f.seq++
	c.Seq, c.By, c.At = f.seq, by, at(hours)
	r, err := ticket.Decide(f.ticket, f.desk(), c)
	if err != nil {
		f.t.Fatalf("take %s: %v", c.Verb, err)
	}
	f.outcome = r.Outcome
	f.add(r)
	return r
}

func (f *fixture) mustDecide(hours float64, by ticket.Actor, c ticket.Command) ticket.Result {
	f.t.Helper()
	r := f.decide(hours, by, c)
	if r.Outcome.Refused {
		f.t.Fatalf("%s by %s at %gh is refused: %s", c.Verb, by.Role, hours, r.Outcome.Code)
	}
	return r
}

// write decides a command with a message, which must succeed.
func (f *fixture) write(hours float64, by ticket.Actor, verb ticket.Verb) ticket.Result {
	f.t.Helper()
	return f.mustDecide(hours, by, ticket.Command{Verb: verb, Message: f.seq + 100})
}

// do decides a command without a message, which must succeed.
func (f *fixture) do(hours float64, by ticket.Actor, verb ticket.Verb) ticket.Result {
	f.t.Helper()
	return f.mustDecide(hours, by, ticket.Command{Verb: verb})
}

// advance fires everything due up to a time.
func (f *fixture) advance(hours float64) ticket.Result {
	f.t.Helper()
	r, err := ticket.Advance(f.ticket, f.desk(), at(hours))
	if err != nil {
		f.t.Fatalf("advance to %gh: %v", hours, err)
	}
	f.add(r)
	return r
}

func (f *fixture) add(r ticket.Result) {
	f.ticket, f.rosters, f.lacks = r.Ticket, r.Rosters, r.MissingRoster
	f.events = append(f.events, r.Events...)
	f.mails = append(f.mails, r.Mails...)
	f.calls = append(f.calls, r.Calls...)
}

// automatic formats the events by the desk itself, such as "breached first_response 100".
func automatic(events []ticket.Event) []string {
	var lines []string
	for _, e := range events {
		if e.By != byDesk {
			continue
		}
		line := fmt.Sprintf("%s %s %g", e.Kind, e.Promise, e.At.Sub(submission).Hours())
		if e.EscalationStep > 0 {
			line = fmt.Sprintf("%s %s step %d %g", e.Kind, e.Promise, e.EscalationStep, e.At.Sub(submission).Hours())
		}
		lines = append(lines, strings.ReplaceAll(line, "  ", " "))
	}
	return lines
}

// mailLines formats mails as "kind to recipient".
func mailLines(mails []ticket.Mail) []string {
	var lines []string
	for _, m := range mails {
		lines = append(lines, string(m.Kind)+" to "+string(m.Person)+string(m.Audience)+m.Named)
	}
	return lines
}

func kinds(events []ticket.Event) []ticket.EventKind {
	var all []ticket.EventKind
	for _, e := range events {
		all = append(all, e.Kind)
	}
	return all
}

func wantEqual[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func wantTime(t *testing.T, what string, got time.Time, hours float64) {
	t.Helper()
	if !got.Equal(at(hours)) {
		t.Errorf("%s is %s, want %s (%gh)", what, got, at(hours), hours)
	}
}

// wantZero checks that a time is zero.
func wantZero(t *testing.T, what string, got time.Time) {
	t.Helper()
	if !got.IsZero() {
		t.Errorf("%s is %s, want never", what, got)
	}
}

// wantDue checks a deadline, in hours after the submission.
func (f *fixture) wantDue(name policy.ClockName, hours float64) {
	f.t.Helper()
	due, ok := f.ticket.Promise(name).Clock.Due()
	if !ok {
		f.t.Errorf("%s has no deadline, want %gh", name, hours)
		return
	}
	wantTime(f.t, string(name)+" due", due, hours)
}

// roundTrip returns a state after encoding and decoding it as JSON.
func roundTrip(t testingT, s ticket.State) ticket.State {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("write the state: %v", err)
	}
	var back ticket.State
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("read the state: %v", err)
	}
	if !reflect.DeepEqual(back, s) {
		t.Fatalf("the state changed in JSON:\n was %+v\n  is %+v\nJSON %s", s, back, data)
	}
	return back
}
