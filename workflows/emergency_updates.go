package workflows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// handleUpdates registers an update for every manual command. Its result is the outcome of the command.
func (w *emergencyWorkflow) handleUpdates(ctx workflow.Context) error {
	w.answers = newAnswers(ctx, w.selector)
	for _, name := range EmergencyCommands() {
		takes := name + " takes " + strings.Join(ticket.EmergencyFields(name), ", ")
		err := workflow.SetUpdateHandlerWithOptions(ctx, name,
			func(ctx workflow.Context, payload converter.RawValue) (string, error) {
				return w.update(ctx, name, payload)
			},
			workflow.UpdateHandlerOptions{
				Description: takes,
				Validator: func(ctx workflow.Context, payload converter.RawValue) error {
					return w.validate(ctx, name, payload)
				},
			})
		if err != nil {
			return fmt.Errorf("offer the update %s: %w", name, err)
		}
	}
	return nil
}

// validate rejects malformed input before it becomes part of the history.
func (w *emergencyWorkflow) validate(ctx workflow.Context, name string, payload converter.RawValue) error {
	if err := validateUpdateID(workflow.GetCurrentUpdateInfo(ctx).ID); err != nil {
		return err
	}
	data := payload.Payload().GetData()
	decoder := json.NewDecoder(bytes.NewReader(data)) // workflowcheck does not accept json.Unmarshal as deterministic
	var fields map[string]json.RawMessage
	switch {
	case len(w.manual) >= maxManual:
		return errTooManyWaiting()
	case len(data) > maxManualSize:
		return errMalformed("the input is too long")
	case len(data) > 0 && (decoder.Decode(&fields) != nil || decoder.More()):
		return errMalformed("the input is not a JSON object")
	}
	takes := ticket.EmergencyFields(name)
	for _, field := range takes {
		delete(fields, field)
	}
	if len(fields) > 0 {
		return errMalformed(name + " takes only " + strings.Join(takes, ", "))
	}
	return nil
}

// update queues a manual command and waits for its outcome. The command's key contains the update's ID, the same in every
// run, so that a repeated update is executed once.
func (w *emergencyWorkflow) update(ctx workflow.Context, name string, payload converter.RawValue) (string, error) {
	data := payload.Payload().GetData()
	w.meter.received += len(data)
	key := updateKey(ctx, name)
	w.manual = append(w.manual, ticket.ManualEmergencyCommand{
		Key: key, Run: workflow.GetInfo(ctx).FirstRunID, Name: name, Payload: string(data),
	})
	return w.answers.await(ctx, key)
}

// emergencyAnswer returns the result of an update.
func emergencyAnswer(name string, result ticket.ManualEmergencyResult) string {
	if result.Refused != "" {
		return fmt.Sprintf("%s: refused, %s", name, result.Refused)
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s %s", name, result.Done, result.Emergency))
}
