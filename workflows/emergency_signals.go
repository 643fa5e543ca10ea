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

// ScheduleSignal is the signal that the emergency schedule was changed. The workflow reads the schedule itself.
const ScheduleSignal = "schedule-changed"

// ScheduleChanged is the payload of ScheduleSignal. It is only informative.
type ScheduleChanged struct {
	Revision int64 `json:"revision"`
}

// EmergencyCommands returns the names of the manual commands of the emergency workflow.
func EmergencyCommands() []string { return []string{"declare", "change", "extend", "lift", "cancel"} }

const (
	maxManual            = 100     // maximum number of waiting manual commands
	maxManualSize        = 4 << 10 // maximum payload of a manual command in bytes
	maxEmergencyOutcomes = 10      // outcomes shown in the details
)

// listen registers a receiver for every signal. Receivers only record signals; the main loop handles them.
func (w *emergencyWorkflow) listen(ctx workflow.Context) {
	w.selector.AddReceive(workflow.GetSignalChannel(ctx, ScheduleSignal), func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, nil)
		w.stale = true
	})
	for _, name := range EmergencyCommands() {
		w.selector.AddReceive(workflow.GetSignalChannel(ctx, name), func(c workflow.ReceiveChannel, _ bool) {
			var payload converter.RawValue
			c.Receive(ctx, &payload)
			w.receive(ctx, name, payload)
		})
	}
	w.selector.AddReceive(w.announcer.changed, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	w.meter.watch(ctx, w.selector)
}

// drain receives the signals that have arrived, without waiting.
func (w *emergencyWorkflow) drain(ctx workflow.Context) {
	for workflow.GetSignalChannel(ctx, ScheduleSignal).ReceiveAsync(nil) {
		w.stale = true
	}
	for _, name := range EmergencyCommands() {
		channel := workflow.GetSignalChannel(ctx, name)
		for {
			var payload converter.RawValue // a signal without one leaves it as it was
			if !channel.ReceiveAsync(&payload) {
				break
			}
			w.receive(ctx, name, payload)
		}
	}
}

// receive queues a manual command. The activity parses its payload.
func (w *emergencyWorkflow) receive(ctx workflow.Context, name string, payload converter.RawValue) {
	w.received[name]++
	data := payload.Payload().GetData()
	w.meter.received += len(data)
	command := ticket.ManualEmergencyCommand{
		Key: manualKey(ctx, w.received[name], name, data), Run: workflow.GetInfo(ctx).WorkflowExecution.RunID, Name: name,
	}
	if raw := payload.Payload(); raw != nil && len(raw.GetData()) > 0 {
		if string(raw.GetMetadata()[converter.MetadataEncoding]) != converter.MetadataEncodingJSON {
			w.recordOutcome(ctx, name, ticket.ManualEmergencyResult{Refused: "the payload is not JSON"})
			return
		}
		command.Payload = string(raw.GetData())
	}
	switch {
	case len(command.Payload) > maxManualSize:
		w.recordOutcome(ctx, name, ticket.ManualEmergencyResult{Refused: "the payload is too long"})
	case len(w.manual) >= maxManual:
		w.recordOutcome(ctx, name, ticket.ManualEmergencyResult{Refused: "too many signals wait already"})
	default:
		w.manual = append(w.manual, command)
	}
}

// executeManual executes the first manual command.
func (w *emergencyWorkflow) executeManual(ctx workflow.Context) error {
	if len(w.manual) == 0 {
		return nil
	}
	command := w.manual[0]
	result, err := callManualCommand(ctx, command)
	if err != nil {
		return err
	}
	w.manual = w.manual[1:]
	w.answers.answer(command.Key, emergencyAnswer(command.Name, result))
	w.recordOutcome(ctx, command.Name, result)
	w.stale = w.stale || result.Refused == ""
	return nil
}

// recordOutcome adds an outcome to those in the details.
func (w *emergencyWorkflow) recordOutcome(ctx workflow.Context, name string, result ticket.ManualEmergencyResult) {
	if result.Refused != "" {
		w.refused++
	}
	w.outcomes = append(w.outcomes, EmergencyOutcome{At: workflow.Now(ctx), Command: name, ManualEmergencyResult: result})
	w.outcomes = w.outcomes[max(len(w.outcomes)-maxEmergencyOutcomes, 0):]
}

// handleUpdates registers an update for every manual command. Its result is the outcome of the command.
func (w *emergencyWorkflow) handleUpdates(ctx workflow.Context) error {
	updated := workflow.NewNamedBufferedChannel(ctx, "update", 1)
	w.selector.AddReceive(updated, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	w.answers = newAnswers(func() { updated.SendAsync(nil) })
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
