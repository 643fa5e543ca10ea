package desk

import "github.com/holesalemart/supportdesk/internal/ticket"

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
