package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
