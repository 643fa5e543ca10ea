package account

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// EventKind is what a security event records.
type EventKind string

// The kinds of security events. Each is written in the transaction of what it records.
const (
	EventSignedIn      EventKind = "signed-in"
	EventSignInFailed  EventKind = "sign-in-failed"
	EventSignedOut     EventKind = "signed-out"
	EventSessionsEnded EventKind = "sessions-ended" // all of a person's, by "sign out everywhere"
	EventLinkAsked     EventKind = "link-asked"     // that signs in or chooses a password
	EventLinkMade      EventKind = "link-made"      // at the command line
	EventRegistering   EventKind = "registration-asked"
	EventRegistered    EventKind = "registered"
	EventAdded         EventKind = "person-added" // at the command line
	EventInvited       EventKind = "invited"
	EventUninvited     EventKind = "invitation-withdrawn"
	EventJoined        EventKind = "invitation-accepted"
	EventRole          EventKind = "role-changed"
	EventDisabled      EventKind = "disabled"
	EventEnabled       EventKind = "enabled"
	EventPasswordSet   EventKind = "password-set" // the first one
	EventPassword      EventKind = "password-changed"
	EventReset         EventKind = "password-reset"
	EventAddressAsked  EventKind = "address-change-asked"
	EventAddress       EventKind = "address-changed"
	EventIdentity      EventKind = "identity-bound"
	EventTokenMade     EventKind = "token-made"
	EventTokenEnded    EventKind = "token-ended"
	EventGroupMade     EventKind = "group-made"
	EventGroupRenamed  EventKind = "group-renamed"
	EventGroupDeleted  EventKind = "group-deleted"
	EventGroupJoined   EventKind = "group-joined"
	EventGroupLeft     EventKind = "group-left"
)

// EventKinds lists all kinds of security events.
func EventKinds() []EventKind {
	return []EventKind{
		EventSignedIn, EventSignInFailed, EventSignedOut, EventSessionsEnded, EventLinkAsked, EventLinkMade,
		EventRegistering, EventRegistered, EventAdded, EventInvited, EventUninvited, EventJoined,
		EventRole, EventDisabled, EventEnabled, EventPasswordSet, EventPassword, EventReset,
		EventAddressAsked, EventAddress, EventIdentity, EventTokenMade, EventTokenEnded,
		EventGroupMade, EventGroupRenamed, EventGroupDeleted, EventGroupJoined, EventGroupLeft,
	}
}

// Event is one act that concerns the security of accounts.
type Event struct {
	Kind   EventKind
	Person ticket.PersonID // whose account; empty: none, or an address that none has
	Actor  ticket.PersonID // who did it; empty: somebody who had not signed in, or an operator
	Detail string
}

// Recorded is an event as administrators read it.
type Recorded struct {
	ID     int64
	At     time.Time
	Kind   EventKind
	Person desk.Ref // an ID without a name: of somebody whom the desk does not know any more
	Actor  desk.Ref
	Origin desk.Origin
	Detail string
}

// EventFilter chooses events.
type EventFilter struct {
	Kind   EventKind // empty: all
	Person string    // address, handle or ID of whose account it was or who did it; empty: all
	Before int64     // the last ID of the page before; zero: from the newest on
	Limit  int
}

// Events lists security events for an administrator, the newest first; more says that the list goes on.
func (s *Service) Events(ctx context.Context, by desk.Person, f EventFilter) (list []Recorded, more bool, err error) {
	if err := MayAdminister(by.Role); err != nil {
		return nil, false, err
	}
	return s.vault.Events(ctx, f)
}

// SignedOut records that somebody ended the session that they are using.
func (s *Service) SignedOut(ctx context.Context, who desk.Person) error {
	return s.vault.Record(ctx, Event{Kind: EventSignedOut, Person: who.ID, Actor: who.ID})
}
