package workflows

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// describeSignals has Temporal UI offer the signals that make sense as manual commands. A described signal has a channel, which
// takes memory for as long as the workflow is cached, so the others are not described. They are received all the same.
func describeSignals(ctx workflow.Context) {
	for _, verb := range ticket.ManualVerbs() {
		workflow.GetSignalChannelWithOptions(ctx, string(verb), workflow.SignalChannelOptions{Description: verb.Help()})
	}
	workflow.GetSignalChannelWithOptions(ctx, ReconcileSignal, workflow.SignalChannelOptions{
		Description: "Decides accepted commands, fires due events and retries pending deliveries. No input.",
	})
}

// arrivedSignals returns the names of the known signals that have arrived, always in the same order.
func arrivedSignals(ctx workflow.Context) (names []string) {
	unhandled := workflow.GetUnhandledSignalNames(ctx) // in any order
	if len(unhandled) == 0 {
		return nil
	}
	for _, verb := range ticket.Signals() {
		if slices.Contains(unhandled, string(verb)) {
			names = append(names, string(verb))
		}
	}
	if slices.Contains(unhandled, ReconcileSignal) {
		names = append(names, ReconcileSignal)
	}
	return names
}

// chooseWait determines once in a run how it waits. It is called before the run waits for the first time.
func (t *ticketWorkflow) chooseWait(ctx workflow.Context) {
	switch {
	case t.waitChosen:
		return
	case t.awaits:
		t.selector = nil
	default:
		t.selector.listen(ctx, &t.meter)
	}
	t.waitChosen = true
}

// wait returns when a signal has arrived, a timer has fired, the deliveries or an update have woken the main loop, or the history
// has become full: signals of unknown names also fill a history, and are dropped when the run continues as new. What is ready in
// one workflow task is handled together. A waiting workflow keeps its goroutine and nothing else for it: thousands of tickets are
// cached by a worker. It and its callers have no locals that they could do without: the stack shrinks to 8 KB only if less than 3.2 KB
// of it are in use, of which the SDK takes 2.9.
func (t *ticketWorkflow) wait(ctx workflow.Context) error {
	if t.selector != nil {
		t.selector.Select(ctx)
		return nil
	}
	t.futures.dropCancelled(ctx)
	if err := workflow.Await(ctx, t.wakeCondition(ctx)); err != nil {
		return err
	}
	t.futures.handle()
	return nil
}

// wakeCondition returns what a run waits for.
func (t *ticketWorkflow) wakeCondition(ctx workflow.Context) func() bool {
	full := t.meter.full(ctx)
	return func() bool {
		return t.woken || t.futures.ready() || len(arrivedSignals(ctx)) > 0 || t.meter.full(ctx) != full
	}
}

// onReady registers what to do when a timer's future is ready.
func (t *ticketWorkflow) onReady(future workflow.Future, do func(workflow.Future)) {
	if t.selector != nil {
		t.selector.AddFuture(future, do)
		return
	}
	t.futures.add(future, do)
}

// onSettled wakes the main loop because of a delivery.
func (t *ticketWorkflow) onSettled() {
	t.woken = true
	if t.selector != nil {
		t.selector.settled.SendAsync(nil)
	}
}

// onUpdate wakes the main loop because of an update.
func (t *ticketWorkflow) onUpdate() {
	t.woken = true
	if t.selector != nil {
		t.selector.updated.SendAsync(nil)
	}
}

// futures are futures and what to do when they are ready.
type futures []pendingFuture

type pendingFuture struct {
	workflow.Future
	do func(workflow.Future)
}

func (f *futures) add(future workflow.Future, do func(workflow.Future)) {
	*f = append(*f, pendingFuture{future, do})
}

func (f *futures) ready() bool {
	return slices.ContainsFunc(*f, func(p pendingFuture) bool { return p.IsReady() })
}

// handle removes the futures that are ready, and does what is to be done then.
func (f *futures) handle() {
	var done []pendingFuture
	*f = slices.DeleteFunc(*f, func(p pendingFuture) bool {
		if !p.IsReady() {
			return false
		}
		done = append(done, p)
		return true
	})
	for _, p := range done {
		p.do(p.Future)
	}
}

// dropCancelled removes the futures of timers that were cancelled, for which there is nothing to do.
func (f *futures) dropCancelled(ctx workflow.Context) {
	*f = slices.DeleteFunc(*f, func(p pendingFuture) bool { return p.IsReady() && temporal.IsCanceledError(p.Get(ctx, nil)) })
}

// ticketSelector is how runs wait whose steps did not set ticket.StepResult.Awaits. It handles what is ready in one workflow task
// in the order of its arrival, which decides the order of commands in their histories.
type ticketSelector struct {
	workflow.Selector
	settled workflow.Channel // one message for each wake-up by deliveries
	updated workflow.Channel
	receive func(workflow.Context, string) // receives the signals of a name
}

func newTicketSelector(ctx workflow.Context, receive func(workflow.Context, string)) *ticketSelector {
	return &ticketSelector{
		Selector: workflow.NewNamedSelector(ctx, "ticket"),
		settled:  workflow.NewNamedBufferedChannel(ctx, "settled", 1024),
		updated:  workflow.NewNamedBufferedChannel(ctx, "update", 1),
		receive:  receive,
	}
}

// listen adds the signals and wake-ups that the selector waits for. Timers follow as they are started.
func (s *ticketSelector) listen(ctx workflow.Context, meter *historyMeter) {
	for _, verb := range ticket.Signals() {
		s.addSignal(ctx, string(verb))
	}
	s.addSignal(ctx, ReconcileSignal)
	meter.watch(ctx, s)
	for _, channel := range []workflow.Channel{s.settled, s.updated} {
		s.AddReceive(channel, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	}
}

func (s *ticketSelector) addSignal(ctx workflow.Context, name string) {
	s.AddReceive(workflow.GetSignalChannel(ctx, name), func(workflow.ReceiveChannel, bool) { s.receive(ctx, name) })
}

// drain receives the wake-ups of deliveries that need no further one.
func (s *ticketSelector) drain() {
	for s.settled.ReceiveAsync(nil) { //nolint:revive // only receives
	}
}
