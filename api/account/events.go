package account

import (
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/api/page"
	accounts "github.com/holesalemart/supportdesk/internal/account"
)

const eventsShown = 50 // per page

type eventsView struct {
	page.Layout
	Kinds  []accounts.EventKind
	Kind   accounts.EventKind
	Search string
	Events []eventView
	Older  string // URL of the next page; empty: last page
}

type eventView struct {
	accounts.EventRecord
	What      string
	ActorName string // empty if it was the person themselves
}

// eventNames are labels for the kinds of events.
var eventNames = map[accounts.EventKind]string{
	accounts.EventSignedIn: "Signed in", accounts.EventSignInFailed: "Sign-in failed", accounts.EventSignedOut: "Signed out",
	accounts.EventSessionsEnded: "Signed out everywhere", accounts.EventLinkRequested: "Link requested",
	accounts.EventLinkCreated: "Sign-in link created", accounts.EventRegistrationRequested: "Registration requested",
	accounts.EventRegistered: "Registered", accounts.EventPersonAdded: "Person added", accounts.EventInvited: "Invited",
	accounts.EventInvitationWithdrawn: "Invitation withdrawn", accounts.EventInvitationAccepted: "Invitation accepted",
	accounts.EventRoleChanged: "Role changed", accounts.EventDisabled: "Account disabled", accounts.EventEnabled: "Account enabled",
	accounts.EventPasswordSet: "Password set", accounts.EventPasswordChanged: "Password changed", accounts.EventPasswordReset: "Password reset",
	accounts.EventAddressRequested: "Further address requested", accounts.EventAddressChanged: "Primary address changed",
	accounts.EventAddressAdded: "Further address added", accounts.EventAddressRemoved: "Further address removed",
	accounts.EventContactAdded: "Contact added", accounts.EventContactCorrected: "Contact's address corrected", accounts.EventContactClaimed: "Contact became an account",
	accounts.EventContactMerged:  "Contact merged into the account",
	accounts.EventIdentityLinked: "OpenID identity linked", accounts.EventTokenCreated: "API token created",
	accounts.EventTokenRevoked: "API token revoked", accounts.EventGroupCreated: "Group created", accounts.EventGroupRenamed: "Group renamed",
	accounts.EventGroupDeleted: "Group deleted", accounts.EventGroupJoined: "Group member added", accounts.EventGroupLeft: "Group member removed",
	accounts.EventMailReleased: "Email released", accounts.EventMailDeleted: "Email deleted",
	accounts.EventSenderBlocked: "Email sender blocked", accounts.EventSenderUnblocked: "Email sender unblocked",
}

// NameOf returns the label of a kind.
func (eventsView) NameOf(kind accounts.EventKind) string {
	if name, known := eventNames[kind]; known {
		return name
	}
	return string(kind)
}

func (p *Pages) showEvents(v *page.Visit) error {
	before, err := strconv.ParseInt(v.Query("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	filter := accounts.EventFilter{
		Kind: accounts.EventKind(v.Query("kind")), Person: strings.TrimSpace(v.Query("person")), Before: before, Limit: eventsShown,
	}
	list, more, err := p.accounts.Events(v.Context(), v.Person, filter)
	if err != nil {
		return err
	}
	view := eventsView{
		Layout: v.Layout("Security events", "/people"), Kinds: accounts.EventKinds(), Kind: filter.Kind, Search: filter.Person,
	}
	for _, e := range list {
		view.Events = append(view.Events, eventView{EventRecord: e, What: view.NameOf(e.Kind), ActorName: actorName(e)})
	}
	if more {
		last := strconv.FormatInt(list[len(list)-1].ID, 10)
		view.Older = page.Address("/people/events", "before", last, "kind", string(filter.Kind), "person", filter.Person)
	}
	return v.Show("events", view)
}

// actorName returns who changed another person's account, or acted on none.
func actorName(e accounts.EventRecord) string {
	switch {
	case e.Actor.ID == e.Person.ID:
		return ""
	case e.Actor.Name != "":
		return e.Actor.Name
	}
	return string(e.Actor.ID)
}
