package workflows

import (
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// card is what Temporal UI shows of a ticket without opening its history: search attributes and a few lines.
type card struct {
	written *attributes // nil: nothing yet in this run
	later   deferral
}

// attributes are the values of the search attributes, as steps recorded them: a replay writes what was written.
type attributes struct {
	status     ticket.Status
	priority   policy.Priority
	handle     string
	rung       int
	nextDue    time.Time
	paused     bool
	category   string
	moment     ticket.MomentKind
	promise    policy.ClockName
	promiseDue time.Time
	breached   bool
	pausedFor  string // with a space after each
	emergency  ticket.EmergencyID
}

func attributesOf(d ticket.Digest) attributes {
	a := attributes{
		status: d.Status, priority: d.Priority, handle: d.Handle, rung: d.Rung, nextDue: d.Next.Due, paused: d.Paused,
		category: d.Category, moment: d.Next.Kind, promise: d.Shown.Promise, promiseDue: d.PromiseDue,
		breached: d.Breached, emergency: d.Emergency,
	}
	for _, reason := range d.PausedFor {
		a.pausedFor += string(reason) + " "
	}
	return a
}

// show brings the card up to date. Search attributes cost an event, so only a change writes them.
func (c *card) show(ctx workflow.Context, d ticket.Digest, details string, selector workflow.Selector) error {
	workflow.SetCurrentDetails(ctx, details)
	now := attributesOf(d)
	if c.written != nil && *c.written == now {
		return nil
	}
	if c.written != nil && !d.Closed() && c.later.holds(ctx, selector) {
		return nil
	}
	c.later.end()
	c.written = &now
	return workflow.UpsertTypedSearchAttributes(ctx, now.updates()...)
}

func (a attributes) updates() []temporal.SearchAttributeUpdate {
	pausedFor := AttributePausedFor.ValueUnset()
	if reasons := strings.Fields(a.pausedFor); len(reasons) > 0 {
		pausedFor = AttributePausedFor.ValueSet(reasons)
	}
	return []temporal.SearchAttributeUpdate{
		AttributeStatus.ValueSet(string(a.status)),
		AttributePriority.ValueSet(string(a.priority)),
		AttributeRung.ValueSet(int64(a.rung)),
		AttributePaused.ValueSet(a.paused),
		keyword(AttributeAssignee, a.handle),
		instantOrNone(AttributeNextDue, a.nextDue),
		keyword(AttributeCategory, a.category),
		keyword(AttributeNextMoment, string(a.moment)),
		keyword(AttributePromise, string(a.promise)),
		instantOrNone(AttributePromiseDue, a.promiseDue),
		AttributeBreached.ValueSet(a.breached),
		pausedFor,
		keyword(AttributeEmergency, string(a.emergency)),
	}
}

// keyword is unset by an empty value.
func keyword(key temporal.SearchAttributeKeyKeyword, value string) temporal.SearchAttributeUpdate {
	if value == "" {
		return key.ValueUnset()
	}
	return key.ValueSet(value)
}

// instantOrNone is unset by the zero time.
func instantOrNone(key temporal.SearchAttributeKeyTime, value time.Time) temporal.SearchAttributeUpdate {
	if value.IsZero() {
		return key.ValueUnset()
	}
	return key.ValueSet(value)
}
