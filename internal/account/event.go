package account

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// EventKind is the kind of a security event.
type EventKind string

// The kinds of security events. Each is recorded in the transaction that it reports.
const (
	EventSignedIn      EventKind = "signed-in"
	EventSignInFailed  EventKind = "sign-in-failed"
	EventSignedOut     EventKind = "signed-out"
	EventSessionsEnded EventKind = "sessions-ended" // all of a person's, by "sign out everywhere"
	EventLinkAsked     EventKind = "link-asked"     // to sign in or to reset a password
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

// EventKinds returns all kinds of security events.
func EventKinds() []EventKind {
	return []EventKind{
		EventSignedIn, EventSignInFailed, EventSignedOut, EventSessionsEnded, EventLinkAsked, EventLinkMade,
		EventRegistering, EventRegistered, EventAdded, EventInvited, EventUninvited, EventJoined,
		EventRole, EventDisabled, EventEnabled, EventPasswordSet, EventPassword, EventReset,
		EventAddressAsked, EventAddress, EventIdentity, EventTokenMade, EventTokenEnded,
		EventGroupMade, EventGroupRenamed, EventGroupDeleted, EventGroupJoined, EventGroupLeft,
	}
}

// Event is a change or an attempt that concerns the security of accounts.
type Event struct {
	Kind   EventKind
	Person ticket.PersonID // owner of the account; empty if none, or if no account has the address
	Actor  ticket.PersonID // who did it; empty if not signed in, or an operator
	Detail string
}

// Recorded is an event as administrators see it.
type Recorded struct {
	ID     int64
	At     time.Time
	Kind   EventKind
	Person desk.Ref // without a name if the person no longer exists
	Actor  desk.Ref
	Origin desk.Origin
	Detail string
}

// EventFilter selects events.
type EventFilter struct {
	Kind   EventKind // empty: all
	Person string    // address, handle or ID of owner or actor; empty: all
	Before int64     // ID of the last event of the previous page; zero: start with the newest
	Limit  int
}

// Events returns security events for an administrator, newest first. more reports whether there are others.
func (s *Service) Events(ctx context.Context, by desk.Person, f EventFilter) (list []Recorded, more bool, err error) {
	if err := MayAdminister(by.Role); err != nil {
		return nil, false, err
	}
	return s.store.Events(ctx, f)
}

// SignedOut records that a person ended their current session.
func (s *Service) SignedOut(ctx context.Context, who desk.Person) error {
	return s.store.Record(ctx, Event{Kind: EventSignedOut, Person: who.ID, Actor: who.ID})
}
