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
	EventSignedIn              EventKind = "signed-in"
	EventSignInFailed          EventKind = "sign-in-failed"
	EventSignedOut             EventKind = "signed-out"
	EventSessionsEnded         EventKind = "sessions-ended" // all of a person's, by "sign out everywhere"
	EventLinkRequested         EventKind = "link-asked"     // to sign in or to reset a password
	EventLinkCreated           EventKind = "link-made"      // at the command line
	EventRegistrationRequested EventKind = "registration-asked"
	EventRegistered            EventKind = "registered"
	EventPersonAdded           EventKind = "person-added" // at the command line
	EventInvited               EventKind = "invited"
	EventInvitationWithdrawn   EventKind = "invitation-withdrawn"
	EventInvitationAccepted    EventKind = "invitation-accepted"
	EventRoleChanged           EventKind = "role-changed"
	EventDisabled              EventKind = "disabled"
	EventEnabled               EventKind = "enabled"
	EventPasswordSet           EventKind = "password-set" // the first one
	EventPasswordChanged       EventKind = "password-changed"
	EventPasswordReset         EventKind = "password-reset"
	EventAddressRequested      EventKind = "address-change-asked" // a further one, whose owner must confirm it
	EventAddressChanged        EventKind = "address-changed"      // the primary one
	EventAddressAdded          EventKind = "address-added"        // a further one
	EventAddressRemoved        EventKind = "address-removed"      // likewise
	EventContactAdded          EventKind = "contact-added"        // by an agent, or because they wrote
	EventContactCorrected      EventKind = "contact-corrected"    // its address, by an agent
	EventContactClaimed        EventKind = "contact-claimed"      // the owner of the address proved it, and has an account now
	EventContactMerged         EventKind = "contact-merged"       // into the account that confirmed its address
	EventIdentityLinked        EventKind = "identity-bound"
	EventTokenCreated          EventKind = "token-made"
	EventTokenRevoked          EventKind = "token-ended"
	EventGroupCreated          EventKind = "group-made"
	EventGroupRenamed          EventKind = "group-renamed"
	EventGroupDeleted          EventKind = "group-deleted"
	EventGroupJoined           EventKind = "group-joined"
	EventGroupLeft             EventKind = "group-left"
	EventMailReleased          EventKind = "mail-released" // an incoming mail, from quarantine
	EventMailDeleted           EventKind = "mail-deleted"  // likewise
	EventSenderBlocked         EventKind = "sender-blocked"
	EventSenderUnblocked       EventKind = "sender-unblocked"
)

// EventKinds returns all kinds of security events.
func EventKinds() []EventKind {
	return []EventKind{
		EventSignedIn, EventSignInFailed, EventSignedOut, EventSessionsEnded, EventLinkRequested, EventLinkCreated,
		EventRegistrationRequested, EventRegistered, EventPersonAdded, EventInvited, EventInvitationWithdrawn, EventInvitationAccepted,
		EventRoleChanged, EventDisabled, EventEnabled, EventPasswordSet, EventPasswordChanged, EventPasswordReset,
		EventAddressRequested, EventAddressChanged, EventAddressAdded, EventAddressRemoved, EventContactAdded, EventContactCorrected,
		EventContactClaimed, EventContactMerged, EventIdentityLinked, EventTokenCreated, EventTokenRevoked,
		EventGroupCreated, EventGroupRenamed, EventGroupDeleted, EventGroupJoined, EventGroupLeft,
		EventMailReleased, EventMailDeleted, EventSenderBlocked, EventSenderUnblocked,
	}
}

// Event is a change or an attempt that concerns the security of accounts.
type Event struct {
	Kind   EventKind
	Person ticket.PersonID // owner of the account; empty if none, or if no account has the address
	Actor  ticket.PersonID // who did it; empty if not signed in, or an operator
	Detail string
}

// EventRecord is an event as administrators see it.
type EventRecord struct {
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
func (s *Service) Events(ctx context.Context, by desk.Person, f EventFilter) (list []EventRecord, more bool, err error) {
	if err := MayAdminister(by.Role); err != nil {
		return nil, false, err
	}
	return s.store.Events(ctx, f)
}

// SignedOut records that a person ended their current session.
func (s *Service) SignedOut(ctx context.Context, who desk.Person) error {
	return s.store.Record(ctx, Event{Kind: EventSignedOut, Person: who.ID, Actor: who.ID})
}
