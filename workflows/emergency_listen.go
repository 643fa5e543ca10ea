package workflows

import (
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// GateSignal tells the workflow Emergency that the gate was changed. It needs no payload: the gate is read.
const GateSignal = "gate"

// GateChanged is its payload, for people to read.
type GateChanged struct {
	Revision int64 `json:"revision"`
}

// EmergencySignals are what a person may send the workflow Emergency from Temporal UI.
func EmergencySignals() []string { return []string{"declare", "change", "extend", "lift", "cancel"} }

const (
	mostHands   = 100     // signals by hand that may wait
	mostPayload = 4 << 10 // bytes of one
	logKept     = 10      // lines
)

// listen hears every signal from here on. Hearing only takes note.
func (w *vigil) listen(ctx workflow.Context) {
	w.selector.AddReceive(workflow.GetSignalChannel(ctx, GateSignal), func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, nil)
		w.stale = true
	})
	for _, name := range EmergencySignals() {
		w.selector.AddReceive(workflow.GetSignalChannel(ctx, name), func(c workflow.ReceiveChannel, _ bool) {
			var payload converter.RawValue
			c.Receive(ctx, &payload)
			w.hear(ctx, name, payload)
		})
	}
	w.selector.AddReceive(w.herald.news, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	w.meter.watch(ctx, w.selector)
}

// drain hears what has arrived, without waiting for more.
func (w *vigil) drain(ctx workflow.Context) {
	for workflow.GetSignalChannel(ctx, GateSignal).ReceiveAsync(nil) {
		w.stale = true
	}
	for _, name := range EmergencySignals() {
		channel := workflow.GetSignalChannel(ctx, name)
		for {
			var payload converter.RawValue // a signal without one leaves it as it was
			if !channel.ReceiveAsync(&payload) {
				break
			}
			w.hear(ctx, name, payload)
		}
	}
}

// hear takes note of a signal by hand. What it says is read where it is carried out.
func (w *vigil) hear(ctx workflow.Context, name string, payload converter.RawValue) {
	w.heard[name]++
	data := payload.Payload().GetData()
	w.meter.heard += len(data)
	hand := ticket.EmergencyHand{
		Key: handKey(ctx, w.heard[name], name, data), Run: workflow.GetInfo(ctx).WorkflowExecution.RunID, Name: name,
	}
	if raw := payload.Payload(); raw != nil && len(raw.GetData()) > 0 {
		if string(raw.GetMetadata()[converter.MetadataEncoding]) != converter.MetadataEncodingJSON {
			w.enter(ctx, name, ticket.HandResult{Refused: "the payload is not JSON"})
			return
		}
		hand.Payload = string(raw.GetData())
	}
	switch {
	case len(hand.Payload) > mostPayload:
		w.enter(ctx, name, ticket.HandResult{Refused: "the payload is too long"})
	case len(w.hands) >= mostHands:
		w.enter(ctx, name, ticket.HandResult{Refused: "too many signals wait already"})
	default:
		w.hands = append(w.hands, hand)
	}
}

// carryOut has one signal by hand carried out, or refused.
func (w *vigil) carryOut(ctx workflow.Context) error {
	if len(w.hands) == 0 {
		return nil
	}
	hand := w.hands[0]
	result, err := callCarryOut(ctx, hand)
	if err != nil {
		return err
	}
	w.hands = w.hands[1:]
	w.answers.answer(hand.Key, emergencyAnswer(hand.Name, result))
	w.enter(ctx, hand.Name, result)
	w.stale = w.stale || result.Refused == ""
	return nil
}

// enter puts what came of a signal into the log.
func (w *vigil) enter(ctx workflow.Context, name string, result ticket.HandResult) {
	if result.Refused != "" {
		w.refused++
	}
	w.log = append(w.log, HandLine{At: workflow.Now(ctx), Signal: name, HandResult: result})
	w.log = w.log[max(len(w.log)-logKept, 0):]
}
