package workflows

import (
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The search attributes of a ticket. They hold no personal data, and they lag: what must be right is read from
// PostgreSQL. A namespace on SQL has room for 10 keywords and 3 of every other type.
var (
	AttributeStatus     = temporal.NewSearchAttributeKeyKeyword("TicketStatus")
	AttributePriority   = temporal.NewSearchAttributeKeyKeyword("TicketPriority")
	AttributeCategory   = temporal.NewSearchAttributeKeyKeyword("TicketCategory")
	AttributeAssignee   = temporal.NewSearchAttributeKeyKeyword("Assignee") // handle; unset: not assigned
	AttributeEscalation = temporal.NewSearchAttributeKeyInt64("EscalationStep")
	AttributeNextDue    = temporal.NewSearchAttributeKeyTime("NextDue")          // unset: nothing falls due by itself
	AttributeNextEvent  = temporal.NewSearchAttributeKeyKeyword("NextEvent")     // what falls due at NextDue: a ticket.DueKind
	AttributePromise    = temporal.NewSearchAttributeKeyKeyword("NextPromise")   // the next to be kept: a policy.ClockName; unset: none runs
	AttributePromiseDue = temporal.NewSearchAttributeKeyTime("PromiseDue")       // its deadline
	AttributeBreached   = temporal.NewSearchAttributeKeyBool("Breached")         // a promise is overdue, or was when it was met late; see ticket.Ticket.Breached
	AttributePaused     = temporal.NewSearchAttributeKeyBool("Paused")           // a promise that is owed stands still
	AttributePausedFor  = temporal.NewSearchAttributeKeyKeywordList("PausedFor") // why: of policy.Reason
	AttributeEmergency  = temporal.NewSearchAttributeKeyKeyword("Emergency")     // ID of the desk's emergency that stops the clocks; unset: none
)

// Attributes lists all of them.
func Attributes() []temporal.SearchAttributeKey {
	return []temporal.SearchAttributeKey{
		AttributeStatus, AttributePriority, AttributeCategory, AttributeAssignee, AttributeEscalation, AttributeNextDue,
		AttributeNextEvent, AttributePromise, AttributePromiseDue, AttributeBreached, AttributePaused,
		AttributePausedFor, AttributeEmergency,
	}
}

// shownState keeps Temporal UI up to date: search attributes and current details.
type shownState struct {
	written  *attributeValues // nil: nothing yet in this run
	deferral deferral
}

// attributeValues are the values of the search attributes. They come from the result of a step, so a replay writes the
// same.
type attributeValues struct {
	status     ticket.Status
	priority   policy.Priority
	handle     string
	escalation int
	nextDue    time.Time
	paused     bool
	category   string
	nextEvent  string
	promise    policy.ClockName
	promiseDue time.Time
	breached   bool
	pausedFor  string // with a space after each
	emergency  ticket.EmergencyID
}

// eventName returns the name of a due event as people read it.
func eventName(kind ticket.DueKind) string {
	if kind == ticket.DueEscalation {
		return "escalation-step"
	}
	return string(kind)
}

func attributesOf(d ticket.Digest) attributeValues {
	a := attributeValues{
		status: d.Status, priority: d.Priority, handle: d.Handle, escalation: d.EscalationStep, nextDue: d.Next.Due, paused: d.Paused,
		category: d.Category, nextEvent: eventName(d.Next.Kind), promise: d.SearchFields.Promise, promiseDue: d.PromiseDue,
		breached: d.Breached, emergency: d.Emergency,
	}
	for _, reason := range d.PausedFor {
		a.pausedFor += string(reason) + " "
	}
	return a
}

// update sets the current details, and the search attributes if they changed, since those cost an event.
func (c *shownState) update(ctx workflow.Context, d ticket.Digest, details string, selector workflow.Selector) error {
	workflow.SetCurrentDetails(ctx, details)
	now := attributesOf(d)
	if c.written != nil && *c.written == now {
		return nil
	}
	if c.written != nil && !d.Closed() && c.deferral.active(ctx, selector) {
		return nil
	}
	c.deferral.end()
	c.written = &now
	return workflow.UpsertTypedSearchAttributes(ctx, now.updates()...)
}

func (a attributeValues) updates() []temporal.SearchAttributeUpdate {
	pausedFor := AttributePausedFor.ValueUnset()
	if reasons := strings.Fields(a.pausedFor); len(reasons) > 0 {
		pausedFor = AttributePausedFor.ValueSet(reasons)
	}
	return []temporal.SearchAttributeUpdate{
		AttributeStatus.ValueSet(string(a.status)),
		AttributePriority.ValueSet(string(a.priority)),
		AttributeEscalation.ValueSet(int64(a.escalation)),
		AttributePaused.ValueSet(a.paused),
		keyword(AttributeAssignee, a.handle),
		instantOrNone(AttributeNextDue, a.nextDue),
		keyword(AttributeCategory, a.category),
		keyword(AttributeNextEvent, a.nextEvent),
		keyword(AttributePromise, string(a.promise)),
		instantOrNone(AttributePromiseDue, a.promiseDue),
		AttributeBreached.ValueSet(a.breached),
		pausedFor,
		keyword(AttributeEmergency, string(a.emergency)),
	}
}

// keyword unsets the attribute if value is empty.
func keyword(key temporal.SearchAttributeKeyKeyword, value string) temporal.SearchAttributeUpdate {
	if value == "" {
		return key.ValueUnset()
	}
	return key.ValueSet(value)
}

// instantOrNone unsets the attribute if value is zero.
func instantOrNone(key temporal.SearchAttributeKeyTime, value time.Time) temporal.SearchAttributeUpdate {
	if value.IsZero() {
		return key.ValueUnset()
	}
	return key.ValueSet(value)
}
