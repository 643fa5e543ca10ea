package workflows

import (
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ScheduleSignal is the signal that the emergency schedule was changed. The workflow reads the schedule itself.
const ScheduleSignal = "schedule-changed"

// ScheduleChanged is its payload, for people to read.
type ScheduleChanged struct {
	Revision int64 `json:"revision"`
}

// EmergencyCommands returns the manual commands of the emergency workflow.
func EmergencyCommands() []string { return []string{"declare", "change", "extend", "lift", "cancel"} }

const (
	maxManual            = 100     // commands that may wait
	maxManualSize        = 4 << 10 // bytes of one
	maxEmergencyOutcomes = 10      // lines
)

// listen registers a receiver for every signal. Receivers only record what came.
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

// receive queues a manual command. Its payload is read by the activity.
func (w *emergencyWorkflow) receive(ctx workflow.Context, name string, payload converter.RawValue) {
	w.received[name]++
	data := payload.Payload().GetData()
	w.meter.received += len(data)
	hand := ticket.ManualEmergencyCommand{
		Key: manualKey(ctx, w.received[name], name, data), Run: workflow.GetInfo(ctx).WorkflowExecution.RunID, Name: name,
	}
	if raw := payload.Payload(); raw != nil && len(raw.GetData()) > 0 {
		if string(raw.GetMetadata()[converter.MetadataEncoding]) != converter.MetadataEncodingJSON {
			w.recordOutcome(ctx, name, ticket.ManualEmergencyResult{Refused: "the payload is not JSON"})
			return
		}
		hand.Payload = string(raw.GetData())
	}
	switch {
	case len(hand.Payload) > maxManualSize:
		w.recordOutcome(ctx, name, ticket.ManualEmergencyResult{Refused: "the payload is too long"})
	case len(w.manual) >= maxManual:
		w.recordOutcome(ctx, name, ticket.ManualEmergencyResult{Refused: "too many signals wait already"})
	default:
		w.manual = append(w.manual, hand)
	}
}

// executeManual executes the first manual command.
func (w *emergencyWorkflow) executeManual(ctx workflow.Context) error {
	if len(w.manual) == 0 {
		return nil
	}
	hand := w.manual[0]
	result, err := callManualCommand(ctx, hand)
	if err != nil {
		return err
	}
	w.manual = w.manual[1:]
	w.answers.answer(hand.Key, emergencyAnswer(hand.Name, result))
	w.recordOutcome(ctx, hand.Name, result)
	w.stale = w.stale || result.Refused == ""
	return nil
}

// recordOutcome adds an outcome to those that are shown.
func (w *emergencyWorkflow) recordOutcome(ctx workflow.Context, name string, result ticket.ManualEmergencyResult) {
	if result.Refused != "" {
		w.refused++
	}
	w.outcomes = append(w.outcomes, EmergencyOutcome{At: workflow.Now(ctx), Command: name, ManualEmergencyResult: result})
	w.outcomes = w.outcomes[max(len(w.outcomes)-maxEmergencyOutcomes, 0):]
}
