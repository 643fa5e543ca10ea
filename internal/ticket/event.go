package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// EventKind is a kind of event.
type EventKind string

// The events of a timeline.
const (
	EventSubmitted            EventKind = "submitted"
	EventAssigned             EventKind = "assigned"
	EventCustomerReplied      EventKind = "customer-replied"
	EventAgentReplied         EventKind = "agent-replied"
	EventInformationRequested EventKind = "information-requested"
	EventProgressUpdated      EventKind = "progress-updated"
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
	EventPaused               EventKind = "paused"             // an emergency pauses both clocks
	EventExtended             EventKind = "extended"           // an emergency lengthens both targets
	EventResumed              EventKind = "resumed"            // the emergency is over
	EventNoAgentAvailable     EventKind = "no-agent-available" // no agent was available to assign by a rule
	EventPolicyAdopted        EventKind = "policy-adopted"     // another policy version applies from here on
	EventMailBounced          EventKind = "mail-bounced"
	EventQuestionDelivered    EventKind = "question-delivered" // a mail server accepted the mail that asks for an answer
	EventHandedBack           EventKind = "handed-back"        // the mail that asks for an answer bounced: the ticket is open again
	EventMailResent           EventKind = "mail-resent"        // a bounced mail is sent again, as a new one
	EventWebhookFailed        EventKind = "webhook-failed"     // a webhook could not be called
	EventSnoozed              EventKind = "snoozed"            // hidden from the agents' queues until an instant
	EventWoke                 EventKind = "woke"               // listed in them again
	EventParticipantAdded     EventKind = "participant-added"
	EventParticipantRemoved   EventKind = "participant-removed" // by staff, or because they left
	EventRequesterChanged     EventKind = "requester-changed"   // the former requester is a participant from here on
	EventPersonMerged         EventKind = "person-merged"       // a contact of the ticket is the same person as another, who takes their place
	EventRefused              EventKind = "refused"
)

// Public reports whether requester and participants may see events of this kind.
func (k EventKind) Public() bool {
	switch k {
	case EventSubmitted, EventAssigned, EventCustomerReplied, EventAgentReplied, EventInformationRequested,
		EventProgressUpdated, EventResolved, EventClosed, EventReopened, EventNudged, EventPaused, EventExtended,
		EventResumed, EventPolicyAdopted, EventHandedBack, EventParticipantAdded, EventParticipantRemoved, EventRequesterChanged:
		return true
	default:
		return false
	}
}

// ChangesPeople reports whether the event changes who is in the ticket.
func (e Event) ChangesPeople() bool {
	switch e.Kind {
	case EventParticipantAdded, EventParticipantRemoved, EventRequesterChanged, EventPersonMerged:
		return true
	default:
		return false
	}
}

// ListedFor reports whether the event is listed in the timeline of a requester or participant: public events, except those
// with a message for another person alone, and refusals of their own commands.
func (e Event) ListedFor(person PersonID) bool {
	return e.Kind.Public() && (e.Only == "" || e.Only == person) || e.Kind == EventRefused && e.By.ID == person
}

// ShownTo reports whether the event changes anything that a requester or participant sees of the ticket: an entry of their
// timeline, the status, a breach, the priority or the category.
func (e Event) ShownTo(person PersonID) bool {
	return e.ListedFor(person) || e.Status != "" || e.Kind == EventBreached || e.Priority != "" || e.Category != ""
}

// Event is an entry of a ticket's timeline. Fields that its kind does not use are zero.
type Event struct {
	N       int       `json:"n"` // within the ticket, from 1 without a gap
	Kind    EventKind `json:"kind"`
	At      time.Time `json:"at"` // when the command was accepted or the event was due
	By      Actor     `json:"by"`
	Command int64     `json:"command,omitempty"` // number of the command that caused it; 0: none

	Message        int64            `json:"message,omitempty"`
	Only           PersonID         `json:"only,omitempty"`      // the customer to whom alone its message is shown, the requester or its author; empty: shown to everyone of the ticket
	Person         PersonID         `json:"person,omitempty"`    // participant-added, participant-removed; requester-changed: the new requester; person-merged: who takes the contact's place
	Former         PersonID         `json:"former,omitempty"`    // requester-changed: the requester until then; person-merged: the contact
	Requester      bool             `json:"requester,omitempty"` // person-merged: the contact was the requester
	Both           bool             `json:"both,omitempty"`      // person-merged: the person was of the ticket, too
	Status         Status           `json:"status,omitempty"`    // the new status; empty: unchanged
	Cause          Cause            `json:"cause,omitempty"`
	Assignee       PersonID         `json:"assignee,omitempty"`
	Handle         string           `json:"handle,omitempty"`
	Priority       policy.Priority  `json:"priority,omitempty"`        // the new priority; empty: unchanged
	Category       string           `json:"category,omitempty"`        // the new category; empty: unchanged
	Group          string           `json:"group,omitempty"`           // by a rule: the group that was chosen from
	Rule           int              `json:"rule,omitempty"`            // by a rule: its number in the policy, from 1
	Promise        policy.ClockName `json:"promise,omitempty"`         // reminded, breached, escalated; by a rule: the breach that caused it
	EscalationStep int              `json:"escalation_step,omitempty"` // escalated: number of the step, from 1
	Quiet          bool             `json:"quiet,omitempty"`           // submitted: the requester received no receipt, as a machine may have written
	Answers        bool             `json:"answers,omitempty"`         // a public answer of staff: meets the first response and ends escalations
	Emergency      string           `json:"emergency,omitempty"`
	Delay          time.Duration    `json:"delay,omitempty"`   // extended: how much longer the emergency makes the targets, in all; 0 in old events
	Policy         int64            `json:"policy,omitempty"`  // policy-adopted: the new version
	Was            int64            `json:"was,omitempty"`     // policy-adopted: the old version
	Mail           int              `json:"mail,omitempty"`    // mail-bounced, question-delivered, handed-back, mail-resent: number of the mail
	Asks           bool             `json:"asks,omitempty"`    // its mail asks for an answer: silence counts from the delivery, otherwise from the event
	Since          time.Time        `json:"since,omitzero"`    // question-delivered: when the server accepted the mail
	Until          time.Time        `json:"until,omitzero"`    // snoozed: when the ticket wakes
	Webhook        string           `json:"webhook,omitempty"` // webhook-failed: its name; Mail is the number of the call
	Verb           Verb             `json:"verb,omitempty"`    // refused: the verb of the command
	Code           string           `json:"code,omitempty"`    // refused: the reason, a stable code

	Clocks []ClockEntry `json:"clocks,omitempty"` // ledger entries that the event adds
}

// ClockEntry is a ledger entry of one clock.
type ClockEntry struct {
	Clock policy.ClockName   `json:"clock"`
	Entry policy.LedgerEntry `json:"entry"`
}

// LatestMessages locates the latest messages in a ticket's timeline, so that for any reader the latest message of others is
// known. Those of customers are numbered separately: the requester's is counted here, the others' with each participant.
type LatestMessages struct {
	Last  MessageRef `json:"last,omitzero"`
	Other MessageRef `json:"other,omitzero"` // the latest by anyone but the author of Last
	Reading
}

// MessageRef refers to a message in a timeline.
type MessageRef struct {
	N  int      `json:"n"` // number of its event
	By PersonID `json:"by"`
}

// HasMessage reports whether the event has a message for others to read. A refused command's message goes back to its author.
func (e Event) HasMessage() bool { return e.Message != 0 && e.Kind != EventRefused }

func (t *Ticket) applyMessage(e Event) {
	w := &t.LatestMessages
	w.count(e, t.Requester)
	if len(t.Participants) > 0 {
		t.Participants = slices.Clone(t.Participants)
	}
	for i := range t.Participants {
		p := &t.Participants[i]
		p.count(e, p.ID)
	}
	if !e.HasMessage() {
		return
	}
	if w.Last.By != e.By.ID {
		w.Other = w.Last
	}
	w.Last = MessageRef{N: e.N, By: e.By.ID}
}

// Unseen returns the number of the latest message that someone else wrote and the actor may read, if it is after the last
// entry seen, and otherwise 0. Both numbers are those of the timeline that the actor reads.
func (t *Ticket) Unseen(by Actor, seen int) int {
	w := t.LatestMessages
	latest := w.Last.N
	switch i := t.participant(by.ID); {
	case by.Role == RoleCustomer && i >= 0:
		latest = t.Participants[i].Public
	case by.Role == RoleCustomer:
		latest = w.Public
	case w.Last.By == by.ID:
		latest = w.Other.N
	}
	if latest <= seen {
		return 0
	}
	return latest
}
