package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// maxUpdateID is in bytes; the ID becomes part of a command's key.
const maxUpdateID = 200

// answers holds the results of updates that are under way, by command key.
type answers struct {
	waiting map[string]string // empty: not answered yet
	open    int               // how many are not answered yet
	woken   workflow.Channel  // wakes the main loop
}

func newAnswers(ctx workflow.Context, selector workflow.Selector) answers {
	a := answers{waiting: map[string]string{}, woken: workflow.NewNamedBufferedChannel(ctx, "update", 1)}
	selector.AddReceive(a.woken, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	return a
}

// await returns the result of an update whose command is queued. It ignores cancellation, as the workflow does.
func (a *answers) await(ctx workflow.Context, key string) (string, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	a.waiting[key] = ""
	a.open++
	a.woken.SendAsync(nil)
	if err := workflow.Await(ctx, func() bool { return a.waiting[key] != "" }); err != nil {
		return "", fmt.Errorf("wait for the update's outcome: %w", err)
	}
	said := a.waiting[key]
	delete(a.waiting, key)
	return said, nil
}

// answer sets the result of the update with a key, if there is one.
func (a *answers) answer(key, says string) {
	if said, waits := a.waiting[key]; waits && said == "" {
		a.waiting[key] = says
		a.open--
	}
}

// due reports whether an update waits for a step.
func (a *answers) due() bool { return a.open > 0 }

// awaitHandlers waits until every update handler has returned: a run that ended before would lose their results.
func awaitHandlers(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return fmt.Errorf("wait for the updates: %w", err)
	}
	return nil
}

func validateUpdateID(id string) error {
	if len(id) > maxUpdateID || strings.ContainsRune(id, 0) {
		return errMalformed("the update's ID is too long or has a zero byte")
	}
	return nil
}

func errMalformed(says string) error { return errRefused(fault.Invalid, says) }

func errTooManyWaiting() error {
	return errRefused(fault.Limited, "too many commands wait already: try again later")
}

// errRefused has the kind as its type, as the errors of activities do.
func errRefused(kind fault.Kind, says string) error {
	return temporal.NewNonRetryableApplicationError(says, kind.String(), nil)
}

func updateKey(ctx workflow.Context, name string) string {
	return fmt.Sprintf("%s/%s/update/%s", workflow.GetInfo(ctx).FirstRunID, name, workflow.GetCurrentUpdateInfo(ctx).ID)
}
