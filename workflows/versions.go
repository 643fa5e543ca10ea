package workflows

import "go.temporal.io/sdk/workflow"

// What running tickets may not agree on: each change of a workflow's commands that a history of an earlier version
// can meet stands here, behind a predicate that says what the new code does. docs/deploying-workflows.md tells when a
// change needs one, and when one may go.

// refusesStrays: a signal whose name is no verb's is refused, which takes a step. It used to be left lying. Asked only
// when there is one, so that a ticket that never gets one pays nothing.
func refusesStrays(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "refuse-strays", workflow.DefaultVersion, 1) >= 1
}
