package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxUpdateID is in bytes; the ID becomes part of a command's key.
const maxUpdateID = 200

// answers are what updates wait for, by their keys.
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

// await returns what becomes of an update that was put among what is to be done. A request to cancel the workflow, which
// is ignored, does not end it.
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

// answer has the update of a key return, if there is one.
func (a *answers) answer(key, says string) {
	if said, waits := a.waiting[key]; waits && said == "" {
		a.waiting[key] = says
		a.open--
	}
}

// due reports that an update waits for a step.
func (a *answers) due() bool { return a.open > 0 }

// manualOutcome says what became of a manual command that a step has taken.
func manualOutcome(h ticket.ByHand, result ticket.StepResult) string {
	for _, o := range result.ByHand {
		if o.Key != h.Key {
			continue
		}
		line := ticket.Outcome{Refused: o.Refused, Code: o.Code}.Line(h.Verb)
		if !o.Refused {
			line += fmt.Sprintf(", ticket is %s", result.Digest.Status)
		}
		return line
	}
	return fmt.Sprintf("%s: accepted, and not yet decided", h.Verb)
}

// answered waits until every update has returned: a run that ended before would take its answer away.
func answered(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return fmt.Errorf("wait for the updates: %w", err)
	}
	return nil
}

// takeUpdates offers every verb that can be granted by hand as an update, too, whose answer is what became of it.
func (t *life) takeUpdates(ctx workflow.Context) error {
	t.answers = newAnswers(ctx, t.selector)
	for _, verb := range ticket.ByHandVerbs() {
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

// validate refuses what can't mean anything, before it becomes a part of the history.
func (t *life) validate(ctx workflow.Context, verb ticket.Verb, payload converter.RawValue) error {
	if err := checkUpdateID(workflow.GetCurrentUpdateInfo(ctx).ID); err != nil {
		return err
	}
	if len(t.byHand) >= mostCarried {
		return errCrowded()
	}
	data := payload.Payload().GetData()
	s, ok := read(payload)
	if !ok || s.ofTheDesk() || misspelt(data) || outOfRange(s) {
		return malformedUpdate("the input has an unknown field, or one that is not of its type. " + verb.Help())
	}
	h := manual(verb, s).Checked()
	if h.Malformed {
		return malformedUpdate("the input has a field that this does not take, or a value that means nothing. " + verb.Help())
	}
	if field := h.Lacks(); field != "" {
		return malformedUpdate("the input lacks " + field + ". " + verb.Help())
	}
	return nil
}

func checkUpdateID(id string) error {
	if len(id) > maxUpdateID || strings.ContainsRune(id, 0) {
		return malformedUpdate("the update's ID is too long or has a zero byte")
	}
	return nil
}

func malformedUpdate(says string) error { return refusedUpdate(fault.Invalid, says) }

func errCrowded() error {
	return refusedUpdate(fault.Limited, "too many commands wait already: try again later")
}

// refusedUpdate has the kind as its type, as activities' errors do.
func refusedUpdate(kind fault.Kind, says string) error {
	return temporal.NewNonRetryableApplicationError(says, kind.String(), nil)
}

// update goes the way of a signal by hand. Its key is the update's ID, in every run of the workflow: sent again, it is
// done once.
func (t *life) update(ctx workflow.Context, verb ticket.Verb, payload converter.RawValue) (string, error) {
	t.meter.heard += len(payload.Payload().GetData())
	s, _ := read(payload) // as the validator has seen it
	h := manual(verb, s)
	h.Run = workflow.GetInfo(ctx).FirstRunID
	h.Key = updateKey(ctx, string(verb))
	t.byHand = append(t.byHand, h.Checked())
	return t.answers.await(ctx, h.Key)
}

func updateKey(ctx workflow.Context, name string) string {
	return fmt.Sprintf("%s/%s/update/%s", workflow.GetInfo(ctx).FirstRunID, name, workflow.GetCurrentUpdateInfo(ctx).ID)
}

// manual is what a payload asks for by hand.
func manual(verb ticket.Verb, s Signal) ticket.ByHand {
	return ticket.ByHand{
		Verb: verb, Agent: s.Agent, Priority: s.Priority, Category: s.Category,
		Emergency: s.Emergency, Extension: time.Duration(s.Seconds) * time.Second, Policy: s.Policy,
	}
}

// outOfRange reports that no duration holds the signal's seconds.
func outOfRange(s Signal) bool { return s.Seconds > mostSeconds || s.Seconds < -mostSeconds }
