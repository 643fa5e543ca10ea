package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ChangeKind says what kind of thing changed.
type ChangeKind string

// The kinds of changes.
const (
	ChangeAccepted ChangeKind = "accepted" // a command was accepted, and is not decided yet
	ChangeStepped  ChangeKind = "stepped"  // a step changed the ticket; a new ticket's first step too
	ChangeMail     ChangeKind = "mail"     // a mail was sent, put off or bounced
	ChangeRated    ChangeKind = "rated"    // the requester rated it
	ChangePresence ChangeKind = "presence" // who is looking or writing
)

// Change tells that something that a page shows may have changed. The zero Change says that anything may have:
// changes were missed, or came faster than they were read.
type Change struct {
	Number ticket.Number
	Kind   ChangeKind
}

// PresenceLasts is how long somebody counts as present after they were last heard of. A page that is open should
// speak up three times in it.
const PresenceLasts = 45 * time.Second

// Presence is somebody who has a ticket open.
type Presence struct {
	Person  Ref
	Writing bool
	Since   time.Time // of looking, without a gap
	Seen    time.Time
}
