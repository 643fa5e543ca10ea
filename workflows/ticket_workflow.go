package workflows

import (
	"fmt"
	"math"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Ticket is the workflow of one ticket, from its acceptance until it is closed and its last mail is sent. It fails only
// if PostgreSQL has no such ticket. Its result is a sentence about what became of the ticket. Cancellation requests are
// ignored.
func Ticket(ctx workflow.Context, in Start) (string, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	t, err := setup(ctx, in)
	if err != nil {
		return "", fmt.Errorf("set up ticket %s: %w", in.Number, err)
	}
	if err := t.run(ctx); err != nil {
		return "", err
	}
	return resultSentence(t.digest), nil
}

// ticketWorkflow is the state of a run. What must outlive a run is passed on in Start.
type ticketWorkflow struct {
	number      ticket.Number
	page        string
	digest      ticket.Digest
	lastMail    int   // number of the last mail among the deliveries
	lastCommand int64 // number of the last command received
	claims      []Claim
	manual      []ticket.ManualCommand
	answers     answers // to updates
	outcomes    []ManualOutcome
	received    map[ticket.Verb]int // signals of each name, ever
	bounced     []int
	delivered   []int           // mails that ask the requester and were sent: silence counts from that
	catchUp     bool            // the emergency schedule is to be applied
	due         ticket.DueEvent // the due event whose timer has fired

	selector workflow.Selector
	meter    historyMeter
	timer    dueTimer
	mailer   *deliveries
	shown    shownState
}

func setup(ctx workflow.Context, in Start) (*ticketWorkflow, error) {
	t := &ticketWorkflow{
		number: in.Number, page: in.Page, outcomes: in.Outcomes, digest: in.Digest, lastMail: in.LastMail, lastCommand: max(in.LastCommand, 1),
		claims: in.Claims, manual: in.Manual, received: in.Received, bounced: in.Bounced, delivered: in.Delivered, catchUp: in.CatchUp,
		selector: workflow.NewNamedSelector(ctx, "ticket"),
		mailer:   newDeliveries(ctx, in.Number),
	}
	if err := workflow.SetQueryHandlerWithOptions(ctx, TicketQuery, t.report, workflow.QueryHandlerOptions{
		Description: "What the ticket is, waits for and was promised, in words and as values.",
	}); err != nil {
		return nil, err
	}
	if t.received == nil {
		t.received = map[ticket.Verb]int{}
	}
	t.listen(ctx)
	t.mailer.add(in.Owed)
	return t, t.handleUpdates(ctx)
}

// run waits for a command or the next due event, takes a step, and waits again.
func (t *ticketWorkflow) run(ctx workflow.Context) error {
	for {
		if err := t.stepAll(ctx); err != nil {
			return fmt.Errorf("ticket %s: %w", t.number, err)
		}
		if err := t.shown.update(ctx, t.digest, t.details(), t.selector); err != nil {
			return fmt.Errorf("show ticket %s: %w", t.number, err)
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
		t.timer.arm(ctx, t.nextEvent(), t.selector, t.onDue)
		t.selector.Select(ctx)
	}
}

// done reports whether the ticket is closed, all its updates are answered and all its mails are sent.
func (t *ticketWorkflow) done() bool {
	return t.digest.Closed() && !t.hasWork() && t.digest.Parked == nil && t.mailer.idle() && len(t.mailer.owed) == 0
}

// hasWork reports whether a step is to be taken. While something is parked, commands and due events wait, but manual
// commands are still numbered by a step, so that they never pile up here.
func (t *ticketWorkflow) hasWork() bool {
	if len(t.manual) > 0 || t.owesMore() {
		return true
	}
	news := len(t.bounced) > 0 || len(t.delivered) > 0
	return t.digest.Parked == nil && (t.digest.Command < t.lastCommand || news || t.catchUp || t.due.Kind != "")
}

// owesMore reports whether the ticket owes mails that are not among the deliveries yet, and there is room for some.
func (t *ticketWorkflow) owesMore() bool {
	return t.lastMail < t.digest.Mails && t.mailer.hasRoom()
}

// nextEvent returns what the timer is for.
func (t *ticketWorkflow) nextEvent() ticket.DueEvent {
	if p := t.digest.Parked; p != nil {
		return ticket.DueEvent{Kind: dueRetryParked, Due: p.Retry, Label: "try again to record what is due"}
	}
	return t.digest.Next
}

// dueRetryParked asks for another try at something parked. The domain does not know it.
const dueRetryParked ticket.DueKind = "retry"

func (t *ticketWorkflow) onDue(m ticket.DueEvent) {
	if m.Kind == dueRetryParked {
		t.digest.Parked, t.catchUp = nil, true
		return
	}
	t.due = m
}

// stepAll takes steps until there is nothing to do. Commands come first: one accepted before a deadline keeps the promise
// even if the timer fired before its signal came. Signals that arrive meanwhile are received before it returns, so that a
// burst takes few steps and a ticket that ends leaves no signal unread. When the history is full, it returns after one
// step, and the next run takes the rest.
func (t *ticketWorkflow) stepAll(ctx workflow.Context) error {
	t.drain(ctx)
	for taken := 0; t.hasWork() && (taken == 0 || !t.meter.full(ctx)); taken++ {
		if err := t.step(ctx); err != nil {
			return err
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
	r := ticket.StepRequest{Number: t.number, Mails: t.lastMail}
	if !t.mailer.hasRoom() {
		r.Mails = noMails
	}
	parked := t.digest.Parked != nil
	switch {
	case !parked && t.digest.Command < t.lastCommand:
		r.Command = t.lastCommand
	case len(t.manual) > 0:
		r.Manual = t.manual[:min(len(t.manual), ticket.MaxManual)]
	case len(t.bounced) > 0 && !parked:
		r.Bounced = t.bounced[0]
	case len(t.delivered) > 0 && !parked:
		r.Delivered = t.delivered[0]
	case t.due.Kind != "" && !t.catchUp && !parked:
		r.Due = t.due.Due
	default:
		r.Schedule = true
	}
	result, err := callStep(ctx, r, t.stepSummary(r))
	if err != nil {
		return err
	}
	t.apply(ctx, r, result)
	return nil
}

func (t *ticketWorkflow) apply(ctx workflow.Context, r ticket.StepRequest, result ticket.StepResult) {
	reached := result.Pending <= result.Digest.Command || result.Digest.Parked != nil
	taken := 0 // results of mails that were recorded; they come after commands, and after what is parked
	if result.Pending <= result.Digest.Command && result.Digest.Parked == nil {
		taken = 1
	}
	switch {
	case len(r.Manual) > 0:
		t.manual = t.manual[len(r.Manual):]
	case r.Bounced > 0:
		t.bounced = t.bounced[taken:]
	case r.Delivered > 0:
		t.delivered = t.delivered[taken:]
	case r.Schedule:
		t.catchUp = !reached
	case !r.Due.IsZero() && reached:
		t.timer.behind = result.Digest.Next.Same(t.due)
		t.due = ticket.DueEvent{}
	}
	if !r.Schedule {
		t.shown.deferral.end()
	}
	t.digest, t.lastCommand = result.Digest, result.Pending
	for _, m := range r.Manual {
		line := manualOutcome(m, result)
		t.answers.answer(m.Key, line)
		t.outcomes = append(t.outcomes, ManualOutcome{At: workflow.Now(ctx), Outcome: line})
	}
	t.outcomes = t.outcomes[max(len(t.outcomes)-maxOutcomes, 0):]
	t.refuseClaims(ctx)
	if r.Mails != noMails {
		t.addOwed(result)
	}
}

// noMails, as the last known mail, requests none of the mails that are owed.
const noMails = math.MaxInt32

// addOwed passes on the deliveries that a step has returned. A step returns at most ticket.MaxOwed; the others follow
// when these are sent.
func (t *ticketWorkflow) addOwed(result ticket.StepResult) {
	t.lastMail = result.Digest.Mails
	if n := len(result.Owed); n >= ticket.MaxOwed {
		t.lastMail = result.Owed[n-1].N
	}
	t.mailer.add(result.Owed)
}

func (t *ticketWorkflow) report() (Report, error) {
	return Report{
		Summary: t.lines(), Digest: t.digest, LastCommand: t.lastCommand, Outcomes: slices.Clone(t.outcomes),
		Owed: t.mailer.owed[:min(len(t.mailer.owed), maxListedMails)], OwedTotal: len(t.mailer.owed),
	}, nil
}

// maxCarried is how many signals a run may pass on to the next without having taken a step for them.
const maxCarried = 200

// exceedsInput reports whether more signals wait than the next run's input may carry.
func (t *ticketWorkflow) exceedsInput() bool { return max(len(t.manual), len(t.claims)) > maxCarried }

// continueAsNew passes the state on to a next run. Activities that send mail may take ten minutes to be cancelled, and
// the ticket goes on taking steps until then. Signals that were received and not taken are passed on, so nothing blocks
// between the last look at the channels and the return: if a signal arrives after it, the server rejects the command and
// schedules another workflow task of this run.
func (t *ticketWorkflow) continueAsNew(ctx workflow.Context) error {
	t.mailer.stopSending()
	for {
		t.drain(ctx)
		switch idle := t.mailer.idle(); {
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
			t.timer.arm(ctx, t.nextEvent(), t.selector, t.onDue)
			t.selector.Select(ctx)
		}
	}
}

// start returns the input of the next run.
func (t *ticketWorkflow) start() Start {
	return Start{
		Number: t.number, Page: t.page, Outcomes: t.outcomes, Digest: t.digest, LastMail: t.lastMail, LastCommand: t.lastCommand, Owed: t.mailer.owed,
		Claims: t.claims, Bounced: t.bounced, Delivered: t.delivered, Manual: t.manual, Received: t.received, CatchUp: t.catchUp,
	}
}
