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

// drain receives the signals and results of deliveries that have arrived, without waiting. It only records them; the main loop
// takes the steps.
func (t *ticketWorkflow) drain(ctx workflow.Context) {
	t.woken = false
	for _, name := range arrivedSignals(ctx) {
		t.receiveAll(ctx, name)
	}
	if t.selector != nil {
		t.selector.drain()
	}
	for _, s := range t.deliveries.takeSettled() {
		t.recordSettled(s)
	}
}

// receiveAll receives the signals of a name that have arrived.
func (t *ticketWorkflow) receiveAll(ctx workflow.Context, name string) {
	channel := workflow.GetSignalChannel(ctx, name)
	for {
		var payload converter.RawValue // a signal without one leaves it as it was
		if !channel.ReceiveAsync(&payload) {
			return
		}
		if name == ReconcileSignal {
			t.reconcile()
		} else {
			t.receive(ctx, ticket.Verb(name), payload)
		}
	}
}

// recordSettled queues the result of a delivery for a step, if the domain needs to know of it.
func (t *ticketWorkflow) recordSettled(s settled) {
	switch {
	case s.bounced:
		t.bounced = append(t.bounced, s.n)
	case s.asks:
		t.delivered = append(t.delivered, s.n)
	}
}

// maxSignalSize is the maximum size of a payload in bytes. Valid ones are far smaller. A larger one is refused and dropped.
const maxSignalSize = 4 << 10

// receive records a signal: its number if it has one, otherwise a manual command.
func (t *ticketWorkflow) receive(ctx workflow.Context, verb ticket.Verb, payload converter.RawValue) {
	data := payload.Payload().GetData()
	t.meter.received += len(data)
	t.received[verb]++
	s, ok := decodeSignal(payload)
	switch {
	case ok && s.Seq > 0:
		if s.Seq > t.digest.Command { // otherwise it is decided already
			t.lastCommand = max(t.lastCommand, s.Seq)
			t.claims = append(t.claims, Claim{Seq: s.Seq, Verb: verb, Nth: t.received[verb]})
		}
	case ok && s.Schedule > 0 && verb.OfEmergency():
		t.catchUp = true
		t.shown.deferral.until(time.Duration(s.AttributesAfter) * time.Second)
	default:
		t.addManual(ctx, verb, t.received[verb], s, !ok || s.fromAPI() || hasUnknownField(data), data)
	}
}

// fromAPI reports whether a field is set that only signals from the API or the emergency workflow have.
func (s Signal) fromAPI() bool {
	return s.Seq != 0 || s.Schedule != 0 || s.AttributesAfter != 0 || s.By != "" || !s.At.IsZero()
}

// decodeSignal decodes the payload of a signal, which may be empty. It returns false if that is too large or malformed.
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

// hasUnknownField reports whether the payload of a manual command has an unknown field, which is a mistake.
func hasUnknownField(data []byte) bool {
	if len(data) == 0 {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(&Signal{}) != nil
}

// maxSeconds is the largest number of seconds in a time.Duration.
const maxSeconds = int64(math.MaxInt64 / time.Second)

// addManual queues a manual command for the next step.
func (t *ticketWorkflow) addManual(ctx workflow.Context, verb ticket.Verb, place int, s Signal, malformed bool, data []byte) {
	h := manualCommand(verb, s)
	h.Key, h.Run = manualKey(ctx, place, string(verb), data), workflow.GetInfo(ctx).WorkflowExecution.RunID
	h.Malformed = malformed || outOfRange(s)
	t.manual = append(t.manual, h.Checked())
}

// manualKey returns the key of a manual command that came as a signal: workflow, name, position among the signals of that
// name, and a hash of the payload. It is the same if the workflow task is lost after the step that took the signal, whatever
// arrives meanwhile, because signals of one name keep their order. It is also the same if the signal is delivered again
// after a reset, and differs for another signal in that position.
func manualKey(ctx workflow.Context, place int, name string, data []byte) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(name)) // never fails
	_, _ = sum.Write(data)
	return fmt.Sprintf("%s/%s/%d/%08x", workflow.GetInfo(ctx).FirstRunID, name, place, sum.Sum32())
}

// refuseClaims turns signals whose command number was never assigned into malformed manual commands, to be refused.
func (t *ticketWorkflow) refuseClaims(ctx workflow.Context) {
	for _, c := range t.claims {
		if c.Seq > t.lastCommand {
			t.addManual(ctx, c.Verb, c.Nth, Signal{}, true, strconv.AppendInt(nil, c.Seq, 10))
		}
	}
	t.claims = nil
}

// ReconcileSignal is the signal on which a ticket decides accepted commands, fires due events, and makes pending deliveries
// that are not under way. It has no payload, and is idempotent.
const ReconcileSignal = "reconcile"

// reconcile requests a step that catches up and returns all pending deliveries.
func (t *ticketWorkflow) reconcile() { t.catchUp, t.lastDelivery = true, 0 }

// manualOutcome returns the outcome of a manual command that a step has taken, in words.
func manualOutcome(c ticket.ManualCommand, result ticket.StepResult) string {
	for _, o := range result.Manual {
		if o.Key != c.Key {
			continue
		}
		line := ticket.Outcome{Refused: o.Refused, Code: o.Code}.Line(c.Verb)
		if !o.Refused {
			line += fmt.Sprintf(", ticket is %s", result.Digest.Status)
		}
		return line
	}
	return fmt.Sprintf("%s: accepted, not yet decided", c.Verb)
}

// handleUpdates registers an update for every verb that needs no message. Its result is the outcome of the command. All have the
// same handler, because each of its own would take memory in each cached workflow.
func (t *ticketWorkflow) handleUpdates(ctx workflow.Context) error {
	handler, validator := any(t.update), any(t.validate)
	for _, verb := range ticket.ManualVerbs() {
		err := workflow.SetUpdateHandlerWithOptions(ctx, string(verb), handler,
			workflow.UpdateHandlerOptions{Description: verb.Help(), Validator: validator})
		if err != nil {
			return fmt.Errorf("offer the update %s: %w", verb, err)
		}
	}
	return nil
}

// validate rejects malformed input before it becomes part of the history.
func (t *ticketWorkflow) validate(ctx workflow.Context, payload converter.RawValue) error {
	verb := updatedVerb(ctx)
	if err := validateUpdateID(workflow.GetCurrentUpdateInfo(ctx).ID); err != nil {
		return err
	}
	if len(t.manual) >= maxCarried {
		return errTooManyWaiting()
	}
	data := payload.Payload().GetData()
	s, ok := decodeSignal(payload)
	if !ok || s.fromAPI() || hasUnknownField(data) || outOfRange(s) {
		return errMalformed("the input has an unknown field, or one that is not of its type. " + verb.Help())
	}
	c := manualCommand(verb, s).Checked()
	if c.Malformed {
		return errMalformed("the input has a field that this does not take, or a value that means nothing. " + verb.Help())
	}
	if field := c.MissingField(); field != "" {
		return errMalformed("the input lacks " + field + ". " + verb.Help())
	}
	return nil
}

// update queues a manual command and waits for its outcome. The command's key contains the update's ID, the same in every
// run, so that a repeated update is executed once.
func (t *ticketWorkflow) update(ctx workflow.Context, payload converter.RawValue) (string, error) {
	verb := updatedVerb(ctx)
	t.meter.received += len(payload.Payload().GetData())
	s, _ := decodeSignal(payload) // the validator has decoded it before
	c := manualCommand(verb, s)
	c.Run = workflow.GetInfo(ctx).FirstRunID
	c.Key = updateKey(ctx, string(verb))
	t.manual = append(t.manual, c.Checked())
	return t.answers.await(ctx, c.Key)
}

// updatedVerb returns the verb of the current update.
func updatedVerb(ctx workflow.Context) ticket.Verb {
	return ticket.Verb(workflow.GetCurrentUpdateInfo(ctx).Name)
}

// manualCommand returns the manual command of a payload, without key and run.
func manualCommand(verb ticket.Verb, s Signal) ticket.ManualCommand {
	return ticket.ManualCommand{
		Verb: verb, Agent: s.Agent, Priority: s.Priority, Category: s.Category,
		Emergency: s.Emergency, Extension: time.Duration(s.Seconds) * time.Second, Policy: s.Policy, Until: s.Until,
	}
}

// outOfRange reports whether the seconds overflow a time.Duration.
func outOfRange(s Signal) bool { return s.Seconds > maxSeconds || s.Seconds < -maxSeconds }
