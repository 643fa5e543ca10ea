package account

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/api/page"
	accounts "github.com/holesalemart/supportdesk/internal/account"
)

const eventsShown = 50 // on a page

type eventsView struct {
	page.Layout
	Kinds  []accounts.EventKind
	Kind   accounts.EventKind
	Whose  string
	Events []eventView
	Older  string // address of the next page; empty: this is the last
}

type eventView struct {
	accounts.Recorded
	What  string
	ByWho string // in words, where it was not the person themselves
}

// eventNames are the kinds of events in words.
var eventNames = map[accounts.EventKind]string{
	accounts.EventSignedIn: "Signed in", accounts.EventSignInFailed: "Sign-in failed", accounts.EventSignedOut: "Signed out",
	accounts.EventSessionsEnded: "Signed out everywhere", accounts.EventLinkAsked: "Link asked for",
	accounts.EventLinkMade: "Sign-in link made", accounts.EventRegistering: "Registration asked for",
	accounts.EventRegistered: "Registered", accounts.EventAdded: "Person added", accounts.EventInvited: "Invited",
	accounts.EventUninvited: "Invitation called off", accounts.EventJoined: "Invitation accepted",
	accounts.EventRole: "Role changed", accounts.EventDisabled: "Disabled", accounts.EventEnabled: "Enabled",
	accounts.EventPasswordSet: "Password set", accounts.EventPassword: "Password changed", accounts.EventReset: "Password reset",
	accounts.EventAddressAsked: "Address change asked for", accounts.EventAddress: "Address changed",
	accounts.EventIdentity: "Sign-in by a provider bound", accounts.EventTokenMade: "API token made",
	accounts.EventTokenEnded: "API token revoked", accounts.EventGroupMade: "Group made", accounts.EventGroupRenamed: "Group renamed",
	accounts.EventGroupDeleted: "Group deleted", accounts.EventGroupJoined: "Group member added", accounts.EventGroupLeft: "Group member removed",
}

// NameOf returns a kind in words.
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
		Layout: v.Layout("Security events", "/people"), Kinds: accounts.EventKinds(), Kind: filter.Kind, Whose: filter.Person,
	}
	for _, e := range list {
		view.Events = append(view.Events, eventView{Recorded: e, What: view.NameOf(e.Kind), ByWho: byWho(e)})
	}
	if more {
		query := url.Values{"before": {strconv.FormatInt(list[len(list)-1].ID, 10)}}
		if filter.Kind != "" {
			query.Set("kind", string(filter.Kind))
		}
		if filter.Person != "" {
			query.Set("person", filter.Person)
		}
		view.Older = "/people/events?" + query.Encode()
	}
	return v.Show("events", view)
}

// byWho names who did something to somebody else's account, or to none.
func byWho(e accounts.Recorded) string {
	switch {
	case e.Actor.ID == e.Person.ID:
		return ""
	case e.Actor.Name != "":
		return e.Actor.Name
	}
	return string(e.Actor.ID)
}
