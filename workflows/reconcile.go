package workflows

import (
	"cmp"
	"slices"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ReconcileSignal asks a ticket to look at everything: to take what was accepted, to let fall due what is due, and to send
// every mail that is owed and not under way. Sent twice or for no reason, it changes nothing. What it carries is ignored.
const ReconcileSignal = "reconcile"

// listenToReconciler hears the signal from here on.
func (t *life) listenToReconciler(ctx workflow.Context) {
	channel := workflow.GetSignalChannelWithOptions(ctx, ReconcileSignal, workflow.SignalChannelOptions{
		Description: "Has the ticket look at what was accepted, what is due and what is owed. No input.",
	})
	t.selector.AddReceive(channel, func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, &converter.RawValue{})
		t.reconcile()
	})
}

// drainReconciler hears what has arrived, without waiting for more.
func (t *life) drainReconciler(ctx workflow.Context) {
	channel := workflow.GetSignalChannel(ctx, ReconcileSignal)
	for channel.ReceiveAsync(&converter.RawValue{}) {
		t.reconcile()
	}
}

// reconcile has the next step at the gate look at all mails, and not only at those it has not been told of.
func (t *life) reconcile() { t.gate, t.all = true, true }

// adopt takes on what a look at everything found, without what is under way.
func (m *mailer) adopt(owed []ticket.Owed) {
	m.owe(slices.DeleteFunc(owed, func(found ticket.Owed) bool {
		return slices.ContainsFunc(m.owed, func(known ticket.Owed) bool { return known.N == found.N })
	}))
	slices.SortStableFunc(m.owed, func(a, b ticket.Owed) int { return cmp.Compare(a.N, b.N) })
}

// owe takes on the mails that a step found.
func (t *life) owe(r ticket.StepRequest, result ticket.StepResult) {
	if r.Gate && t.all {
		t.all = t.gate // a step that stopped short of the gate is taken again, and looks again
		t.mailer.adopt(result.Owed)
		return
	}
	t.mailer.owe(result.Owed)
}
