package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// EmergencyStart is the input of the emergency workflow. The first run has the page; runs continued as new have the rest.
type EmergencyStart struct {
	Page          string                          `json:"page,omitempty"` // address of the emergencies' page
	Schedule      ticket.EmergencyOutlook         `json:"schedule,omitzero"`
	Fanout        Fanout                          `json:"fanout,omitzero"`
	Manual        []ticket.ManualEmergencyCommand `json:"manual,omitempty"`   // manual commands not yet executed
	Received      map[string]int                  `json:"received,omitempty"` // number of signals of each name in all runs
	Refused       int                             `json:"refused,omitempty"`  // number of refused manual commands in all runs
	Outcomes      []EmergencyOutcome              `json:"outcomes,omitempty"`
	Announcements AnnouncementState               `json:"announcements,omitzero"`
}

// EmergencyReport is the result of the query.
type EmergencyReport struct {
	Schedule ticket.EmergencyOutlook `json:"schedule"`
	Fanout   Fanout                  `json:"fanout"`   // of Schedule.Reached
	Pending  int                     `json:"pending"`  // manual commands not yet executed
	Refused  int                     `json:"refused"`  // number of refused manual commands
	Outcomes []EmergencyOutcome      `json:"outcomes"` // of the last manual commands
}

// EmergencyOutcome is the outcome of one manual command.
type EmergencyOutcome struct {
	At      time.Time `json:"at"`
	Command string    `json:"command"`
	ticket.ManualEmergencyResult
}

// Emergency is the workflow that makes open tickets apply the emergency schedule. It never ends. It waits until the next
// transition or until the schedule is changed, notifies the tickets, checks that all of them have taken a step, and waits
// again. Tickets would be correct without it, because every step applies the schedule, but what is shown of them would be
// outdated until their next step. It ignores cancellation requests.
func Emergency(ctx workflow.Context, in EmergencyStart) error {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	w, err := newEmergencyWorkflow(ctx, in)
	if err != nil {
		return fmt.Errorf("set up the emergency: %w", err)
	}
	return w.run(ctx)
}

// emergencyWorkflow is the state of a run. State for the next run is passed on in EmergencyStart.
type emergencyWorkflow struct {
	page     string
	schedule ticket.EmergencyOutlook
	fanout   Fanout
	manual   []ticket.ManualEmergencyCommand
	received map[string]int
	refused  int
	outcomes []EmergencyOutcome

	stale      bool      // schedule may be outdated
	nextChange time.Time // until when schedule is valid, by Temporal's clock; zero: until it is changed
	selector   workflow.Selector
	meter      historyMeter
	timer      dueTimer
	announcer  *announcer
	answers    answers // results of updates
}

func newEmergencyWorkflow(ctx workflow.Context, in EmergencyStart) (*emergencyWorkflow, error) {
	w := &emergencyWorkflow{
		page: in.Page, schedule: in.Schedule, fanout: in.Fanout, manual: in.Manual, received: in.Received, refused: in.Refused, outcomes: in.Outcomes,
		stale: true, selector: workflow.NewNamedSelector(ctx, "emergency"), announcer: newAnnouncer(ctx, in.Announcements),
	}
	err := workflow.SetQueryHandlerWithOptions(ctx, EmergencyQuery, w.report, workflow.QueryHandlerOptions{
		Description: "The emergencies in force and planned, how many open tickets know of them, and what comes next.",
	})
	if err != nil {
		return nil, err
	}
	if w.received == nil {
		w.received = map[string]int{}
	}
	w.listen(ctx)
	return w, w.handleUpdates(ctx)
}

// run reads the schedule, notifies the tickets, and waits. No activity takes longer than a slice of a fan-out, so that
// changes take effect soon. Tickets are notified of the newest transition only, since each also applies earlier ones.
func (w *emergencyWorkflow) run(ctx workflow.Context) error {
	for {
		if err := w.work(ctx); err != nil {
			return err
		}
		workflow.SetCurrentDetails(ctx, w.details(workflow.Now(ctx)))
		if w.meter.full(ctx) {
			return w.continueAsNew(ctx)
		}
		if w.stale || len(w.manual) > 0 || w.fanout.due() {
			continue
		}
		w.timer.arm(ctx, w.nextEvent(), onSelected(w.selector), w.onDue)
		w.selector.Select(ctx)
	}
}

// work executes one manual command, reads the schedule if it may be outdated, and does one part of the fan-out.
func (w *emergencyWorkflow) work(ctx workflow.Context) error {
	w.drain(ctx)
	if err := w.executeManual(ctx); err != nil {
		return err
	}
	if w.stale {
		if err := w.readSchedule(ctx); err != nil {
			return err
		}
	}
	if w.fanout.due() {
		if err := w.fanOut(ctx); err != nil {
			return err
		}
	}
	w.announcePartially(ctx)
	return nil
}

// readSchedule reads the schedule. A transition that is reached replaces an earlier one in the fan-out.
func (w *emergencyWorkflow) readSchedule(ctx workflow.Context) error {
	outlook, err := callReadSchedule(ctx)
	if err != nil {
		return err
	}
	now := workflow.Now(ctx)
	if outlook.Revision != w.schedule.Revision {
		w.fanout.Partials = 0 // the changed schedule may be announced partially again
	}
	w.stale, w.schedule, w.nextChange = false, outlook, time.Time{}
	if !outlook.Until.IsZero() {
		w.nextChange = now.Add(outlook.Until.Sub(outlook.At)) // relative, because PostgreSQL's clock may differ from Temporal's
	}
	if outlook.Reached.At.After(w.fanout.Transition.At) {
		w.fanout = Fanout{Transition: outlook.Reached, Began: now}
	}
	w.announce()
	return nil
}

// announce requests announcements if every open ticket has applied the last transition.
func (w *emergencyWorkflow) announce() {
	if w.schedule.Revision > 0 && (w.schedule.Reached.At.IsZero() || !w.fanout.DoneAt.IsZero()) {
		w.announcer.request(ticket.AnnounceRequest{CheckedAt: w.schedule.At, Revision: w.schedule.Revision})
	}
}

// announcePartially requests announcements to requesters whose tickets have applied the transition, if a fan-out takes too
// long because of others.
func (w *emergencyWorkflow) announcePartially(ctx workflow.Context) {
	now, due := workflow.Now(ctx), w.fanout.partialDue()
	if due.IsZero() || now.Before(due) || w.stale {
		return
	}
	w.fanout.Partials++
	w.fanout.PartialAt = now
	w.announcer.request(ticket.AnnounceRequest{CheckedAt: w.schedule.At, Revision: w.schedule.Revision, Partial: true})
}

// The kinds of events for the timer.
const (
	dueTransition          ticket.DueKind = "transition"
	dueRetryFanout         ticket.DueKind = "retry-fanout"
	duePartialAnnouncement ticket.DueKind = "partial-announcement"
)

// nextEvent returns the event for the timer: the next transition, another round of the fan-out, or a partial announcement.
func (w *emergencyWorkflow) nextEvent() ticket.DueEvent {
	var first ticket.DueEvent
	for _, m := range []ticket.DueEvent{
		{Kind: dueTransition, Due: w.nextChange, Label: w.scheduleLine()},
		{Kind: dueRetryFanout, Due: w.fanout.RetryAt, Label: w.fanout.retryLine()},
		{Kind: duePartialAnnouncement, Due: w.fanout.partialDue(), Label: "announce to requesters whose tickets are up to date"},
	} {
		if !m.Due.IsZero() && (first.Due.IsZero() || m.Due.Before(first.Due)) {
			first = m
		}
	}
	return first
}

func (w *emergencyWorkflow) onDue(m ticket.DueEvent) {
	switch m.Kind {
	case dueRetryFanout:
		w.fanout.RetryAt = time.Time{}
	case dueTransition:
		w.stale = true
	}
}

func (w *emergencyWorkflow) report() (EmergencyReport, error) {
	return EmergencyReport{Schedule: w.schedule, Fanout: w.fanout, Pending: len(w.manual), Refused: w.refused, Outcomes: slices.Clone(w.outcomes)}, nil
}

// continueAsNew passes the state on to a next run and loses no signal: see ticketWorkflow.continueAsNew. The next run
// reads the schedule again.
func (w *emergencyWorkflow) continueAsNew(ctx workflow.Context) error {
	w.announcer.stopWork()
	if err := workflow.Await(ctx, w.announcer.idle); err != nil {
		return fmt.Errorf("wait for the announcer: %w", err)
	}
	for w.drain(ctx); !workflow.AllHandlersFinished(ctx); w.drain(ctx) {
		if w.answers.due() {
			if err := w.executeManual(ctx); err != nil {
				return err
			}
			continue
		}
		if err := awaitHandlers(ctx); err != nil {
			return err
		}
	}
	return workflow.NewContinueAsNewError(ctx, EmergencyWorkflow, EmergencyStart{
		Page: w.page, Schedule: w.schedule, Fanout: w.fanout, Manual: w.manual, Received: w.received, Refused: w.refused, Outcomes: w.outcomes, Announcements: w.announcer.state,
	})
}
