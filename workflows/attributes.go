package workflows

import "go.temporal.io/sdk/temporal"

// The search attributes of a ticket. They hold no personal data, and they lag: what must be right is read from
// PostgreSQL. A namespace on SQL has room for 10 keywords and 3 of every other type.
var (
	AttributeStatus     = temporal.NewSearchAttributeKeyKeyword("TicketStatus")
	AttributePriority   = temporal.NewSearchAttributeKeyKeyword("TicketPriority")
	AttributeCategory   = temporal.NewSearchAttributeKeyKeyword("TicketCategory")
	AttributeAssignee   = temporal.NewSearchAttributeKeyKeyword("Assignee") // handle; unset: nobody
	AttributeRung       = temporal.NewSearchAttributeKeyInt64("EscalationRung")
	AttributeNextDue    = temporal.NewSearchAttributeKeyTime("NextDue")          // unset: nothing falls due by itself
	AttributeNextMoment = temporal.NewSearchAttributeKeyKeyword("NextMoment")    // what falls due at NextDue: a ticket.MomentKind
	AttributePromise    = temporal.NewSearchAttributeKeyKeyword("NextPromise")   // the next to be kept: a policy.ClockName; unset: none runs
	AttributePromiseDue = temporal.NewSearchAttributeKeyTime("PromiseDue")       // its deadline
	AttributeBreached   = temporal.NewSearchAttributeKeyBool("Breached")         // a promise was broken and has not been given since
	AttributePaused     = temporal.NewSearchAttributeKeyBool("Paused")           // a promise that is owed stands still
	AttributePausedFor  = temporal.NewSearchAttributeKeyKeywordList("PausedFor") // why: of policy.Reason
	AttributeEmergency  = temporal.NewSearchAttributeKeyKeyword("Emergency")     // ID of the desk's emergency that stops the clocks; unset: none
)

// Attributes lists all of them.
func Attributes() []temporal.SearchAttributeKey {
	return []temporal.SearchAttributeKey{
		AttributeStatus, AttributePriority, AttributeCategory, AttributeAssignee, AttributeRung, AttributeNextDue,
		AttributeNextMoment, AttributePromise, AttributePromiseDue, AttributeBreached, AttributePaused,
		AttributePausedFor, AttributeEmergency,
	}
}
