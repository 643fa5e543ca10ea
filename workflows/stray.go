package workflows

import (
	"slices"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// A stray is a signal whose name is no verb's: somebody made a slip in Temporal UI. The SDK delivers it to nobody, so
// without this whoever sent it would wait for something to happen.

// strays lists the names of such signals that wait to be received, in an order that a replay repeats.
func strays(ctx workflow.Context) []string {
	names := slices.DeleteFunc(workflow.GetUnhandledSignalNames(ctx), func(name string) bool {
		return name == ReconcileSignal || slices.Contains(ticket.Signals(), ticket.Verb(name))
	})
	slices.Sort(names)
	return names
}

// listenForStrays wakes the main loop when one comes. It asks the server for nothing.
func (t *life) listenForStrays(ctx workflow.Context) {
	came := workflow.NewNamedChannel(ctx, "strays")
	t.selector.AddReceive(came, func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, nil)
		t.drainStrays(ctx)
	})
	workflow.GoNamed(ctx, "strays", func(ctx workflow.Context) {
		for workflow.Await(ctx, func() bool { return len(strays(ctx)) > 0 }) == nil {
			came.Send(ctx, nil)
		}
	})
}

// drainStrays has each refused. Its name and what it carries are whatever somebody typed, and go no further.
func (t *life) drainStrays(ctx workflow.Context) {
	for _, name := range strays(ctx) {
		channel := workflow.GetSignalChannel(ctx, name)
		var payload converter.RawValue
		for channel.ReceiveAsync(&payload) {
			if refusesStrays(ctx) {
				t.hand(ctx, ticket.VerbUnknown, Signal{}, true)
			}
		}
	}
}
