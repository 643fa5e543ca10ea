package workflows

import (
	"fmt"
	"math"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Ticket is the workflow of one ticket, from its acceptance until it is closed and its last delivery is settled. It fails
// only if PostgreSQL has no such ticket. Its result is a sentence about how the ticket ended. It ignores cancellation
// requests. The input is a pointer, because of the stack of a waiting workflow: see wait.
func Ticket(ctx workflow.Context, in *Start) (string, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	t, err := setup(ctx, in)
	if err != nil {
		return "", err
	}
	if err := t.run(ctx); err != nil {
		return "", err
	}
	return resultSentence(&t.digest), nil
}

// ticketWorkflow is the state of a run. State for the next run is passed on in Start.
type ticketWorkflow struct {
	number       ticket.Number
	page         string
	digest       ticket.Digest
	lastDelivery int   // number of the last delivery added to deliveries
	lastCommand  int64 // number of the last command received
	claims       []Claim
	manual       []ticket.ManualCommand
	answers      answers // results of updates
	outcomes     []ManualOutcome
	received     map[ticket.Verb]int // number of signals of each name in all runs
	bounced      []int
	delivered    []int           // numbers of delivered mails that ask for an answer, since silence counts from their delivery
	catchUp      bool            // a step must decide what was accepted and apply the emergency schedule
	due          ticket.DueEvent // the due event whose timer has fired
	fewerEvents  bool            // see ticket.StepResult.FewerEvents; of the last step in this run

	awaits     bool            // see ticket.StepResult.Awaits; of this run
	waitChosen bool            // awaits is final
	selector   *ticketSelector // nil if the run awaits
	futures    futures         // of timers; without a selector
	woken      bool            // deliveries or an update have woken the main loop

	meter      historyMeter
	timer      dueTimer
	deliveries *deliveries
	shown      shownState
}

// setup returns the state of a run, with its handlers registered.
func setup(ctx workflow.Context, in *Start) (*ticketWorkflow, error) {
	if in == nil { // started by hand without an input
		in = &Start{}
	}
	t := &ticketWorkflow{
		number: in.Number, page: in.Page, outcomes: in.Outcomes, digest: in.Digest, lastDelivery: in.LastDelivery, lastCommand: max(in.LastCommand, 1),
		claims: in.Claims, manual: in.Manual, received: in.Received, bounced: in.Bounced, delivered: in.Delivered, catchUp: in.CatchUp,
		awaits: in.Awaits,
	}
	t.selector = newTicketSelector(ctx, t.receiveAll)
	t.deliveries = newDeliveries(ctx, in.Number, t.onSettled)
	t.answers = newAnswers(t.onUpdate)
	if err := workflow.SetQueryHandlerWithOptions(ctx, TicketQuery, t.report, workflow.QueryHandlerOptions{
		Description: "The ticket's status, what it is waiting for, and its targets, as text and as values.",
	}); err != nil {
		return nil, fmt.Errorf("set up ticket %s: %w", in.Number, err)
	}
	if t.received == nil {
		t.received = map[ticket.Verb]int{}
	}
	describeSignals(ctx)
	t.deliveries.add(in.Owed)
	return t, t.handleUpdates(ctx)
}

// run waits for a command or the next due event, takes a step, and waits again.
func (t *ticketWorkflow) run(ctx workflow.Context) error {
	for {
		if err := t.stepAll(ctx); err != nil {
			return err
		}
		t.chooseWait(ctx)
		if err := t.show(ctx); err != nil {
			return err
		}
		switch {
		case t.done() && workflow.AllHandlersFinished(ctx):
			return nil
		case t.done():
			if err := awaitHandlers(ctx); err != nil {
				return err
			}
			continue
		case t.meter.full(ctx):
			return t.continueAsNew(ctx)
		}
		t.armTimer(ctx)
		if err := t.wait(ctx); err != nil {
			return err
		}
	}
}

// show updates what Temporal UI shows. While mails are sent within the workflow task, search attributes wait for them: a step
// may follow that changes them again, and nothing is sent to the server before the task ends.
func (t *ticketWorkflow) show(ctx workflow.Context) error {
	workflow.SetCurrentDetails(ctx, t.details())
	if t.fewerEvents && t.deliveries.sendingNow() {
		return nil
	}
	if err := t.shown.update(ctx, t.digest, t.fewerEvents, t.onReady); err != nil {
		return fmt.Errorf("show ticket %s: %w", t.number, err)
	}
	return nil
}

// armTimer arms the timer for the next event. The timer of a ticket that was closed ends with the workflow.
func (t *ticketWorkflow) armTimer(ctx workflow.Context) {
	next := t.nextEvent()
	if t.fewerEvents && t.digest.Closed() && next.Kind == "" {
		t.timer.ignore()
		return
	}
	t.timer.arm(ctx, next, t.onReady, t.onDue)
}

// done reports whether the ticket is closed, no step is pending, and all deliveries are settled.
func (t *ticketWorkflow) done() bool {
	return t.digest.Closed() && !t.hasWork() && t.digest.Parked == nil && t.deliveries.idle() && len(t.deliveries.pending) == 0
}

// hasWork reports whether a step is to be taken.
func (t *ticketWorkflow) hasWork() bool {
	_, needed := t.nextRequest()
	return needed
}

// nextRequest returns the request for the next step, for the first reason that there is, and whether there is any. While a
// ticket is parked, commands and due events wait, but steps still take manual commands, which PostgreSQL then stores, so
// that they never pile up here.
func (t *ticketWorkflow) nextRequest() (r ticket.StepRequest, needed bool) {
	r = ticket.StepRequest{Number: t.number, LastDelivery: t.lastDelivery}
	if !t.deliveries.hasRoom() {
		r.LastDelivery = noDeliveries
	}
	r.SendMails = t.deliveries.none() && r.LastDelivery >= t.digest.LastDelivery && r.LastDelivery != noDeliveries
	active := t.digest.Parked == nil
	switch {
	case active && t.digest.Command < t.lastCommand:
		r.Command = t.lastCommand
	case len(t.manual) > 0:
		r.Manual = t.manual[:min(len(t.manual), ticket.MaxManual)]
	case active && t.catchUp: // before delivery results, because it alone ends parking
		r.CatchUp = true
	case active && len(t.bounced) > 0:
		r.Bounced = t.bounced[0]
	case active && len(t.delivered) > 0:
		r.Delivered = t.delivered[0]
	case active && t.due.Kind != "":
		r.Due = t.due.Due
	default:
		r.CatchUp = true
		return r, t.hasMoreDeliveries()
	}
	return r, true
}

// hasMoreDeliveries reports whether a step is to return further pending deliveries, for which there is room.
func (t *ticketWorkflow) hasMoreDeliveries() bool {
	return t.lastDelivery < t.digest.LastDelivery && t.deliveries.hasRoom()
}

// nextEvent returns the event for the timer: the next due event, or the next attempt of a parked ticket.
func (t *ticketWorkflow) nextEvent() ticket.DueEvent {
	if p := t.digest.Parked; p != nil {
		return ticket.DueEvent{Kind: dueRetryParked, Due: p.Retry, Label: "retry recording what is due"}
	}
	return t.digest.Next
}

// dueRetryParked is the kind of the next attempt of a parked ticket. Package ticket does not know it.
const dueRetryParked ticket.DueKind = "retry"

func (t *ticketWorkflow) onDue(m ticket.DueEvent) {
	if m.Kind == dueRetryParked {
		t.digest.Parked, t.catchUp = nil, true
		return
	}
	t.due = m
}

// stepAll takes steps until none is pending. Commands come first, because one accepted before a deadline meets it even if
// the timer fired before its signal arrived. It receives signals after each step, so that many signals take few steps and
// a workflow that completes leaves none unread. When the history is full, it returns after one step, and the next run takes
// the rest.
func (t *ticketWorkflow) stepAll(ctx workflow.Context) error {
	t.drain(ctx)
	for taken := 0; t.hasWork() && (taken == 0 || !t.meter.full(ctx)); taken++ {
		if err := t.step(ctx); err != nil {
			return fmt.Errorf("ticket %s: %w", t.number, err)
		}
		t.drain(ctx)
	}
	return nil
}

// step takes one step.
func (t *ticketWorkflow) step(ctx workflow.Context) error {
	if err := t.meter.step(ctx); err != nil {
		return err
	}
	r, _ := t.nextRequest()
	result, err := callStep(ctx, r, t.stepSummary(r))
	if err != nil {
		return err
	}
	t.apply(ctx, r, result)
	return nil
}

// apply updates the state with the result of a step.
func (t *ticketWorkflow) apply(ctx workflow.Context, r ticket.StepRequest, result ticket.StepResult) {
	reached := result.LastCommand <= result.Digest.Command || result.Digest.Parked != nil
	taken := 0 // delivery results that the step recorded, which it does only after all commands and if nothing is parked
	if result.LastCommand <= result.Digest.Command && result.Digest.Parked == nil {
		taken = 1
	}
	switch {
	case len(r.Manual) > 0:
		t.manual = t.manual[len(r.Manual):]
	case r.Bounced > 0:
		t.bounced = t.bounced[taken:]
	case r.Delivered > 0:
		t.delivered = t.delivered[taken:]
	case r.CatchUp:
		t.catchUp = !reached
	case !r.Due.IsZero() && reached:
		t.timer.behind = result.Digest.Next.Same(t.due)
		t.due = ticket.DueEvent{}
	}
	if !r.CatchUp {
		t.shown.deferral.end()
	}
	t.digest, t.lastCommand, t.fewerEvents = result.Digest, result.LastCommand, result.FewerEvents
	if !t.waitChosen {
		t.awaits = t.awaits || result.Awaits
	}
	for _, m := range r.Manual {
		line := manualOutcome(m, result)
		t.answers.answer(m.Key, line)
		t.outcomes = append(t.outcomes, ManualOutcome{At: workflow.Now(ctx), Outcome: line})
	}
	t.outcomes = t.outcomes[max(len(t.outcomes)-maxOutcomes, 0):]
	t.refuseClaims(ctx)
	if r.LastDelivery != noDeliveries {
		t.addDeliveries(result)
	}
}

// noDeliveries, as the number of the last known delivery, makes a step return no deliveries.
const noDeliveries = math.MaxInt32

// addDeliveries adds the pending deliveries that a step returned. A step returns at most ticket.MaxOwed; others follow when
// there is room for them.
func (t *ticketWorkflow) addDeliveries(result ticket.StepResult) {
	t.lastDelivery = result.Digest.LastDelivery
	if n := len(result.Owed); n >= ticket.MaxOwed {
		t.lastDelivery = result.Owed[n-1].N
	}
	if len(result.Owed) > 0 {
		t.deliveries.sendNow = result.SendNow
	}
	t.deliveries.add(result.Owed)
}

func (t *ticketWorkflow) report() (Report, error) {
	return Report{
		Summary: t.lines(), Digest: t.digest, LastCommand: t.lastCommand, Outcomes: slices.Clone(t.outcomes),
		Owed: t.deliveries.pending[:min(len(t.deliveries.pending), maxListedDeliveries)], OwedTotal: len(t.deliveries.pending),
	}, nil
}

// maxCarried limits the signals that a run may pass on to the next without a step for them.
const maxCarried = 200

// exceedsInput reports whether more signals wait than may be passed on to the next run.
func (t *ticketWorkflow) exceedsInput() bool { return max(len(t.manual), len(t.claims)) > maxCarried }

// continueAsNew passes the state on to a next run. Activities that send mail may take ten minutes to be cancelled, and the
// ticket takes steps until then. Signals received but not taken are passed on, so nothing blocks between the last drain
// and the return. If a signal arrives after that, the server rejects the command and schedules another workflow task of
// this run.
func (t *ticketWorkflow) continueAsNew(ctx workflow.Context) error {
	t.deliveries.stopSending()
	for {
		t.drain(ctx)
		switch idle := t.deliveries.idle(); {
		case t.exceedsInput() || t.hasWork() && (!idle || t.answers.due()):
			if err := t.step(ctx); err != nil {
				return fmt.Errorf("ticket %s: %w", t.number, err)
			}
		case idle && !workflow.AllHandlersFinished(ctx):
			if err := awaitHandlers(ctx); err != nil {
				return err
			}
		case idle:
			return workflow.NewContinueAsNewError(ctx, TicketWorkflow, t.start())
		default:
			t.armTimer(ctx)
			if err := t.wait(ctx); err != nil {
				return err
			}
		}
	}
}

// start returns the input of the next run.
func (t *ticketWorkflow) start() Start {
	return Start{
		Number: t.number, Page: t.page, Outcomes: t.outcomes, Digest: t.digest, LastDelivery: t.lastDelivery, LastCommand: t.lastCommand, Owed: t.deliveries.pending,
		Claims: t.claims, Bounced: t.bounced, Delivered: t.delivered, Manual: t.manual, Received: t.received, CatchUp: t.catchUp, Awaits: t.awaits,
	}
}
