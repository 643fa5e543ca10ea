package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/worker"
	"github.com/holesalemart/supportdesk/workflows"
)

const (
	flood  ticket.EmergencyID = "E-0000000001"
	strike ticket.EmergencyID = "E-0000000002"
)

// emergencyFixture is a desk with open tickets, as the emergency workflow sees it.
type emergencyFixture struct {
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment

	clock    func() time.Time
	behind   time.Duration // by how much the database's clock is
	fails    func(what string) error
	onNotify func(ticket.Number)
	onMail   func() ticket.SendAnnouncementsResult
	parts    activities.FanoutOptions

	mu               sync.Mutex
	schedule         ticket.EmergencySchedule
	takenUp          map[ticket.Number]time.Time
	ignoring         map[ticket.Number]int // signals that a ticket won't take up
	notified         []string              // "1h0m0s emergency-pause HM-0000000000", in order
	orders           []ticket.ManualEmergencyCommand
	announceRequests []ticket.AnnounceRequest
	announced        []time.Duration // when
	barriers         int
	regular          []string
}

func newEmergencyFixture(t *testing.T, tickets int) *emergencyFixture {
	t.Helper()
	h := &emergencyFixture{
		t: t, takenUp: map[ticket.Number]time.Time{}, ignoring: map[ticket.Number]int{},
		fails: func(string) error { return nil }, onNotify: func(ticket.Number) {},
		onMail: func() (none ticket.SendAnnouncementsResult) { return none },
		parts:  activities.FanoutOptions{Parallel: 1, Page: 4, Stall: time.Millisecond},
	}
	for i := range tickets {
		h.takenUp[ticketNumber(i)] = begin
	}
	h.set(begin)
	h.clock = func() time.Time { return h.env.Now() }
	return h
}

func ticketNumber(i int) ticket.Number { return ticket.Number(fmt.Sprintf("HM-%010d", i)) }

// set creates an environment for one run of the workflow.
func (h *emergencyFixture) set(at time.Time) {
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	h.env = suite.NewTestWorkflowEnvironment()
	h.env.SetStartTime(at)
	h.env.SetTestTimeout(20 * time.Second)
	h.env.SetWorkerOptions(sdkworker.Options{Interceptors: []interceptor.WorkerInterceptor{&unlimitedRetries{regular: &h.regular}}})
	worker.RegisterEmergency(h.env, activities.NewEmergencies(h, h, h, h, h.parts))
	h.env.RegisterActivityWithOptions(h.announce, activity.RegisterOptions{Name: workflows.PrepareAnnouncementsActivity})
	h.env.RegisterActivityWithOptions(h.announcements, activity.RegisterOptions{Name: workflows.SendAnnouncementsActivity})
}

func (h *emergencyFixture) announce(_ context.Context, r ticket.AnnounceRequest) (ticket.AnnounceResult, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.announceRequests, h.announced = append(h.announceRequests, r), append(h.announced, h.env.Now().Sub(begin))
	if r.Partial {
		return ticket.AnnounceResult{Held: 7}, nil
	}
	return ticket.AnnounceResult{}, nil
}

func (h *emergencyFixture) announcements(context.Context, ticket.SendAnnouncementsRequest) (ticket.SendAnnouncementsResult, error) {
	return h.onMail(), nil
}

func (h *emergencyFixture) now() time.Time { return h.clock().Add(-h.behind) }

// Outlook, Barrier, VerifyFanout and the rest are what the activities ask for.
func (h *emergencyFixture) Outlook(context.Context) (ticket.EmergencyOutlook, error) {
	if err := h.fails("outlook"); err != nil {
		return ticket.EmergencyOutlook{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.schedule.Outlook(h.now()), nil
}

func (h *emergencyFixture) Barrier(context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.barriers++
	return nil
}

func (h *emergencyFixture) VerifyFanout(_ context.Context, transition ticket.Transition) (ticket.FanoutCheck, error) {
	if err := h.fails("check"); err != nil {
		return ticket.FanoutCheck{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := ticket.FanoutCheck{Open: len(h.takenUp), Passed: !h.schedule.Outlook(h.now()).Reached.At.Equal(transition.At)}
	for n, at := range h.takenUp {
		if at.Before(transition.At) {
			p.Behind++
			p.Late = append(p.Late, n)
		}
	}
	slices.Sort(p.Late)
	return p, nil
}

func (h *emergencyFixture) OpenBefore(_ context.Context, transition time.Time, after ticket.Number, limit int) ([]ticket.Number, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var page []ticket.Number
	for n, at := range h.takenUp {
		if at.Before(transition) && n > after {
			page = append(page, n)
		}
	}
	slices.Sort(page)
	return page[:min(len(page), limit)], nil
}

func (h *emergencyFixture) StillBehind(_ context.Context, transition time.Time, some []ticket.Number) ([]ticket.Number, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(some), func(n ticket.Number) bool { return !h.takenUp[n].Before(transition) }), nil
}

func (h *emergencyFixture) CountSignals(context.Context, time.Time, int) error { return nil }

func (h *emergencyFixture) SignalTransition(_ context.Context, n ticket.Number, e ticket.Transition, _ int64, _ time.Duration) error {
	if err := h.fails("tell"); err != nil {
		return err
	}
	h.onNotify(n)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notified = append(h.notified, fmt.Sprintf("%s %s %s", h.env.Now().Sub(begin).Truncate(time.Second), e.Verb, n))
	if h.ignoring[n]--; h.ignoring[n] < 0 {
		h.takenUp[n] = h.now() // whichever transition it was notified of, a ticket takes up all there are
	}
	return nil
}

func (h *emergencyFixture) Execute(_ context.Context, hand ticket.ManualEmergencyCommand) (ticket.ManualEmergencyResult, error) {
	if err := h.fails("carry out"); err != nil {
		return ticket.ManualEmergencyResult{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.orders = append(h.orders, hand)
	if hand.Payload == `"refuse"` {
		return ticket.ManualEmergencyResult{Refused: "it makes no sense"}, nil
	}
	h.schedule.Revision++
	h.schedule.Emergencies = append(h.schedule.Emergencies, ticket.Emergency{
		ID: flood, Kind: ticket.EmergencyClosed, From: h.now().Truncate(time.Second).Add(time.Second),
	})
	return ticket.ManualEmergencyResult{Emergency: flood, Done: "done"}, nil
}

// at has f happen some time after the beginning.
func (h *emergencyFixture) at(d time.Duration, f func()) {
	h.env.RegisterDelayedCallback(f, begin.Add(d).Sub(h.env.Now()))
}

// declareAt changes the emergency schedule after a while and signals the workflow.
func (h *emergencyFixture) declareAt(d time.Duration, all ...ticket.Emergency) {
	h.at(d, func() {
		h.change(all...)
		h.env.SignalWorkflow(workflows.ScheduleSignal, workflows.ScheduleChanged{Revision: h.schedule.Revision})
	})
}

func (h *emergencyFixture) change(all ...ticket.Emergency) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.schedule.Revision++
	h.schedule.Emergencies = all
}

// run runs the workflow for a while and returns the next run's input.
func (h *emergencyFixture) run(start workflows.EmergencyStart, until time.Duration) workflows.EmergencyStart {
	h.t.Helper()
	h.at(until, func() {
		h.env.SetContinueAsNewSuggested(true)
		h.env.SignalWorkflow(workflows.ScheduleSignal, nil)
	})
	h.env.ExecuteWorkflow(workflows.EmergencyWorkflow, start)
	again, ok := errors.AsType[*workflow.ContinueAsNewError](h.env.GetWorkflowError())
	if !ok {
		h.t.Fatalf("the run ended with %v, and does not go on as new", h.env.GetWorkflowError())
	}
	var next workflows.EmergencyStart
	if err := converter.GetDefaultDataConverter().FromPayloads(again.Input, &next); err != nil {
		h.t.Fatalf("read what is handed on: %v", err)
	}
	return next
}

// report queries the running workflow.
func (h *emergencyFixture) report() workflows.EmergencyReport {
	h.t.Helper()
	var report workflows.EmergencyReport
	value, err := h.env.QueryWorkflow(workflows.EmergencyQuery)
	if err == nil {
		err = value.Get(&report)
	}
	if err != nil {
		h.t.Errorf("query: %v", err)
	}
	return report
}

// details are what Temporal UI shows of the running workflow.
func (h *emergencyFixture) details() string {
	h.t.Helper()
	var metadata sdkpb.WorkflowMetadata
	value, err := h.env.QueryWorkflow("__temporal_workflow_metadata")
	if err == nil {
		err = value.Get(&metadata)
	}
	if err != nil {
		h.t.Errorf("ask for the details: %v", err)
	}
	return metadata.GetCurrentDetails()
}

// checkTickets expects every ticket to have been notified of these transitions only.
func (h *emergencyFixture) checkTickets(want ...string) {
	h.t.Helper()
	var all []string
	for _, line := range want {
		for i := range len(h.takenUp) {
			all = append(all, fmt.Sprintf("%s %s", line, ticketNumber(i)))
		}
	}
	equal(h.t, "notified", h.notified, all)
}

func closure(id ticket.EmergencyID, from, until time.Duration) ticket.Emergency {
	e := ticket.Emergency{ID: id, Kind: ticket.EmergencyClosed, From: begin.Add(from)}
	if until != 0 {
		e.Until = begin.Add(until)
	}
	return e
}

func delay(id ticket.EmergencyID, from time.Duration, delays ...ticket.Delay) ticket.Emergency {
	return ticket.Emergency{ID: id, Kind: ticket.EmergencyDelayed, From: begin.Add(from), Delays: delays}
}
