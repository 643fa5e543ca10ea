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

// plain counts calendar time, so that every instant of a test is a number of hours after the submission.
const plain = `
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
	byHand          = ticket.Actor{Role: ticket.RoleOperator}
	byDesk          = ticket.Actor{Role: ticket.RoleDesk}
)

// fataler is a test of the testing package or of rapid.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func parse(t fataler, document string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(document))
	if err != nil {
		t.Fatalf("parse the policy of the test: %v", err)
	}
	return p
}

// birth is when every ticket of these tests is submitted: a Monday.
var birth = time.Date(2026, time.November, 23, 10, 0, 0, 0, time.UTC)

// life is a ticket in a test. It takes commands at hours after the birth and remembers what followed.
type life struct {
	t       *testing.T
	policy  *policy.Policy
	gate    ticket.Gate
	ticket  ticket.Ticket
	seq     int64
	events  []ticket.Event
	mails   []ticket.Mail
	rosters ticket.Rosters // who is there to be given tickets by rule
	lacks   string         // the roster that the last step asked for
	calls   []ticket.Call
	outcome ticket.Outcome
	mailed  bool // the requester is owed mails: silence counts from their delivery, which a test has to tell of
}

// submitted is a life whose ticket has just been accepted.
func submitted(t *testing.T, document string) *life {
	t.Helper()
	p := parse(t, document)
	l := &life{t: t, policy: p, ticket: ticket.Draft(number, customer, 1, p)}
	l.granted(0, byCustomer, ticket.Command{
		Verb: ticket.VerbSubmit, Message: 1, Priority: policy.PriorityNormal, Category: p.Categories[0],
	})
	return l
}

func at(hours float64) time.Time { return birth.Add(time.Duration(hours * float64(time.Hour))) }

func (l *life) desk() ticket.Desk {
	return ticket.Desk{Policy: l.policy, Gate: l.gate, Rosters: l.rosters, Unmailed: !l.mailed}
}

// take lets the ticket take a command accepted so many hours after its birth.
func (l *life) take(hours float64, by ticket.Actor, c ticket.Command) ticket.Result {
	l.t.Helper()
	l.seq++
	c.Seq, c.By, c.At = l.seq, by, at(hours)
	r, err := ticket.Take(l.ticket, l.desk(), c)
	if err != nil {
		l.t.Fatalf("take %s: %v", c.Verb, err)
	}
	l.outcome = r.Outcome
	l.keep(r)
	return r
}

func (l *life) granted(hours float64, by ticket.Actor, c ticket.Command) ticket.Result {
	l.t.Helper()
	r := l.take(hours, by, c)
	if r.Outcome.Refused {
		l.t.Fatalf("%s by %s at %gh is refused: %s", c.Verb, by.Role, hours, r.Outcome.Code)
	}
	return r
}

// says lets somebody ask for a verb with words.
func (l *life) says(hours float64, by ticket.Actor, verb ticket.Verb) ticket.Result {
	l.t.Helper()
	return l.granted(hours, by, ticket.Command{Verb: verb, Message: l.seq + 100})
}

// does lets somebody ask for a verb without words.
func (l *life) does(hours float64, by ticket.Actor, verb ticket.Verb) ticket.Result {
	l.t.Helper()
	return l.granted(hours, by, ticket.Command{Verb: verb})
}

// until lets everything fall due that does so.
func (l *life) until(hours float64) ticket.Result {
	l.t.Helper()
	r, err := ticket.Advance(l.ticket, l.desk(), at(hours))
	if err != nil {
		l.t.Fatalf("advance to %gh: %v", hours, err)
	}
	l.keep(r)
	return r
}

func (l *life) keep(r ticket.Result) {
	l.ticket, l.rosters, l.lacks = r.Ticket, r.Rosters, r.Lacks
	l.events = append(l.events, r.Events...)
	l.mails = append(l.mails, r.Mails...)
	l.calls = append(l.calls, r.Calls...)
}

// moments writes what the desk did by itself, such as "breached first_response 100".
func moments(events []ticket.Event) []string {
	var lines []string
	for _, e := range events {
		if e.By != byDesk {
			continue
		}
		line := fmt.Sprintf("%s %s %g", e.Kind, e.Promise, e.At.Sub(birth).Hours())
		if e.Rung > 0 {
			line = fmt.Sprintf("%s %s rung %d %g", e.Kind, e.Promise, e.Rung, e.At.Sub(birth).Hours())
		}
		lines = append(lines, strings.ReplaceAll(line, "  ", " "))
	}
	return lines
}

// owed writes mails as "kind to whom".
func owed(mails []ticket.Mail) []string {
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

func same[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func instant(t *testing.T, what string, got time.Time, hours float64) {
	t.Helper()
	if !got.Equal(at(hours)) {
		t.Errorf("%s is %s, want %s (%gh)", what, got, at(hours), hours)
	}
}

// never checks that an instant is the zero one.
func never(t *testing.T, what string, got time.Time) {
	t.Helper()
	if !got.IsZero() {
		t.Errorf("%s is %s, want never", what, got)
	}
}

// due is the recorded deadline in hours after the birth.
func (l *life) due(name policy.ClockName, hours float64) {
	l.t.Helper()
	due, ok := l.ticket.Promise(name).Clock.Due()
	if !ok {
		l.t.Errorf("%s has no deadline, want %gh", name, hours)
		return
	}
	instant(l.t, string(name)+" due", due, hours)
}

// reread is a state after a stay in a history.
func reread(t fataler, s ticket.State) ticket.State {
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
