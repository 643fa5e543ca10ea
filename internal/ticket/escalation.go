package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// WebhookCall is a webhook call that an event causes. It contains no text that people wrote.
type WebhookCall struct {
	Event          int    // number of the event
	Webhook        string // its name in the policy
	Clock          policy.ClockName
	EscalationStep int             // escalation step, from 1
	Priority       policy.Priority // of the ticket after the event
	Breached       time.Time       // the deadline that passed
}

// Fired reports whether an escalation step, counted from 1, has fired for the promise.
func (p Promise) Fired(step int) bool {
	return step <= p.EscalationSteps && !slices.Contains(p.Skipped, step)
}

// recordStep records that an escalation step has fired. Steps before it that did not apply to the ticket's priority are
// skipped; they can still fire if the priority changes.
func (p *Promise) recordStep(step int) {
	if step <= p.EscalationSteps {
		p.Skipped = slices.DeleteFunc(slices.Clone(p.Skipped), func(n int) bool { return n == step })
		if len(p.Skipped) == 0 {
			p.Skipped = nil // as JSON decodes it
		}
		return
	}
	skipped := slices.Clip(p.Skipped) // an earlier state shares the array
	for n := p.EscalationSteps + 1; n < step; n++ {
		skipped = append(skipped, n)
	}
	p.EscalationSteps, p.Skipped = step, skipped
}

// offerEscalation offers the escalation steps that apply at the ticket's priority and have not fired. A step is due at
// its distance from the breach, or, if that passed while it did not apply, at the change of priority that made it apply.
// So a change of priority neither loses a step nor fires one twice.
func (t *Ticket) offerEscalation(name policy.ClockName, p *policy.Policy, offer offer) {
	promise := t.Promise(name)
	if !promise.Escalating() {
		return
	}
	for i, step := range p.Escalation {
		if promise.Fired(i+1) || !step.AppliesTo(name, t.Priority) {
			continue
		}
		due := promise.EscalatingFrom.Add(step.After)
		if due.Before(t.PriorityChangedAt) {
			due = t.PriorityChangedAt
		}
		offer(DueEscalation, name, i+1, due)
	}
}

// notifyAll adds the mails and webhook calls of an escalation step. If the step names only the assignee and the ticket is
// unassigned, the supervisors are notified instead, so that no step is lost.
func (s *decider) notifyAll(step policy.EscalationStep, due DueEvent) {
	audiences := step.Notify
	if s.t.Assignee == "" && len(step.People) == 0 && slices.Equal(audiences, []policy.Audience{policy.NotifyAssignee}) {
		audiences = []policy.Audience{policy.NotifySupervisors}
	}
	for _, audience := range audiences {
		s.notify(MailEscalation, audience, due)
	}
	for _, handle := range step.People {
		s.mails = append(s.mails, Mail{Kind: MailEscalation, Event: s.t.Events, Named: handle, Clock: due.Clock, EscalationStep: due.EscalationStep})
	}
	for _, name := range step.Webhooks {
		s.calls = append(s.calls, WebhookCall{
			Event: s.t.Events, Webhook: name, Clock: due.Clock, EscalationStep: due.EscalationStep,
			Priority: s.t.Priority, Breached: s.t.Promise(due.Clock).BreachedAt,
		})
	}
}

// RecordWebhookFailure records that a webhook could not be called, for staff to see. It fires no due events.
func RecordWebhookFailure(t Ticket, env Environment, delivery int, webhook string, at time.Time) (Result, error) {
	s := &decider{t: t, env: env}
	s.begin(deskActor, at, 0)
	s.emit(Event{Kind: EventWebhookFailed, Mail: delivery, Webhook: webhook})
	return s.result()
}

func (s *decider) acknowledge(c Command) *fault.Error {
	if !s.t.FirstResponse.Escalating() && !s.t.Resolution.Escalating() {
		return fault.NewConflict(CodeNothing, "there is no escalation to acknowledge")
	}
	s.emit(Event{Kind: EventAcknowledged, Message: c.Message})
	return nil
}
