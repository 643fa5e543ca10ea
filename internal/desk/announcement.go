package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// DeliverySuperseded is the status of an announcement's mail that was not sent because a newer announcement replaced it, or
// because its recipient had no open ticket left. It is final.
const DeliverySuperseded DeliveryStatus = "superseded"

// DeliveryHeld is the status of an announcement's mail that becomes owed once all transitions have been applied to the
// recipient's tickets.
const DeliveryHeld DeliveryStatus = "held"

// AnnouncementKind is what an announcement reports of an emergency.
type AnnouncementKind string

// The kinds of announcements.
const (
	AnnouncePlanned   AnnouncementKind = "planned"   // it will start
	AnnounceStarted   AnnouncementKind = "started"   // it has started
	AnnounceChanged   AnnouncementKind = "changed"   // its start, its end or its delay differs from what was last announced
	AnnounceEnded     AnnouncementKind = "ended"     // it is over
	AnnounceCancelled AnnouncementKind = "cancelled" // it was planned and will not start
)

// Before returns the instant from which on the requesters of new tickets receive no mail, because the receipt already
// reported the emergency. It returns the zero time if there is none.
func (t AnnouncementKind) Before(s EmergencyTerms) time.Time {
	switch t {
	case AnnounceStarted:
		return s.From
	case AnnounceEnded:
		return s.Until
	default:
		return time.Time{}
	}
}

// AnnounceAhead is the minimum time before the start of an emergency at which it is announced by mail as planned. One
// declared later is shown on the website and announced when it starts, so that requesters do not get two mails in a day.
const AnnounceAhead = 24 * time.Hour

// EndTolerance is the time before the start or the end within which a change of either is not announced, because the
// announcement of the start or the end follows. Lifting an emergency, which ends it at the next second, thus causes one
// mail and not two.
const EndTolerance = time.Minute

// EmergencyTerms are the properties of an emergency that affect deadlines; a change of them is announced. The text of the
// notice is not among them, since the website and every mail show its current version.
type EmergencyTerms struct {
	Stage EmergencyStage
	From  time.Time
	Until time.Time     // zero: until it is lifted
	By    time.Duration // delayed: how much longer targets are
}

func (s EmergencyTerms) same(o EmergencyTerms) bool {
	return s.Stage == o.Stage && s.From.Equal(o.From) && s.Until.Equal(o.Until) && s.By == o.By
}

// startsOrEnds reports whether the next start or end of the emergency is not after by.
func (s EmergencyTerms) startsOrEnds(by time.Time) bool {
	next := s.Until
	if s.Stage == StagePlanned {
		next = s.From
	}
	return !next.IsZero() && !next.After(by)
}

// Terms returns the terms at an instant. While the emergency is planned, By is the delay that it will start with.
func (e Emergency) Terms(at time.Time) EmergencyTerms {
	s := EmergencyTerms{Stage: e.Stage(at), From: e.From, Until: e.Until, By: e.DelayAt(at)}
	if s.Stage == StagePlanned {
		s.By = e.DelayAt(e.From)
	}
	return s
}

// DelayAt returns by how much a delayed emergency extends targets at an instant, and zero before its start. The extension
// remains after its end, since no deadline moves back.
func (e Emergency) DelayAt(at time.Time) time.Duration {
	var by time.Duration
	for _, d := range e.Delays {
		if !d.From.After(at) {
			by = d.By
		}
	}
	return by
}

// DueAnnouncement returns the kind and the terms of the announcement that is now due for an emergency, and false if none is.
// At revision of the emergency schedule, all transitions up to checked have been applied to all open tickets. announced are
// the terms of the previous announcement, nil if there is none. A transition between checked and now, or a change after
// revision, is announced only once it has been applied to all tickets, too.
func (e Emergency) DueAnnouncement(announced *EmergencyTerms, checked, now time.Time, revision int64) (AnnouncementKind, EmergencyTerms, bool) {
	s := e.Terms(checked)
	if e.Revision > revision || !s.same(e.Terms(now)) {
		return "", s, false
	}
	if announced != nil && announced.Stage == s.Stage {
		return AnnounceChanged, s, !announced.same(s) && !s.startsOrEnds(now.Add(EndTolerance)) && s.Stage != StageOver && s.Stage != StageCancelled
	}
	switch s.Stage {
	case StagePlanned:
		return AnnouncePlanned, s, s.From.Sub(now) > AnnounceAhead
	case StageInForce:
		return AnnounceStarted, s, true
	case StageOver:
		return AnnounceEnded, s, true
	default:
		return AnnounceCancelled, s, announced != nil // one that was never announced is cancelled silently
	}
}

// News is an announcement without recipients.
type News struct {
	Announces AnnouncementKind
	EmergencyTerms
	Kind        ticket.EmergencyKind
	StillClosed bool // another emergency keeps support closed
}

// AffectedRequester is a customer with an affected ticket, and what they know of an emergency.
type AffectedRequester struct {
	Person   ticket.PersonID
	Mailed   bool // there was a mail to them about it, which may have been superseded
	Informed bool // such a mail was sent
	Current  bool // the last one that was sent reported the current terms
	Receipt  bool // the receipt of one of their tickets reported it
}

// Reaches reports whether an affected requester receives the announcement. Mails are sent only settle after the last change,
// so an emergency that was cancelled or ended within that time is reported only to those who know of it.
func (n News) Reaches(r AffectedRequester, settle time.Duration) bool {
	ended := n.Announces == AnnounceEnded
	closure := ended && n.Kind == ticket.EmergencyClosed // the extension by a delay remains after its end
	switch {
	case r.Current, ended && n.StillClosed: // nothing is back to normal; the end of the other emergency will say what applies
		return false
	case r.Informed:
		return true
	case closure && n.Until.Sub(n.From) <= settle:
		return r.Receipt
	case n.Announces == AnnounceCancelled:
		return !r.Mailed
	default:
		return true
	}
}

// Closes reports whether the emergency keeps support closed at an instant.
func (e Emergency) Closes(at time.Time) bool {
	return e.Kind == ticket.EmergencyClosed && e.Stage(at) == StageInForce
}

// First returns the kind of the announcement for a recipient whose earlier mails about the emergency were all superseded:
// for them a change is not a change but news.
func (t AnnouncementKind) First(s EmergencyTerms) AnnouncementKind {
	switch {
	case t != AnnounceChanged:
		return t
	case s.Stage == StagePlanned:
		return AnnouncePlanned
	default:
		return AnnounceStarted
	}
}

// Announcement is the data of one mail about an emergency. It is loaded when the mail is sent and not stored.
type Announcement struct {
	ID             int64 // of the mail; part of the Message-ID
	Announces      AnnouncementKind
	Emergency      ticket.EmergencyID
	Kind           ticket.EmergencyKind
	EmergencyTerms        // as announced
	Notice         string // current, plain text
	To             Mailbox
	Disabled       bool   // the recipient's account has been disabled since: nothing may be sent to them
	Token          string // opens the conversation of their only ticket; empty if they have several

	Tickets []AffectedTicket // neither resolved nor closed, oldest first
	More    int              // number of such tickets beyond these

	At     time.Time      // when it was announced
	Policy *policy.Policy // in force: zone, contact, privacy link, name
}

// AffectedTicket is a ticket and how an emergency moved its deadlines.
type AffectedTicket struct {
	Number  ticket.Number
	Subject string

	FirstResponse Move
	Resolution    Move
}

// Move is the deadline of a promise before an emergency and now.
type Move struct {
	Owed     bool      // if false, the promise was met and the other fields are zero
	Before   time.Time // its deadline before; zero: its clock was paused, or the ticket was submitted later
	Due      time.Time // its deadline now; zero: its clock is paused
	Expected time.Time // paused by emergencies alone: the deadline if these end as planned; zero: unknown
	Waiting  bool      // paused while waiting for the requester
	Breached time.Time // the deadline that was breached; zero: none
}

// Moves returns how an emergency moved a ticket's deadlines, as its requester sees them. Expected are the deadlines if
// every emergency ends as planned; see ticket.Expected.
func Moves(t ticket.Ticket, expected policy.Deadlines, id ticket.EmergencyID) (first, resolution Move) {
	since, shown := affectedSince(t, id), PromisedOf(t, expected, time.Time{}).ForRequester()
	first, resolution = move(t.FirstResponse, shown.FirstResponse, since), move(t.Resolution, shown.Resolution, since)
	first.Before = earlier(first.Before, resolution.Before)
	return first, resolution
}

// affectedSince returns when an emergency began to affect a ticket. It returns the zero time if it did not, or if it was in
// force when the ticket was submitted.
func affectedSince(t ticket.Ticket, id ticket.EmergencyID) time.Time {
	for _, s := range t.Emergencies {
		if s.ID == id && t.Submitted.Before(s.From) {
			return s.From
		}
	}
	return time.Time{}
}

func move(p ticket.Promise, shown SLAState, since time.Time) Move {
	if !p.MetAt.IsZero() || p.Clock.Met() {
		return Move{}
	}
	m := Move{
		Owed: true, Due: shown.Due, Expected: shown.Expected, Breached: shown.BreachedAt,
		Waiting: slices.Contains(p.Clock.Reasons(), policy.ReasonWaiting),
	}
	if m.Waiting {
		m.Expected = time.Time{}
	}
	for _, e := range p.Clock.Ledger {
		if e.At.Before(since) {
			m.Before = e.Due
		}
	}
	return m
}
