package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Ticket is the life of one ticket, from its acceptance until it is closed and its last mail is sent. It fails only
// if PostgreSQL knows no such ticket. A request to cancel it is ignored: a promise is not ended by its keeper.
func Ticket(ctx workflow.Context, in Start) error {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	t, err := setup(ctx, in)
	if err != nil {
		return fmt.Errorf("set up ticket %s: %w", in.Number, err)
	}
	return t.run(ctx)
}

// life is a ticket's workflow while it runs. What must outlive a run goes through Start.
type life struct {
	number    ticket.Number
	state     ticket.State
	pending   int64 // number of the last command heard of
	claims    []Claim
	byHand    []ticket.ByHand
	hands     int
	bounced   []int
	delivered []int         // mails that ask the requester and were sent: silence counts from that
	gate      bool          // the desk's gate is to be looked at
	rang      ticket.Moment // the moment whose timer has fired and that is to be stepped

	selector workflow.Selector
	alarm    alarm
	mailer   *mailer
	card     card
}

func setup(ctx workflow.Context, in Start) (*life, error) {
	t := &life{
		number: in.Number, state: in.State, pending: max(in.Pending, 1),
		claims: in.Claims, byHand: in.ByHand, hands: in.Hands, bounced: in.Bounced, delivered: in.Delivered, gate: in.Gate,
		selector: workflow.NewNamedSelector(ctx, "ticket"),
		mailer:   newMailer(ctx, in.Number),
	}
	if err := workflow.SetQueryHandlerWithOptions(ctx, TicketQuery, t.report, workflow.QueryHandlerOptions{
		Description: "What the ticket is, waits for and was promised, with its ledgers in words; then the whole state.",
	}); err != nil {
		return nil, err
	}
	t.listen(ctx)
	t.mailer.owe(in.Owed)
	return t, nil
}

// run waits for a command or the next due moment, takes its step, and waits again.
func (t *life) run(ctx workflow.Context) error {
	for {
		if err := t.step(ctx); err != nil {
			return fmt.Errorf("ticket %s: %w", t.number, err)
		}
		if err := t.card.show(ctx, t.state, t.mailer.owed, t.selector); err != nil {
			return fmt.Errorf("show ticket %s: %w", t.number, err)
		}
		switch {
		case t.over():
			return nil
		case full(ctx):
			return t.continueAsNew(ctx)
		}
		t.alarm.arm(ctx, t.state.Next, t.selector, func(m ticket.Moment) { t.rang = m })
		t.selector.Select(ctx)
	}
}

// over reports that the ticket is closed, everything asked of it is answered and every mail is sent.
func (t *life) over() bool {
	return t.state.Ticket.Closed() && !t.work() && t.mailer.idle() && len(t.mailer.owed) == 0
}

// work reports whether a step is to be taken.
func (t *life) work() bool {
	return t.state.Command < t.pending || len(t.byHand) > 0 || len(t.bounced) > 0 || len(t.delivered) > 0 || t.gate || t.rang.Kind != ""
}

// step takes everything that there is to take. Commands come first: one accepted before a deadline keeps the
// promise, also when the timer came first. Whatever arrived meanwhile is heard before it ends, so that a burst is
// taken at once and a life that is over leaves nothing unheard. A flood that never ends is no reason to fill the
// history: after the first step, a full one leaves the rest to the next run.
func (t *life) step(ctx workflow.Context) error {
	t.drain(ctx)
	for taken := 0; t.work() && (taken == 0 || !full(ctx)); taken++ {
		r := ticket.StepRequest{Number: t.number, Mails: t.state.Mails}
		switch {
		case t.state.Command < t.pending:
			r.Command = t.pending
		case len(t.byHand) > 0:
			r.ByHand = &t.byHand[0]
		case len(t.bounced) > 0:
			r.Bounced = t.bounced[0]
		case len(t.delivered) > 0:
			r.Delivered = t.delivered[0]
		case t.gate:
			r.Gate = true
		default:
			r.Due = t.rang.Due
		}
		result, err := callStep(ctx, r)
		if err != nil {
			return err
		}
		t.take(ctx, r, result)
		t.drain(ctx)
	}
	return nil
}

// full reports that the history is long enough to go on in a new run.
func full(ctx workflow.Context) bool { return workflow.GetInfo(ctx).GetContinueAsNewSuggested() }

func (t *life) take(ctx workflow.Context, r ticket.StepRequest, result ticket.StepResult) {
	switch {
	case r.ByHand != nil:
		t.byHand = t.byHand[1:]
	case r.Bounced > 0 && result.Pending <= result.State.Command:
		t.bounced = t.bounced[1:]
	case r.Delivered > 0 && result.Pending <= result.State.Command:
		t.delivered = t.delivered[1:]
	case r.Gate:
		t.gate = result.Pending > result.State.Command // else it was not reached
	case !r.Due.IsZero() && result.Pending <= result.State.Command:
		t.alarm.early = result.State.Next.Same(t.rang)
		t.rang = ticket.Moment{}
	}
	if !r.Gate {
		t.card.later.end()
	}
	t.state, t.pending = result.State, result.Pending
	t.refuseClaims(ctx)
	t.mailer.owe(result.Owed)
}

func (t *life) report() (Report, error) {
	return Report{Told: told(t.state, t.mailer.owed), State: t.state, Pending: t.pending, Owed: t.mailer.owed}, nil
}

// continueAsNew hands everything to a next run. Signals that were heard but not taken go along, so nothing blocks
// between the last look at the channels and the return: a signal that arrives after it makes the server refuse the
// return and give this run another turn.
func (t *life) continueAsNew(ctx workflow.Context) error {
	t.mailer.halt()
	for !t.mailer.idle() {
		t.selector.Select(ctx)
	}
	t.drain(ctx)
	return workflow.NewContinueAsNewError(ctx, TicketWorkflow, Start{
		Number: t.number, State: t.state, Pending: t.pending, Owed: t.mailer.owed,
		Claims: t.claims, Bounced: t.bounced, Delivered: t.delivered, ByHand: t.byHand, Hands: t.hands, Gate: t.gate,
	})
}
