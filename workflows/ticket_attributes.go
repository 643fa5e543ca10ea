package workflows

import (
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The search attributes of a ticket. They hold no personal data. They are eventually consistent; PostgreSQL is
// authoritative. A namespace on SQL has room for 10 keywords and 3 attributes of each other type.
var (
	AttributeStatus     = temporal.NewSearchAttributeKeyKeyword("TicketStatus")
	AttributePriority   = temporal.NewSearchAttributeKeyKeyword("TicketPriority")
	AttributeCategory   = temporal.NewSearchAttributeKeyKeyword("TicketCategory")
	AttributeAssignee   = temporal.NewSearchAttributeKeyKeyword("Assignee") // handle; unset: unassigned
	AttributeEscalation = temporal.NewSearchAttributeKeyInt64("EscalationStep")
	AttributeNextDue    = temporal.NewSearchAttributeKeyTime("NextDue")          // unset: there is no due event
	AttributeNextEvent  = temporal.NewSearchAttributeKeyKeyword("NextEvent")     // the due event at NextDue, a ticket.DueKind
	AttributePromise    = temporal.NewSearchAttributeKeyKeyword("NextPromise")   // the pending promise due first: a policy.ClockName; unset: no clock runs
	AttributePromiseDue = temporal.NewSearchAttributeKeyTime("PromiseDue")       // its deadline
	AttributeBreached   = temporal.NewSearchAttributeKeyBool("Breached")         // see ticket.Ticket.Breached
	AttributePaused     = temporal.NewSearchAttributeKeyBool("Paused")           // see ticket.Ticket.Paused
	AttributePausedFor  = temporal.NewSearchAttributeKeyKeywordList("PausedFor") // values of policy.Reason
	AttributeEmergency  = temporal.NewSearchAttributeKeyKeyword("Emergency")     // ID of the desk-wide emergency that pauses the clocks; unset: none
)

// Attributes returns all search attributes.
func Attributes() []temporal.SearchAttributeKey {
	return []temporal.SearchAttributeKey{
		AttributeStatus, AttributePriority, AttributeCategory, AttributeAssignee, AttributeEscalation, AttributeNextDue,
		AttributeNextEvent, AttributePromise, AttributePromiseDue, AttributeBreached, AttributePaused,
		AttributePausedFor, AttributeEmergency,
	}
}

// shownState is what Temporal UI shows of a ticket in lists.
type shownState struct {
	written  *attributeValues // nil: none in this run
	deferral deferral
}

// attributeValues are the values of the search attributes. They follow from the result of a step, so that a replay writes
// the same ones.
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
	pausedFor  string // each followed by a space; a string, so that values are comparable
	emergency  ticket.EmergencyID
}

func attributesOf(d ticket.Digest) attributeValues {
	a := attributeValues{
		status: d.Status, priority: d.Priority, handle: d.Handle, escalation: d.EscalationStep, nextDue: d.Next.Due, paused: d.Paused,
		category: d.Category, nextEvent: string(d.Next.Kind), promise: d.SearchFields.Promise, promiseDue: d.PromiseDue,
		breached: d.Breached, emergency: d.Emergency,
	}
	for _, reason := range d.PausedFor {
		a.pausedFor += string(reason) + " "
	}
	return a
}

// update sets search attributes only if they changed, because that costs an event. If differing, it sets only those that
// differ from the workflow's, of which a new workflow has those of its start, and a run those of the run before.
func (s *shownState) update(ctx workflow.Context, d ticket.Digest, differing bool, add onReady) error {
	now := attributesOf(d)
	if s.written != nil && *s.written == now {
		return nil
	}
	if s.written != nil && !d.Closed() && s.deferral.active(ctx, add) {
		return nil
	}
	s.deferral.end()
	s.written = &now
	updates := now.updates()
	if differing {
		updates = now.differingFrom(workflow.GetTypedSearchAttributes(ctx))
	}
	if len(updates) == 0 {
		return nil
	}
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// StartAttributes returns the search attributes of a ticket whose first step returns d.
func StartAttributes(d ticket.Digest) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(attributesOf(d).differingFrom(temporal.SearchAttributes{})...)
}

// differingFrom returns the updates that change attributes.
func (a attributeValues) differingFrom(has temporal.SearchAttributes) (some []temporal.SearchAttributeUpdate) {
	updates := a.updates()
	for i, same := range a.same(has) {
		if !same {
			some = append(some, updates[i])
		}
	}
	return some
}

// same reports of each update whether it changes nothing.
func (a attributeValues) same(has temporal.SearchAttributes) []bool {
	keyword := func(key temporal.SearchAttributeKeyKeyword, value string) bool {
		was, _ := has.GetKeyword(key)
		return was == value
	}
	instant := func(key temporal.SearchAttributeKeyTime, value time.Time) bool {
		was, _ := has.GetTime(key)
		return was.Equal(value)
	}
	boolean := func(key temporal.SearchAttributeKeyBool, value bool) bool {
		was, set := has.GetBool(key)
		return set && was == value
	}
	escalation, escalated := has.GetInt64(AttributeEscalation)
	pausedFor, _ := has.GetKeywordList(AttributePausedFor)
	return []bool{
		keyword(AttributeStatus, string(a.status)),
		keyword(AttributePriority, string(a.priority)),
		keyword(AttributeCategory, a.category),
		keyword(AttributeAssignee, a.handle),
		escalated && escalation == int64(a.escalation),
		instant(AttributeNextDue, a.nextDue),
		keyword(AttributeNextEvent, a.nextEvent),
		keyword(AttributePromise, string(a.promise)),
		instant(AttributePromiseDue, a.promiseDue),
		boolean(AttributeBreached, a.breached),
		boolean(AttributePaused, a.paused),
		slices.Equal(pausedFor, strings.Fields(a.pausedFor)),
		keyword(AttributeEmergency, string(a.emergency)),
	}
}

// updates returns an update for each of Attributes, in the order of same.
func (a attributeValues) updates() []temporal.SearchAttributeUpdate {
	pausedFor := AttributePausedFor.ValueUnset()
	if reasons := strings.Fields(a.pausedFor); len(reasons) > 0 {
		pausedFor = AttributePausedFor.ValueSet(reasons)
	}
	return []temporal.SearchAttributeUpdate{
		AttributeStatus.ValueSet(string(a.status)),
		AttributePriority.ValueSet(string(a.priority)),
		keyword(AttributeCategory, a.category),
		keyword(AttributeAssignee, a.handle),
		AttributeEscalation.ValueSet(int64(a.escalation)),
		instantOrNone(AttributeNextDue, a.nextDue),
		keyword(AttributeNextEvent, a.nextEvent),
		keyword(AttributePromise, string(a.promise)),
		instantOrNone(AttributePromiseDue, a.promiseDue),
		AttributeBreached.ValueSet(a.breached),
		AttributePaused.ValueSet(a.paused),
		pausedFor,
		keyword(AttributeEmergency, string(a.emergency)),
	}
}

// keyword sets the attribute, or unsets it if value is empty.
func keyword(key temporal.SearchAttributeKeyKeyword, value string) temporal.SearchAttributeUpdate {
	if value == "" {
		return key.ValueUnset()
	}
	return key.ValueSet(value)
}

// instantOrNone sets the attribute, or unsets it if value is zero.
func instantOrNone(key temporal.SearchAttributeKeyTime, value time.Time) temporal.SearchAttributeUpdate {
	if value.IsZero() {
		return key.ValueUnset()
	}
	return key.ValueSet(value)
}

// maxDeferral limits the delay that a signal may ask for.
const maxDeferral = time.Hour

// deferral delays search attributes during a fan-out, when all tickets change at once: updating them costs Temporal more
// than the rest of the step. Only searches lag behind; current details and query are up to date. The zero value delays
// nothing.
type deferral struct {
	by     time.Duration // zero: no delay
	cancel workflow.CancelFunc
}

// until delays search attributes by wait, at most maxDeferral. It replaces an earlier delay, so that one update covers
// several transitions.
func (d *deferral) until(wait time.Duration) {
	if wait > 0 {
		d.end()
		d.by = min(wait, maxDeferral)
	}
}

// end ends the delay.
func (d *deferral) end() {
	if d.cancel != nil {
		d.cancel()
	}
	*d = deferral{}
}

// active reports whether search attributes are delayed. The first call starts the timer that ends the delay.
func (d *deferral) active(ctx workflow.Context, add onReady) bool {
	if d.by <= 0 {
		return false
	}
	if d.cancel == nil {
		timerCtx, cancel := workflow.WithCancel(ctx)
		d.cancel = cancel
		timer := workflow.NewTimerWithOptions(timerCtx, d.by, workflow.TimerOptions{Summary: "update search attributes after a transition"})
		add(timer, func(f workflow.Future) {
			if f.Get(ctx, nil) == nil {
				*d = deferral{}
			}
		})
	}
	return true
}
