package workflows_test

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// fastPolicy has promises that are overdue within seconds.
const fastPolicy = `
time_zone: UTC
clocks:
  first_response: {target: 2s, counts: calendar, remind_at: 50%}
  resolution: {target: 7s, counts: calendar, remind_at: 90%, pauses: [waiting, resolved]}
silence: {nudge_after: 1s, resolve_after: 2s, close_after: 1s}
escalation:
  - {after: 0s, tell: [assignee, supervisors], raise_priority: true}
  - {after: 1s, tell: [supervisors]}
  - {after: 2s, tell: [supervisors, administrators]}
`

// webhookPolicy is fastPolicy with webhooks in every escalation step.
const webhookPolicy = `
time_zone: UTC
clocks:
  first_response: {target: 2s, counts: calendar, remind_at: 50%}
  resolution: {target: 7s, counts: calendar, remind_at: 90%, pauses: [waiting, resolved]}
escalation:
  - {after: 0s, tell: [assignee, supervisors, {webhook: pager}], raise_priority: true}
  - {after: 1s, tell: [supervisors, {webhook: pager}, {webhook: chat}]}
  - {after: 2s, tell: [supervisors, administrators, {webhook: chat}]}
`

// scenario is a life on a real server. It ends with the ticket closed.
type scenario struct {
	name   string
	policy string
	play   func(*desktest.Site)
}

var scenarios = []scenario{
	{"answered", testPolicy, answered},
	{"escalated", fastPolicy, escalated},
	{"silence", fastPolicy, silence},
	{"burst", testPolicy, burst},
	{"outages", testPolicy, outages},
	{"manual", testPolicy, manual},
	{"reopened", testPolicy, reopened},
	{"taken-over", testPolicy, takenOver},
	{"continued", testPolicy, continued},
	{"webhook", webhookPolicy, escalated},
	{"adopted", testPolicy, adopted},
	{"schedule", testPolicy, schedule},
	{"parked", testPolicy, parked},
	{"reconciled", testPolicy, reconciled},
	{"sent-now", testPolicy, sentNow},
	{"sent-now-deferred", testPolicy, sentNowDeferred},
	{"sent-now-bounced", testPolicy, sentNowBounced},
	{"sent-now-continued", testPolicy, sentNowContinued},
	{"sent-by-step", testPolicy, sentNow},
	{"sent-by-step-deferred", testPolicy, sentNowDeferred},
	{"sent-by-step-bounced", testPolicy, sentNowBounced},
	{"sent-by-step-continued", testPolicy, sentNowContinued},
	{"sent-by-step-in-emergency", testPolicy, sentNowInEmergency},
	{"awaited", testPolicy, sentNow},
	{"awaited-escalated", fastPolicy, awaitedEscalated},
	{"awaited-continued", testPolicy, sentNowContinued},
}

func answered(s *desktest.Site) {
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	s.Ask(number, assignToAlice())
	s.Ask(number, words(alice, ticket.VerbAgentReply))
	s.Ask(number, words(alice, ticket.VerbResolve))
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: customer})
}

func escalated(s *desktest.Site) {
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the last step", func() bool { return s.Happened(number, ticket.EventEscalated, 3) })
	s.Ask(number, words(alice, ticket.VerbAgentReply))
	s.Await("the other escalation's last step", func() bool { return s.Happened(number, ticket.EventEscalated, 6) })
	s.Ask(number, ticket.Command{Verb: ticket.VerbAcknowledge, By: super})
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

func silence(s *desktest.Site) {
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Ask(number, words(alice, ticket.VerbRequestInformation))
}

// burst is signalled out of order, twice, while no worker runs; a second worker starts without the first one's memory.
func burst(s *desktest.Site) {
	submit := s.Submit(number)
	assign := s.Accept(number, assignToAlice())
	reply := s.Accept(number, words(alice, ticket.VerbAgentReply))
	resolve := s.Accept(number, words(alice, ticket.VerbResolve))
	for _, c := range []ticket.Command{resolve, reply, submit, reply, assign, submit, resolve} {
		s.Tell(number, c)
	}
	stop := s.Work()
	s.Await("the burst", func() bool { return s.State(number).Command == 4 && len(s.Unsettled(number)) == 0 })
	stop()
	s.Tell(number, s.Accept(number, ticket.Command{Verb: ticket.VerbClose, By: customer}))
	s.Work()
}

func outages(s *desktest.Site) {
	var steps, mails atomic.Int32
	s.OnStep(func(ticket.StepRequest) error {
		if n := steps.Add(1); n > 2 && n < 9 {
			return away
		}
		return nil
	})
	s.OnMail(func(_ context.Context, m ticket.Owed) (bool, error) {
		if mails.Add(1) < 3 {
			return false, away
		}
		return m.Kind == ticket.MailAssignment, nil
	})
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Ask(number, assignToAlice())
	s.Await("the bounce", func() bool { return s.Happened(number, ticket.EventMailBounced, 1) })
	s.Ask(number, ticket.Command{Verb: ticket.VerbWithdraw, By: customer})
}

func manual(s *desktest.Site) {
	s.Work()
	s.Tell(number, s.Submit(number))
	for _, signal := range []struct {
		verb    ticket.Verb
		payload any
	}{
		{ticket.VerbAssign, workflows.Signal{Agent: "alice"}},
		{ticket.VerbNote, nil},
		{ticket.VerbAssign, "alice"},
		{ticket.VerbResolve, workflows.Signal{Seq: 99}},
		{ticket.VerbReclassify, map[string]any{"priority": "high"}},
	} {
		before := s.State(number).Command
		signalByHand(s, signal.verb, signal.payload)
		s.Await("its outcome", func() bool { return s.State(number).Command > max(before, 1) })
	}
	signalWithoutPayload(s, ticket.VerbResolve)
	signalWithoutPayload(s, ticket.VerbClose)
}

func signalByHand(s *desktest.Site, verb ticket.Verb, payload any) {
	err := s.Temporal.SignalWorkflow(context.Background(), workflows.TicketID(number), "", string(verb), payload)
	s.Check(err)
}

// signalWithoutPayload sends no payload, as Temporal UI does when its field is left empty.
func signalWithoutPayload(s *desktest.Site, verb ticket.Verb) {
	_, err := s.Temporal.WorkflowService().SignalWorkflowExecution(context.Background(), &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: s.Temporal.Namespace, SignalName: string(verb),
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflows.TicketID(number)},
	})
	s.Check(err)
}

func reopened(s *desktest.Site) {
	stop := s.Work()
	s.Tell(number, s.Submit(number))
	s.Ask(number, ticket.Command{Verb: ticket.VerbEmergencyPause, By: super, Emergency: "E-1"})
	s.Ask(number, ticket.Command{Verb: ticket.VerbEmergencyExtend, By: super, Emergency: "E-2", Extension: time.Hour})
	s.Ask(number, ticket.Command{Verb: ticket.VerbEmergencyResume, By: super, Emergency: "E-1"})
	s.Ask(number, words(alice, ticket.VerbRequestInformation))
	s.Await("every mail", func() bool { return len(s.Unsettled(number)) == 0 })
	stop()
	s.Work()
	s.Ask(number, words(customer, ticket.VerbCustomerReply))
	s.Ask(number, words(alice, ticket.VerbResolve))
	s.Ask(number, words(customer, ticket.VerbCustomerReply))
	s.Ask(number, words(alice, ticket.VerbProgressUpdate))
	s.Ask(number, words(alice, ticket.VerbNote))
	s.Ask(number, ticket.Command{Verb: ticket.VerbWithdraw, By: customer})
}

// takenOver starts where another run of the workflow went on as new.
func takenOver(s *desktest.Site) {
	s.Submit(number)
	s.Accept(number, assignToAlice())
	first, err := s.Step(context.Background(), ticket.StepRequest{Number: number, Command: 2})
	s.Check(err)
	s.Work()
	options := client.StartWorkflowOptions{ID: workflows.TicketID(number), TaskQueue: workflows.TicketQueue}
	_, err = s.Temporal.ExecuteWorkflow(context.Background(), options, workflows.TicketWorkflow, workflows.Start{
		Number: number, Digest: first.Digest, LastDelivery: 2, LastCommand: 5,
		Claims: []workflows.Claim{{Seq: 5, Verb: ticket.VerbResolve}},
		Manual: []ticket.ManualCommand{{Key: "earlier/1", Verb: ticket.VerbAssign, Agent: "bob"}}, Received: map[ticket.Verb]int{ticket.VerbAssign: 1},
		Owed: first.Owed[1:], Bounced: []int{1},
	})
	s.Check(err)
	s.Await("what was handed on", func() bool { return s.Happened(number, ticket.EventMailBounced, 1) })
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// continued goes on in a new run: a signal by hand is larger than what one run may hear. The stored history is that of
// the run that ends so.
func continued(s *desktest.Site) {
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Ask(number, assignToAlice())
	signalByHand(s, ticket.VerbAssign, map[string]any{"agent": strings.Repeat("a", 256<<10)})
	s.Await("its refusal", func() bool { return s.Happened(number, ticket.EventRefused, 1) })
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// adopted is moved to a policy whose first response is due sooner.
func adopted(s *desktest.Site) {
	s.Work()
	s.Tell(number, s.Submit(number))
	other, err := policy.Parse([]byte(strings.Replace(testPolicy, "24h", "2h", 1)))
	s.Check(err)
	s.Ask(number, ticket.Command{Verb: ticket.VerbAdoptPolicy, By: super, Policy: 2, Adopt: other})
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// schedule passes a desk-wide emergency: the signals of its transitions ask for a step, and its search attributes follow later.
func schedule(s *desktest.Site) {
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	from := time.Now().UTC().Truncate(time.Second).Add(2 * time.Second)
	e := ticket.Emergency{ID: flood, Kind: ticket.EmergencyClosed, From: from, Until: from.Add(3 * time.Second)}
	s.SetSchedule(ticket.EmergencySchedule{Revision: 1, Emergencies: []ticket.Emergency{e}})
	for _, transition := range []struct {
		ticket.Transition
		leaves ticket.EventKind
	}{
		{ticket.Transition{At: e.From, Verb: ticket.VerbEmergencyPause, Emergency: e.ID}, ticket.EventPaused},
		{ticket.Transition{At: e.Until, Verb: ticket.VerbEmergencyResume, Emergency: e.ID}, ticket.EventResumed},
	} {
		s.Await("the transition", func() bool { return time.Now().After(transition.At) })
		s.Check(dispatch.New(s.Temporal.Client, dispatch.Pages{}).SignalTransition(context.Background(), number, transition.Transition, 1, time.Second))
		s.Await("what it leaves", func() bool { return s.Happened(number, transition.leaves, 1) })
	}
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// parked waits for what can't be recorded, and goes on once it can.
func parked(s *desktest.Site) {
	s.Work()
	now := time.Now().UTC().Truncate(time.Second)
	s.Park(&ticket.Parked{Since: now, Retry: now.Add(3 * time.Second), Reason: "SQLSTATE 23514"})
	s.Tell(number, s.Submit(number))
	s.Await("a try", func() bool { return len(s.Steps()) > 0 })
	s.Park(nil)
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// reconciled is asked to look at everything: a command was accepted of which no signal came.
func reconciled(s *desktest.Site) {
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	s.Accept(number, words(alice, ticket.VerbAgentReply))
	s.Check(dispatch.New(s.Temporal.Client, dispatch.Pages{}).Reconcile(context.Background(), number))
	s.Await("the reply", func() bool { return s.State(number).Command == 2 })
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// sentNow has every mail sent with its step, or in histories of earlier code by a local activity after it: one, two to two
// people, and one that asks for an answer.
func sentNow(s *desktest.Site) {
	s.SendMailsNow()
	s.Work()
	s.Tell(number, s.Submit(number))
	awaitMails(s, 1)
	for _, c := range []ticket.Command{
		assignToAlice(), words(alice, ticket.VerbRequestInformation), words(customer, ticket.VerbCustomerReply),
		words(alice, ticket.VerbNote), words(alice, ticket.VerbAgentReply), words(alice, ticket.VerbResolve),
	} {
		s.Ask(number, c)
		awaitMails(s, s.State(number).Command)
	}
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: customer})
}

// awaitMails waits until some commands are decided and their mails sent.
func awaitMails(s *desktest.Site, commands int64) {
	s.Await("the mails", func() bool { return s.State(number).Command >= commands && len(s.Unsettled(number)) == 0 })
}

// sentNowDeferred has a mail that can't be sent at once, and is left to the regular activity.
func sentNowDeferred(s *desktest.Site) {
	var tries atomic.Int32
	s.OnMail(func(_ context.Context, m ticket.Owed) (bool, error) {
		if m.To == desktest.Customer && tries.Add(1) == 2 {
			return false, fault.New(fault.Limited, "later")
		}
		return false, nil
	})
	s.SendMailsNow()
	s.Work()
	s.Tell(number, s.Submit(number))
	awaitMails(s, 1)
	s.Ask(number, assignToAlice())
	awaitMails(s, 2)
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// sentNowBounced has a mail that its server refuses for good, also one that asks for an answer.
func sentNowBounced(s *desktest.Site) {
	s.OnMail(func(_ context.Context, m ticket.Owed) (bool, error) {
		return m.Kind == ticket.MailReceipt || m.Kind == ticket.MailInformationRequest, nil
	})
	s.SendMailsNow()
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the receipt's bounce", func() bool { return s.Happened(number, ticket.EventMailBounced, 1) })
	s.Ask(number, words(alice, ticket.VerbRequestInformation))
	s.Await("the question's bounce", func() bool { return s.Happened(number, ticket.EventMailBounced, 2) })
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// sentNowContinued goes on in a new run while a mail that could not be sent at once is retried: a signal by
// hand is larger than what one run may hear. The stored history is that of the run that ends so.
func sentNowContinued(s *desktest.Site) {
	var tries atomic.Int32
	var limited atomic.Bool
	limited.Store(true)
	s.OnMail(func(context.Context, ticket.Owed) (bool, error) {
		if tries.Add(1); limited.Load() {
			return false, fault.New(fault.Limited, "later")
		}
		return false, nil
	})
	s.SendMailsNow()
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("a try of the regular activity", func() bool { return tries.Load() > 1 })
	signalByHand(s, ticket.VerbAssign, map[string]any{"agent": strings.Repeat("a", 256<<10)})
	s.Await("its refusal", func() bool { return s.Happened(number, ticket.EventRefused, 1) })
	s.Await("the next run", func() bool {
		described, err := s.Temporal.DescribeWorkflowExecution(context.Background(), workflows.TicketID(number), "")
		s.Check(err)
		info := described.GetWorkflowExecutionInfo()
		return info.GetExecution().GetRunId() != info.GetFirstRunId()
	})
	limited.Store(false)
	awaitMails(s, 2)
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// sentNowInEmergency is submitted in an emergency, of which the search attributes at its start know nothing.
func sentNowInEmergency(s *desktest.Site) {
	from := time.Now().UTC().Truncate(time.Second)
	s.SetSchedule(ticket.EmergencySchedule{Revision: 1, Emergencies: []ticket.Emergency{{ID: flood, Kind: ticket.EmergencyClosed, From: from}}})
	s.SendMailsNow()
	s.Work()
	s.Tell(number, s.Submit(number))
	awaitMails(s, 1)
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
}

// awaitedEscalated has timers fire while mails are sent, in a run that waits without a selector.
func awaitedEscalated(s *desktest.Site) {
	s.SendMailsNow()
	escalated(s)
}
