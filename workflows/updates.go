package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// maxUpdateID is the maximum length of an update's ID in bytes. The ID is part of a command's key.
const maxUpdateID = 200

// answers holds the results of pending updates by command key.
type answers struct {
	waiting map[string]string // empty: no result yet
	open    int               // number of updates without a result
	wake    func()            // wakes the main loop
}

func newAnswers(wake func()) answers { return answers{waiting: map[string]string{}, wake: wake} }

// await waits for the result of an update whose command is queued, and returns it. It ignores cancellation, as the
// workflow does.
func (a *answers) await(ctx workflow.Context, key string) (string, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	a.waiting[key] = ""
	a.open++
	a.wake()
	if err := workflow.Await(ctx, func() bool { return a.waiting[key] != "" }); err != nil {
		return "", fmt.Errorf("wait for the update's outcome: %w", err)
	}
	result := a.waiting[key]
	delete(a.waiting, key)
	return result, nil
}

// answer sets the result of the update with a key. It does nothing if there is none.
func (a *answers) answer(key, text string) {
	if result, waits := a.waiting[key]; waits && result == "" {
		a.waiting[key] = text
		a.open--
	}
}

// due reports whether an update waits for a step.
func (a *answers) due() bool { return a.open > 0 }

// awaitHandlers waits until all update handlers have returned, since a run that ends earlier loses their results.
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

func errMalformed(text string) error { return errRefused(fault.Invalid, text) }

func errTooManyWaiting() error {
	return errRefused(fault.Limited, "too many commands wait already: try again later")
}

// errRefused returns an application error whose type is the kind, like the errors of activities.
func errRefused(kind fault.Kind, text string) error {
	return temporal.NewNonRetryableApplicationError(text, kind.String(), nil)
}

// updateKey returns the command key of the current update.
func updateKey(ctx workflow.Context, name string) string {
	return fmt.Sprintf("%s/%s/update/%s", workflow.GetInfo(ctx).FirstRunID, name, workflow.GetCurrentUpdateInfo(ctx).ID)
}
