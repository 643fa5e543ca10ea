package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Entry is an entry of a timeline: an event with its message, which is stored separately.
type Entry struct {
	ticket.Event
	Named    Ref         // the person of an event about participants or the requester; zero otherwise
	Author   Ref         // zero: a due event, or a manual command from Temporal UI
	Body     string      // the message; empty: none, or it has only files
	Format   Format      // of Body
	Files    []File      // of the message, in order
	Channel  Channel     // by which the message came; empty: there is none, or it was not recorded
	Incoming int64       // the incoming mail that the message was; 0: none. For staff only
	Sender   EmailSender // how sure it is that Author wrote that mail; empty: it was not recorded. For staff only
	HTML     string      // of that mail, sanitized; empty: none
	LeftOut  []LeftOut   // what of that mail is not in the message
	Forward  bool        // that mail forwards another one, which its text contains
	Traits   MailTraits  // of that mail
	Internal bool        // the message is visible to staff only, even if the event is public
	Recorded time.Time
	Bounce   *Bounce // the mail of a mail-bounced event; nil otherwise
}

// Bounce is a bounced mail.
type Bounce struct {
	Kind   ticket.MailKind
	To     Ref
	Reason string // the mail server's text, truncated
	Resent bool   // sent again as a mail that has not bounced
}

// Unseen returns the messages of others after entry number seen of a timeline, which contains what the person by may see.
func Unseen(timeline []Entry, by Person, seen int) []Entry {
	return slices.DeleteFunc(slices.Clone(timeline), func(e Entry) bool {
		return e.N <= seen || !e.HasMessage() || e.By.ID == by.ID
	})
}

// LastEntry returns the number of the last entry of a timeline, for Request.Seen. It is 1 for an empty timeline, since the
// submission is shown even before the first step has recorded it.
func LastEntry(timeline []Entry) int {
	if len(timeline) == 0 {
		return 1
	}
	return timeline[len(timeline)-1].N
}

// CausesOf returns the emergencies, as the timeline's events name them, that caused a line in the explanation of a clock:
// those that paused the clock during the line, or extended the target at its instant. They are in timeline order.
func CausesOf(line policy.Line, entries []Entry) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	stops := line.From.Before(line.To) && slices.Contains(line.Reasons, policy.ReasonEmergency)
	open := map[string]bool{}
	for _, e := range entries {
		switch {
		case e.Kind == ticket.EventExtended && line.Kind == policy.EntryExtended && e.At.Equal(line.From):
			add(e.Emergency)
		case e.Kind == ticket.EventPaused && stops && e.At.Before(line.To):
			open[e.Emergency] = true
		case e.Kind == ticket.EventResumed && !e.At.After(line.From):
			delete(open, e.Emergency)
		}
	}
	for _, e := range entries {
		if e.Kind == ticket.EventPaused && open[e.Emergency] {
			add(e.Emergency)
		}
	}
	return names
}

// History is the processing history of a ticket, which staff see beside its timeline.
type History struct {
	Commands []CommandRecord   // in order
	Mails    []Posted          // in order
	Calls    []WebhookDelivery // of webhooks, in order
}

// CommandRecord is an accepted command and its outcome.
type CommandRecord struct {
	Seq      int64
	Verb     ticket.Verb
	By       Ref // only the role is set: a manual command from Temporal UI
	At       time.Time
	Agent    *Ref            // assign: the new assignee; nil otherwise
	Priority policy.Priority // submit, reclassify; may be empty
	Category string          // likewise
	Decided  bool
	Outcome  ticket.Outcome // once decided
	Taken    time.Time      // when it was decided; zero: not yet
}

// Posted is a mail about a ticket with its delivery status.
type Posted struct {
	N        int
	Kind     ticket.MailKind
	To       Ref
	Status   DeliveryStatus
	Owed     time.Time // time of Event
	Event    int       // number of the event that caused it
	Settled  time.Time // when it was sent or given up; zero: not yet
	Deferred time.Time // when a mail server first deferred it; zero: never
	Reason   string    // of a bounce: the mail server's text, truncated
	Resends  int       // number of the bounced mail that it repeats; 0: none
	Resent   bool      // bounced, and sent again as a mail that has not bounced
	Address  string    // address it was sent to instead of the recipient's own; empty: none
}

// ChangeKind is the kind of a change.
type ChangeKind string

// The kinds of changes.
const (
	ChangeAccepted ChangeKind = "accepted" // a command was accepted and is not decided yet
	ChangeStepped  ChangeKind = "stepped"  // a step changed the ticket, or was its first
	ChangeMail     ChangeKind = "mail"     // a mail was sent, deferred or bounced
	ChangeRated    ChangeKind = "rated"    // the requester rated the ticket
	ChangePresence ChangeKind = "presence" // a person began or ceased to view or to write
)

// Change reports that what a page shows may have changed. The zero Change means that anything may have, because changes
// were missed or dropped.
type Change struct {
	Number ticket.Number
	Kind   ChangeKind
}

// PresenceLasts is how long a person counts as present after the last request of their page. An open page should send
// three within that time.
const PresenceLasts = 45 * time.Second

// Presence is a person who has a ticket open.
type Presence struct {
	Person  Ref
	Writing bool
	Since   time.Time // present without a gap since
	Seen    time.Time // last request of their page
}
