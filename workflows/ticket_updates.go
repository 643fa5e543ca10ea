package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

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

// handleUpdates registers an update for every verb that needs no message. Its result is the outcome of the command.
func (t *ticketWorkflow) handleUpdates(ctx workflow.Context) error {
	t.answers = newAnswers(ctx, t.selector)
	for _, verb := range ticket.ManualVerbs() {
		err := workflow.SetUpdateHandlerWithOptions(ctx, string(verb),
			func(ctx workflow.Context, payload converter.RawValue) (string, error) {
				return t.update(ctx, verb, payload)
			},
			workflow.UpdateHandlerOptions{
				Description: verb.Help(),
				Validator: func(ctx workflow.Context, payload converter.RawValue) error {
					return t.validate(ctx, verb, payload)
				},
			})
		if err != nil {
			return fmt.Errorf("offer the update %s: %w", verb, err)
		}
	}
	return nil
}

// validate rejects malformed input before it becomes part of the history.
func (t *ticketWorkflow) validate(ctx workflow.Context, verb ticket.Verb, payload converter.RawValue) error {
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
func (t *ticketWorkflow) update(ctx workflow.Context, verb ticket.Verb, payload converter.RawValue) (string, error) {
	t.meter.received += len(payload.Payload().GetData())
	s, _ := decodeSignal(payload) // the validator has decoded it before
	c := manualCommand(verb, s)
	c.Run = workflow.GetInfo(ctx).FirstRunID
	c.Key = updateKey(ctx, string(verb))
	t.manual = append(t.manual, c.Checked())
	return t.answers.await(ctx, c.Key)
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
