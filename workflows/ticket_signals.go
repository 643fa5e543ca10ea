package workflows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// listen hears every signal from here on. Hearing only takes note; the steps come in the main loop.
func (t *ticketWorkflow) listen(ctx workflow.Context) {
	for _, verb := range ticket.Signals() {
		channel := workflow.GetSignalChannelWithOptions(ctx, string(verb), workflow.SignalChannelOptions{Description: verb.Help()})
		t.selector.AddReceive(channel, func(c workflow.ReceiveChannel, _ bool) {
			var payload converter.RawValue
			c.Receive(ctx, &payload)
			t.receive(ctx, verb, payload)
		})
	}
	t.listenForReconcile(ctx)
	t.meter.watch(ctx, t.selector)
	t.selector.AddReceive(t.mailer.settled, func(c workflow.ReceiveChannel, _ bool) {
		var s settled
		c.Receive(ctx, &s)
		t.recordSettled(s)
	})
}

// drain hears what has arrived, without waiting for more.
func (t *ticketWorkflow) drain(ctx workflow.Context) {
	for _, verb := range ticket.Signals() {
		channel := workflow.GetSignalChannel(ctx, string(verb))
		for {
			var payload converter.RawValue // a signal without one leaves it as it was
			if !channel.ReceiveAsync(&payload) {
				break
			}
			t.receive(ctx, verb, payload)
		}
	}
	t.drainReconcile(ctx)
	var s settled
	for t.mailer.settled.ReceiveAsync(&s) {
		t.recordSettled(s)
	}
}

func (t *ticketWorkflow) recordSettled(s settled) {
	switch {
	case s.bounced:
		t.bounced = append(t.bounced, s.n)
	case s.asks:
		t.delivered = append(t.delivered, s.n)
	}
}

// maxSignal is in bytes: what means something is far smaller, and what is larger is not carried along to be refused.
const maxSignalSize = 4 << 10

// hear takes note of a signal: of its number when it has one, of all of it when it was sent by hand.
func (t *ticketWorkflow) receive(ctx workflow.Context, verb ticket.Verb, payload converter.RawValue) {
	data := payload.Payload().GetData()
	t.meter.received += len(data)
	t.received[verb]++
	s, ok := decodeSignal(payload)
	switch {
	case ok && s.Seq > 0:
		if s.Seq > t.digest.Command { // else it has been taken
			t.lastCommand = max(t.lastCommand, s.Seq)
			t.claims = append(t.claims, Claim{Seq: s.Seq, Verb: verb, Nth: t.received[verb]})
		}
	case ok && s.Schedule > 0 && isEmergencyVerb(verb):
		t.catchUp = true
		t.shown.deferral.until(time.Duration(s.AttributesAfter) * time.Second)
	default:
		t.addManual(ctx, verb, t.received[verb], s, !ok || s.fromAPI() || hasUnknownField(data), data)
	}
}

// ofTheDesk reports that a signal without a number has a field that only the desk's own signals have.
func (s Signal) fromAPI() bool {
	return s.Seq != 0 || s.Schedule != 0 || s.AttributesAfter != 0 || s.By != "" || !s.At.IsZero()
}

// read returns what a signal carries; one without a payload carries nothing, which is fine.
func decodeSignal(payload converter.RawValue) (s Signal, ok bool) {
	raw := payload.Payload()
	if len(raw.GetData()) == 0 {
		return s, true
	}
	if len(raw.GetData()) > maxSignalSize {
		return s, false
	}
	err := converter.GetDefaultDataConverter().FromPayload(raw, &s)
	return s, err == nil
}

func isEmergencyVerb(verb ticket.Verb) bool {
	return verb == ticket.VerbEmergencyPause || verb == ticket.VerbEmergencyExtend || verb == ticket.VerbEmergencyResume
}

// misspelt reports that a signal by hand has a field that means nothing: what it was to say would be lost.
func hasUnknownField(data []byte) bool {
	if len(data) == 0 {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(&Signal{}) != nil
}

// mostSeconds a duration can hold.
const maxSeconds = int64(math.MaxInt64 / time.Second)

// hand keeps a signal by hand until a step takes it.
func (t *ticketWorkflow) addManual(ctx workflow.Context, verb ticket.Verb, place int, s Signal, malformed bool, data []byte) {
	h := manualCommand(verb, s)
	h.Key, h.Run = manualKey(ctx, place, string(verb), data), workflow.GetInfo(ctx).WorkflowExecution.RunID
	h.Malformed = malformed || outOfRange(s)
	t.manual = append(t.manual, h.Checked())
}

// handKey identifies a signal by hand: by its workflow, its name, its place among the signals of that name, and what it
// says. The same signal has the same key when its workflow task is lost after the step that took it, whatever arrives
// meanwhile: only signals of one name keep their order. Delivered again after a reset it has the same key, too, and
// another one in its place has not.
func manualKey(ctx workflow.Context, place int, name string, data []byte) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(name)) // never fails
	_, _ = sum.Write(data)
	return fmt.Sprintf("%s/%s/%d/%08x", workflow.GetInfo(ctx).FirstRunID, name, place, sum.Sum32())
}

// refuseClaims turns signals with a number that was never given out into refused ones: somebody made them up.
func (t *ticketWorkflow) refuseClaims(ctx workflow.Context) {
	for _, c := range t.claims {
		if c.Seq > t.lastCommand {
			t.addManual(ctx, c.Verb, c.Nth, Signal{}, true, strconv.AppendInt(nil, c.Seq, 10))
		}
	}
	t.claims = nil
}

// ReconcileSignal asks a ticket to look at everything: to take what was accepted, to let fall due what is due, and to send
// every mail that is owed and not under way. Sent twice or for no reason, it changes nothing. What it carries is ignored.
const ReconcileSignal = "reconcile"

// listenToReconciler hears the signal from here on.
func (t *ticketWorkflow) listenForReconcile(ctx workflow.Context) {
	channel := workflow.GetSignalChannelWithOptions(ctx, ReconcileSignal, workflow.SignalChannelOptions{
		Description: "Has the ticket look at what was accepted, what is due and what is owed. No input.",
	})
	t.selector.AddReceive(channel, func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, &converter.RawValue{})
		t.reconcile()
	})
}

// drainReconciler hears what has arrived, without waiting for more.
func (t *ticketWorkflow) drainReconcile(ctx workflow.Context) {
	channel := workflow.GetSignalChannel(ctx, ReconcileSignal)
	for channel.ReceiveAsync(&converter.RawValue{}) {
		t.reconcile()
	}
}

// reconcile has the next step look at the gate, and at all mails as if the mailer had been given none.
func (t *ticketWorkflow) reconcile() { t.catchUp, t.lastMail = true, 0 }
