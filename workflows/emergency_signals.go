package workflows

import (
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
