package workflows_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/worker"
	"github.com/holesalemart/supportdesk/workflows"
)

const number ticket.Number = "HM-7Q2K9XM4TD"

// begin is a Monday far away: the SDK holds a local activity's next try against the machine's clock.
var begin = time.Date(2099, 11, 2, 10, 0, 0, 0, time.UTC)

// testPolicy has no two things fall due at the same time that need not.
const testPolicy = `
time_zone: UTC
clocks:
  first_response: {target: 24h, counts: calendar, remind_at: 50%}
  resolution: {target: 72h, counts: calendar, remind_at: 75%, pauses: [waiting, resolved]}
silence: {nudge_after: 1d, resolve_after: 2d, close_after: 3d}
escalation:
  - {after: 0s, tell: [assignee, supervisors], raise_priority: true}
  - {after: 6h, tell: [supervisors]}
  - {after: 12h, tell: [supervisors, administrators]}
`

func parse(t testing.TB, document string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(document))
	if err != nil {
		t.Fatalf("parse the policy: %v", err)
	}
	return p
}

// fixture runs a ticket's workflow in skipped time and records what it did.
type fixture struct {
	t    *testing.T
	env  *testsuite.TestWorkflowEnvironment
	desk *desktest.Desk

	immediate *activities.ImmediateMails // nil: mails are sent by regular activities only

	behind time.Duration // by how much the database's clock is

	timers     []time.Duration  // asked for, in order
	attributes []map[string]any // search attributes, as they were written
	regular    []string         // types of the activities that were not local

	mu   sync.Mutex
	sent []ticket.Owed // in the order of sending
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixtureUnder(t, testPolicy)
}

func newFixtureUnder(t *testing.T, document string) *fixture {
	t.Helper()
	s := &fixture{t: t}
	s.desk = desktest.New(parse(t, document), func() time.Time { return s.env.Now().Add(-s.behind) })
	s.mails(func(ticket.Owed) (bool, error) { return false, nil })
	s.set(begin)
	return s
}

// set creates an environment for one run of the workflow.
func (s *fixture) set(at time.Time) {
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s.env = suite.NewTestWorkflowEnvironment()
	s.env.SetStartTime(at)
	s.env.SetTestTimeout(20 * time.Second)
	s.env.SetWorkerOptions(sdkworker.Options{Interceptors: []interceptor.WorkerInterceptor{&unlimitedRetries{regular: &s.regular}}})
	worker.RegisterTickets(s.env, activities.NewSteps(s.desk, s.immediate))
	worker.RegisterMails(s.env, activities.NewMails(s.desk, time.Second))
	worker.RegisterWebhooks(s.env, activities.NewWebhooks(s.desk))
	s.env.SetOnTimerScheduledListener(func(_ string, d time.Duration) { s.timers = append(s.timers, d) })
	s.env.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
		card := map[string]any{}
		for key, value := range args.Get(0).(temporal.SearchAttributes).GetUntypedValues() {
			card[key.GetName()] = value
		}
		s.attributes = append(s.attributes, card)
	}).Return(nil)
}

// mails says what the mail server does. What it accepts is noted in sent.
func (s *fixture) mails(server func(ticket.Owed) (bool, error)) {
	s.desk.OnMail(func(_ context.Context, m ticket.Owed) (bool, error) {
		bounced, err := server(m)
		if err == nil && !bounced {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sent = append(s.sent, m)
		}
		return bounced, err
	})
}

// at has f happen some time after the submission.
func (s *fixture) at(d time.Duration, f func()) { s.env.RegisterDelayedCallback(f, d) }

// ask has a command accepted and delivered some time after the submission.
func (s *fixture) ask(d time.Duration, c ticket.Command) {
	s.at(d, func() { s.deliver(s.desk.Accept(number, c)) })
}

// deliver signals a command.
func (s *fixture) deliver(c ticket.Command) {
	s.env.SignalWorkflow(string(c.Verb), signal(c))
}

func signal(c ticket.Command) workflows.Signal {
	return workflows.Signal{Seq: c.Seq, By: string(c.By.Role), At: c.At}
}

// signalByHand signals the workflow as a person in Temporal UI does.
func (s *fixture) signalByHand(d time.Duration, verb ticket.Verb, payload any) {
	s.at(d, func() { s.env.SignalWorkflow(string(verb), payload) })
}

// closeAt closes the ticket; everything due by then has happened.
func (s *fixture) closeAt(d time.Duration) {
	s.ask(d, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// run submits the ticket and runs the workflow to its end. It fails if the workflow does.
func (s *fixture) run() {
	s.t.Helper()
	s.desk.Submit(number)
	s.execute(workflows.Start{Number: number})
	if err := s.env.GetWorkflowError(); err != nil {
		s.t.Fatalf("the workflow failed: %v", err)
	}
}

// execute runs one run of the workflow to its end.
func (s *fixture) execute(start workflows.Start) {
	s.t.Helper()
	s.env.ExecuteWorkflow(workflows.TicketWorkflow, start)
	if !s.env.IsWorkflowCompleted() {
		s.t.Fatalf("the workflow did not end; so far:\n%s", strings.Join(s.timeline(), "\n"))
	}
}

// report queries the running workflow.
func (s *fixture) report() workflows.Report {
	s.t.Helper()
	var report workflows.Report
	value, err := s.env.QueryWorkflow(workflows.TicketQuery)
	if err == nil {
		err = value.Get(&report)
	}
	if err != nil {
		s.t.Errorf("query: %v", err)
	}
	return report
}

// checkMails compares the mails that were sent with those that were owed, and checks the order for each recipient. The
// order across recipients is undefined, so want is in the order of the mails' numbers.
func (s *fixture) checkMails(want ...string) {
	s.t.Helper()
	last := map[ticket.PersonID]int{}
	for _, m := range s.sent {
		if m.N <= last[m.To] {
			s.t.Errorf("mail %d was sent to %s after mail %d", m.N, m.To, last[m.To])
		}
		last[m.To] = m.N
	}
	sorted := slices.SortedFunc(slices.Values(s.sent), func(a, b ticket.Owed) int { return a.N - b.N })
	var lines []string
	for _, m := range sorted {
		lines = append(lines, fmt.Sprintf("%d %s to %s", m.N, m.Kind, m.To))
	}
	equal(s.t, "mails", lines, want)
}

// timeline returns a line for each event: "24h0m0s escalated first_response 1".
func (s *fixture) timeline() []string {
	var lines []string
	for _, e := range s.desk.Events(number) {
		line := fmt.Sprintf("%s %s", e.At.Sub(begin), e.Kind)
		if e.Promise != "" {
			line += " " + string(e.Promise)
		}
		if e.EscalationStep > 0 {
			line += fmt.Sprintf(" %d", e.EscalationStep)
		}
		if e.Cause != "" {
			line += " by " + string(e.Cause)
		}
		if e.Kind == ticket.EventRefused {
			line += fmt.Sprintf(" %s: %s", e.Verb, e.Code)
		}
		lines = append(lines, line)
	}
	return lines
}

// checkTimeline compares the timeline, and checks that events are numbered without a gap.
func (s *fixture) checkTimeline(want ...string) {
	s.t.Helper()
	equal(s.t, "timeline", s.timeline(), want)
	for i, e := range s.desk.Events(number) {
		if e.N != i+1 {
			s.t.Errorf("event %d has the number %d", i+1, e.N)
		}
	}
}

func equal(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n  %s\nwant:\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

var (
	alice    = ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}
	customer = ticket.Actor{ID: desktest.Customer, Role: ticket.RoleCustomer}
	super    = ticket.Actor{ID: desktest.Supervisor, Role: ticket.RoleSupervisor}

	away = fault.New(fault.Unavailable, "PostgreSQL does not answer")
)

func assignToAlice() ticket.Command {
	return ticket.Command{Verb: ticket.VerbAssign, By: super, Assignee: desktest.Alice, Handle: "alice"}
}

// words is a command with a message.
func words(by ticket.Actor, verb ticket.Verb) ticket.Command {
	return ticket.Command{Verb: verb, By: by, Message: 7, Handle: "alice"}
}
