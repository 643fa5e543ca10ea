package workflows

import (
	"fmt"
	"math"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Ticket is the life of one ticket, from its acceptance until it is closed and its last mail is sent. It fails only
// if PostgreSQL knows no such ticket. Its result is a sentence about what became of the ticket. A request to cancel it is
// ignored: only the ticket's end ends a promise.
func Ticket(ctx workflow.Context, in Start) (string, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	t, err := setup(ctx, in)
	if err != nil {
		return "", fmt.Errorf("set up ticket %s: %w", in.Number, err)
	}
	if err := t.run(ctx); err != nil {
		return "", err
	}
	return ending(t.digest), nil
}

// life is a ticket's workflow while it runs. What must outlive a run goes through Start.
type life struct {
	number    ticket.Number
	page      string
	digest    ticket.Digest
	known     int   // number of the last mail that the mailer was given
	pending   int64 // number of the last command heard of
	claims    []Claim
	byHand    []ticket.ByHand
	answers   answers // to updates
	manual    []ManualOutcome
	heard     map[ticket.Verb]int // signals of each name, ever
	bounced   []int
	delivered []int         // mails that ask the requester and were sent: silence counts from that
	gate      bool          // the desk's gate is to be looked at
	rang      ticket.Moment // the moment whose timer has fired and that is to be stepped

	selector workflow.Selector
	meter    meter
	alarm    alarm
	mailer   *mailer
	card     card
}

func setup(ctx workflow.Context, in Start) (*life, error) {
	t := &life{
		number: in.Number, page: in.Page, manual: in.Manual, digest: in.Digest, known: in.Known, pending: max(in.Pending, 1),
		claims: in.Claims, byHand: in.ByHand, heard: in.Heard, bounced: in.Bounced, delivered: in.Delivered, gate: in.Gate,
		selector: workflow.NewNamedSelector(ctx, "ticket"),
		mailer:   newMailer(ctx, in.Number),
	}
	if err := workflow.SetQueryHandlerWithOptions(ctx, TicketQuery, t.report, workflow.QueryHandlerOptions{
		Description: "What the ticket is, waits for and was promised, in words and as values.",
	}); err != nil {
		return nil, err
	}
	if t.heard == nil {
		t.heard = map[ticket.Verb]int{}
	}
	t.listen(ctx)
	t.mailer.owe(in.Owed)
	return t, t.takeUpdates(ctx)
}

// run waits for a command or the next due moment, takes its step, and waits again.
func (t *life) run(ctx workflow.Context) error {
	for {
		if err := t.step(ctx); err != nil {
			return fmt.Errorf("ticket %s: %w", t.number, err)
		}
		if err := t.card.show(ctx, t.digest, t.details(), t.selector); err != nil {
			return fmt.Errorf("show ticket %s: %w", t.number, err)
		}
		switch {
		case t.over() && workflow.AllHandlersFinished(ctx):
			return nil
		case t.over():
			if err := answered(ctx); err != nil {
				return err
			}
			continue
		case t.meter.full(ctx):
			return t.continueAsNew(ctx)
		}
		t.alarm.arm(ctx, t.next(), t.selector, t.ring)
		t.selector.Select(ctx)
	}
}

// over reports that the ticket is closed, everything asked of it is answered and every mail is sent.
func (t *life) over() bool {
	return t.digest.Closed() && !t.work() && t.digest.Parked == nil && t.mailer.idle() && len(t.mailer.owed) == 0
}

// work reports whether a step is to be taken. What is parked holds up the commands after it, and what falls due; signals
// by hand still get their numbers, so that they never pile up here.
func (t *life) work() bool {
	if len(t.byHand) > 0 || t.owedMore() {
		return true
	}
	news := len(t.bounced) > 0 || len(t.delivered) > 0
	return t.digest.Parked == nil && (t.digest.Command < t.pending || news || t.gate || t.rang.Kind != "")
}

// owedMore reports that the ticket owes mails that the mailer was not given yet, and that it has room for some.
func (t *life) owedMore() bool {
	return t.known < t.digest.Mails && t.mailer.room()
}

// next is what the one timer is for.
func (t *life) next() ticket.Moment {
	if p := t.digest.Parked; p != nil {
		return ticket.Moment{Kind: momentRetry, Due: p.Retry, Label: "try again to record what is due"}
	}
	return t.digest.Next
}

// momentRetry is that of something parked. It is no moment of the domain's.
const momentRetry ticket.MomentKind = "retry"

func (t *life) ring(m ticket.Moment) {
	if m.Kind == momentRetry {
		t.digest.Parked, t.gate = nil, true
		return
	}
	t.rang = m
}

// step takes everything that there is to take. Commands come first: one accepted before a deadline keeps the
// promise, also when the timer came first. Whatever arrived meanwhile is heard before it ends, so that a burst is
// taken at once and a life that is over leaves nothing unheard. A flood that never ends is no reason to fill the
// history: after the first step, a full one leaves the rest to the next run.
func (t *life) step(ctx workflow.Context) error {
	t.drain(ctx)
	for taken := 0; t.work() && (taken == 0 || !t.meter.full(ctx)); taken++ {
		if err := t.takeOne(ctx); err != nil {
			return err
		}
		t.drain(ctx)
	}
	return nil
}

// takeOne takes one step.
func (t *life) takeOne(ctx workflow.Context) error {
	if err := t.meter.step(ctx); err != nil {
		return err
	}
	r := ticket.StepRequest{Number: t.number, Mails: t.known}
	if !t.mailer.room() {
		r.Mails = noMails
	}
	parked := t.digest.Parked != nil
	switch {
	case !parked && t.digest.Command < t.pending:
		r.Command = t.pending
	case len(t.byHand) > 0:
		r.ByHand = t.byHand[:min(len(t.byHand), ticket.MaxByHand)]
	case len(t.bounced) > 0 && !parked:
		r.Bounced = t.bounced[0]
	case len(t.delivered) > 0 && !parked:
		r.Delivered = t.delivered[0]
	case t.rang.Kind != "" && !t.gate && !parked:
		r.Due = t.rang.Due
	default:
		r.Gate = true
	}
	result, err := callStep(ctx, r, t.stepSummary(r))
	if err != nil {
		return err
	}
	t.take(ctx, r, result)
	return nil
}

func (t *life) take(ctx workflow.Context, r ticket.StepRequest, result ticket.StepResult) {
	reached := result.Pending <= result.Digest.Command || result.Digest.Parked != nil
	taken := 0 // news of mails that are on record; they come after commands, and after what is parked
	if result.Pending <= result.Digest.Command && result.Digest.Parked == nil {
		taken = 1
	}
	switch {
	case len(r.ByHand) > 0:
		t.byHand = t.byHand[len(r.ByHand):]
	case r.Bounced > 0:
		t.bounced = t.bounced[taken:]
	case r.Delivered > 0:
		t.delivered = t.delivered[taken:]
	case r.Gate:
		t.gate = !reached
	case !r.Due.IsZero() && reached:
		t.alarm.early = result.Digest.Next.Same(t.rang)
		t.rang = ticket.Moment{}
	}
	if !r.Gate {
		t.card.later.end()
	}
	t.digest, t.pending = result.Digest, result.Pending
	for _, m := range r.ByHand {
		line := manualOutcome(m, result)
		t.answers.answer(m.Key, line)
		t.manual = append(t.manual, ManualOutcome{At: workflow.Now(ctx), Outcome: line})
	}
	t.manual = t.manual[max(len(t.manual)-mostOutcomes, 0):]
	t.refuseClaims(ctx)
	if r.Mails != noMails {
		t.owe(result)
	}
}

// noMails asks a step for none of the mails that are owed.
const noMails = math.MaxInt32

// owe hands the mailer what a step has returned. A step returns no more than so many; the rest follows when these are sent.
func (t *life) owe(result ticket.StepResult) {
	t.known = result.Digest.Mails
	if n := len(result.Owed); n >= ticket.MaxOwed {
		t.known = result.Owed[n-1].N
	}
	t.mailer.owe(result.Owed)
}

func (t *life) report() (Report, error) {
	return Report{
		Told: t.lines(), Digest: t.digest, Pending: t.pending, Manual: slices.Clone(t.manual),
		Owed: t.mailer.owed[:min(len(t.mailer.owed), mostMails)], OwedInAll: len(t.mailer.owed),
	}, nil
}

// mostCarried is how many signals that were heard and not taken a run hands to the next one: its input is bounded. More
// are taken first.
const mostCarried = 200

// tooMuch reports that more signals wait than may be handed on.
func (t *life) tooMuch() bool { return max(len(t.byHand), len(t.claims)) > mostCarried }

// continueAsNew hands everything to a next run. A mail server may take ten minutes to say whether it has a mail, and the
// ticket lives on until then. Signals that were heard but not taken go along, so nothing blocks between the last look at
// the channels and the return: a signal that arrives after it makes the server refuse the return and give this run
// another turn.
func (t *life) continueAsNew(ctx workflow.Context) error {
	t.mailer.halt()
	for {
		t.drain(ctx)
		switch idle := t.mailer.idle(); {
		case t.tooMuch() || t.work() && (!idle || t.answers.due()):
			if err := t.takeOne(ctx); err != nil {
				return fmt.Errorf("ticket %s: %w", t.number, err)
			}
		case idle && !workflow.AllHandlersFinished(ctx):
			if err := answered(ctx); err != nil {
				return err
			}
		case idle:
			return workflow.NewContinueAsNewError(ctx, TicketWorkflow, t.start())
		default:
			t.alarm.arm(ctx, t.next(), t.selector, t.ring)
			t.selector.Select(ctx)
		}
	}
}

// start is what the next run begins with.
func (t *life) start() Start {
	return Start{
		Number: t.number, Page: t.page, Manual: t.manual, Digest: t.digest, Known: t.known, Pending: t.pending, Owed: t.mailer.owed,
		Claims: t.claims, Bounced: t.bounced, Delivered: t.delivered, ByHand: t.byHand, Heard: t.heard, Gate: t.gate,
	}
}
