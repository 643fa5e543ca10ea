package workflows

import (
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"
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

// reconcile has the next step look at the gate, and at all mails as if the mailer had been given none.
func (t *life) reconcile() { t.gate, t.known = true, 0 }
