package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// EventKind names what happened to a ticket.
type EventKind string

// The events of a timeline.
const (
	EventSubmitted            EventKind = "submitted"
	EventAssigned             EventKind = "assigned"
	EventCustomerReplied      EventKind = "customer-replied"
	EventAgentReplied         EventKind = "agent-replied"
	EventInformationRequested EventKind = "information-requested"
	EventProgressTold         EventKind = "progress-told"
	EventNoted                EventKind = "noted"
	EventReclassified         EventKind = "reclassified"
	EventResolved             EventKind = "resolved"
	EventClosed               EventKind = "closed"
	EventReopened             EventKind = "reopened"
	EventReminded             EventKind = "reminded"
	EventBreached             EventKind = "breached"
	EventEscalated            EventKind = "escalated"
	EventAcknowledged         EventKind = "acknowledged"
	EventNudged               EventKind = "nudged"
	EventPaused               EventKind = "paused"           // an emergency stops both clocks
	EventExtended             EventKind = "extended"         // an emergency lengthens both targets
	EventResumed              EventKind = "resumed"          // the emergency is over
	EventNobodyAvailable      EventKind = "nobody-available" // a rule found nobody to give the ticket to
	EventPolicyAdopted        EventKind = "policy-adopted"   // another version of the policy holds from here on
	EventMailBounced          EventKind = "mail-bounced"
	EventQuestionDelivered    EventKind = "question-delivered" // a server took the mail that asks: silence counts from then
	EventHandedBack           EventKind = "handed-back"        // the mail that asks can't be delivered: the ticket is open again
	EventMailResent           EventKind = "mail-resent"        // staff had a bounced mail sent again, as a new one
	EventCallFailed           EventKind = "call-failed"        // a webhook was given up
	EventSnoozed              EventKind = "snoozed"            // out of the agents' lists for a while
	EventWoke                 EventKind = "woke"               // and back
	EventRefused              EventKind = "refused"
)

// Public reports whether the requester may see an event of this kind.
func (k EventKind) Public() bool {
	switch k {
	case EventSubmitted, EventAssigned, EventCustomerReplied, EventAgentReplied, EventInformationRequested,
		EventProgressTold, EventResolved, EventClosed, EventReopened, EventNudged, EventPaused, EventExtended,
		EventResumed, EventPolicyAdopted, EventHandedBack:
		return true
	default:
		return false
	}
}

// ListedFor reports whether the event is an entry of its requester's timeline: what they may see, and the refusals of what
// they asked for themselves.
func (e Event) ListedFor(requester PersonID) bool {
	return e.Kind.Public() || e.Kind == EventRefused && e.By.ID == requester
}

// ShownTo reports whether the event changes anything that the ticket's requester sees of it: an entry of their timeline, a
// promise that was broken, the priority or the category.
func (e Event) ShownTo(requester PersonID) bool {
	return e.ListedFor(requester) || e.Kind == EventBreached || e.Priority != "" || e.Category != ""
}

// Event is one line of a ticket's timeline. A field that its kind has no use for is zero.
type Event struct {
	N       int       `json:"n"` // within the ticket, from 1 without a gap
	Kind    EventKind `json:"kind"`
	At      time.Time `json:"at"` // acceptance of the command, or the instant at which a moment fell due
	By      Actor     `json:"by"`
	Command int64     `json:"command,omitempty"` // number of the command it follows from; 0 for the desk's own

	Message   int64            `json:"message,omitempty"`
	Status    Status           `json:"status,omitempty"` // the status from here on; empty: unchanged
	Cause     Cause            `json:"cause,omitempty"`
	Assignee  PersonID         `json:"assignee,omitempty"`
	Handle    string           `json:"handle,omitempty"`
	Priority  policy.Priority  `json:"priority,omitempty"` // from here on; empty: unchanged
	Category  string           `json:"category,omitempty"` // likewise
	Group     string           `json:"group,omitempty"`    // by a rule: whose turn it was
	Rule      int              `json:"rule,omitempty"`     // by a rule: its number in the policy, from 1
	Promise   policy.ClockName `json:"promise,omitempty"`  // reminded, breached, escalated; by a rule: the breach that caused it
	Rung      int              `json:"rung,omitempty"`     // escalated: from 1
	Answers   bool             `json:"answers,omitempty"`  // a person's public answer: keeps the first response, ends every ladder
	Emergency string           `json:"emergency,omitempty"`
	Delay     time.Duration    `json:"delay,omitempty"`   // extended: how much longer this emergency makes the targets in all; 0 in what was told before it was recorded
	Policy    int64            `json:"policy,omitempty"`  // policy-adopted: the version from here on
	Was       int64            `json:"was,omitempty"`     // policy-adopted: the version until here
	Mail      int              `json:"mail,omitempty"`    // mail-bounced, question-delivered, handed-back, mail-resent: number of the mail
	Asks      bool             `json:"asks,omitempty"`    // its mail asks the requester: silence counts from the delivery; false: from the event
	Since     time.Time        `json:"since,omitzero"`    // question-delivered: when the server took the mail
	Until     time.Time        `json:"until,omitzero"`    // snoozed: when it wakes
	Webhook   string           `json:"webhook,omitempty"` // call-failed: which; Mail is the number of what it owed
	Verb      Verb             `json:"verb,omitempty"`    // refused: what was asked
	Code      string           `json:"code,omitempty"`    // refused: why, as a stable word

	Clocks []ClockEntry `json:"clocks,omitempty"` // what this event writes into the ledgers
}

// ClockEntry is a ledger entry and the clock that it belongs to.
type ClockEntry struct {
	Clock policy.ClockName `json:"clock"`
	Entry policy.Entry     `json:"entry"`
}
