package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// DeliverySuperseded is a mail of an announcement that was never sent, because a newer one says more, or because its
// recipient has no open ticket any more. It is final.
const DeliverySuperseded DeliveryStatus = "superseded"

// DeliveryHeld is a mail of an announcement that becomes owed once the recipient's tickets are as the gate wants them.
const DeliveryHeld DeliveryStatus = "held"

// AnnouncementKind is what an announcement says of an emergency.
type AnnouncementKind string

// What announcements say.
const (
	AnnouncePlanned   AnnouncementKind = "planned"   // it will begin
	AnnounceStarted   AnnouncementKind = "started"   // it has begun
	AnnounceChanged   AnnouncementKind = "changed"   // its end, its beginning or its delay is another than was told
	AnnounceEnded     AnnouncementKind = "ended"     // it is over
	AnnounceCancelled AnnouncementKind = "cancelled" // it was planned and will not begin
)

// Before is the instant from which on a submitted ticket's requester need not be told: its receipt said what there is to
// say. Zero: there is none.
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

// AnnounceAhead is how long before its beginning an emergency has to be known for it to be announced by mail before it begins.
// Whoever learns of it later reads of it on the website and gets one mail when it begins, and not two in a day.
const AnnounceAhead = 24 * time.Hour

// EndTolerance is how close to its beginning or end a change of either is not told any more: the mail about what then happens
// says it. So whoever lifts an emergency, which ends it with the next second, makes one mail and not two.
const EndTolerance = time.Minute

// EmergencyTerms is what people have to be told of an emergency: whatever moves their promises. The notice's words are not
// part of it: the website and every mail show them at once.
type EmergencyTerms struct {
	Stage EmergencyStage
	From  time.Time
	Until time.Time     // zero: until it is lifted
	By    time.Duration // delayed: how much longer targets are
}

func (s EmergencyTerms) same(o EmergencyTerms) bool {
	return s.Stage == o.Stage && s.From.Equal(o.From) && s.Until.Equal(o.Until) && s.By == o.By
}

// turns reports whether the emergency begins, or ends, by an instant.
func (s EmergencyTerms) turns(by time.Time) bool {
	next := s.Until
	if s.Stage == StagePlanned {
		next = s.From
	}
	return !next.IsZero() && !next.After(by)
}

// EmergencyTerms gives what there is to tell at an instant.
func (e Emergency) Terms(at time.Time) EmergencyTerms {
	s := EmergencyTerms{Stage: e.Stage(at), From: e.From, Until: e.Until, By: e.DelayAt(at)}
	if s.Stage == StagePlanned {
		s.By = e.DelayAt(e.From)
	}
	return s
}

// DelayAt is how much longer a delayed emergency makes targets at an instant: after its end still as much as in its last
// second, since nobody's promises become shorter by it; zero before it begins.
func (e Emergency) DelayAt(at time.Time) time.Duration {
	var by time.Duration
	for _, d := range e.Delays {
		if !d.From.After(at) {
			by = d.By
		}
	}
	return by
}

// Tell decides what is to be announced of an emergency, when all open tickets are right up to the instant proven under a
// revision of the gate. told is what the last announcement of it said; nil without one. It says nothing while
// something lies between what is proven and now, or was changed since: that is announced when it is proven, too.
func (e Emergency) Tell(told *EmergencyTerms, proven, now time.Time, revision int64) (AnnouncementKind, EmergencyTerms, bool) {
	s := e.Terms(proven)
	if e.Revision > revision || !s.same(e.Terms(now)) {
		return "", s, false
	}
	if told != nil && told.Stage == s.Stage {
		return AnnounceChanged, s, !told.same(s) && !s.turns(now.Add(EndTolerance)) && s.Stage != StageOver && s.Stage != StageCancelled
	}
	switch s.Stage {
	case StagePlanned:
		return AnnouncePlanned, s, s.From.Sub(now) > AnnounceAhead
	case StageInForce:
		return AnnounceStarted, s, true
	case StageOver:
		return AnnounceEnded, s, true
	default:
		return AnnounceCancelled, s, told != nil // who never heard of it need not hear that it is off
	}
}

// News is one announcement of an emergency.
type News struct {
	Announces AnnouncementKind
	EmergencyTerms
	Kind   ticket.EmergencyKind
	Closed bool // another emergency has the desk closed
}

// Audience is who of those concerned gets an announcement's mail.
type Audience string

// The audiences.
const (
	AudienceAll          Audience = "all"
	AudienceNone         Audience = "none"
	AudienceNotWithdrawn Audience = "not-withdrawn" // all but those for whom earlier mails about the emergency were superseded unsent
	AudienceInformed     Audience = "told"          // those who were sent a mail about it, or whose receipt spoke of it
)

// Audience decides who gets the mail. What came to nothing before the mails about it were sent, which wait for settle
// after each change, is told only to those who have heard of it.
func (n News) Audience(settle time.Duration) Audience {
	closure := n.Announces == AnnounceEnded && n.Kind == ticket.EmergencyClosed // a delay stays when it is over
	switch {
	case closure && n.Closed:
		return AudienceNone // the desk does not open
	case closure && n.Until.Sub(n.From) <= settle:
		return AudienceInformed
	case n.Announces == AnnounceCancelled:
		return AudienceNotWithdrawn
	default:
		return AudienceAll
	}
}

// Closes reports whether it has the desk closed at an instant.
func (e Emergency) Closes(at time.Time) bool {
	return e.Kind == ticket.EmergencyClosed && e.Stage(at) == StageInForce
}

// First is what is told to somebody whose earlier mails about the emergency were all superseded unsent.
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

// Announcement is everything that one mail's words about an emergency are made from. It is loaded when the mail is sent
// and kept nowhere.
type Announcement struct {
	ID             int64 // of the mail; makes the Message-ID
	Announces      AnnouncementKind
	Emergency      ticket.EmergencyID
	Kind           ticket.EmergencyKind
	EmergencyTerms        // as it is announced
	Notice         string // as it stands now, plain text
	To             Mailbox
	Disabled       bool   // the recipient is let in no more since the mail was owed: nothing may be sent to them
	Token          string // opens the conversation of their only ticket; empty when they have several

	Tickets []AffectedTicket // the oldest first, those that are neither resolved nor closed
	More    int              // how many beyond these

	At     time.Time      // when it was announced
	Policy *policy.Policy // in force: zone, contact, privacy link, name
}

// AffectedTicket is a ticket and what an emergency did to its promises.
type AffectedTicket struct {
	Number  ticket.Number
	Subject string

	FirstResponse Move
	Resolution    Move
}

// Move is a promise before an emergency touched it and as it stands now.
type Move struct {
	Owed     bool      // else there is nothing to say
	Before   time.Time // its deadline before; zero: it stood still, or the ticket came later
	Due      time.Time // its deadline now, while its clock runs
	Expected time.Time // paused by emergencies alone: the deadline if these end as planned; zero: that can't be told
	Waiting  bool      // paused because the requester has the next move
	Breached time.Time // the deadline that passed unkept; zero: none
}

// Moves says what an emergency has done to a ticket's promises, as its requester reads them. Expected are the deadlines
// if every emergency ends as planned; see ticket.Expected.
func Moves(t ticket.Ticket, expected policy.Deadlines, id ticket.EmergencyID) (first, resolution Move) {
	since, read := reached(t, id), PromisedOf(t, expected, time.Time{}).ForRequester()
	first, resolution = move(t.FirstResponse, read.FirstResponse, since), move(t.Resolution, read.Resolution, since)
	first.Before = earlier(first.Before, resolution.Before)
	return first, resolution
}

// reached is when an emergency reached a ticket; zero when it did not, or was there before the ticket.
func reached(t ticket.Ticket, id ticket.EmergencyID) time.Time {
	for _, s := range t.Emergencies {
		if s.ID == id && t.Submitted.Before(s.From) {
			return s.From
		}
	}
	return time.Time{}
}

func move(p ticket.Promise, read SLAState, since time.Time) Move {
	if !p.MetAt.IsZero() || p.Clock.Met() {
		return Move{}
	}
	m := Move{
		Owed: true, Due: read.Due, Expected: read.Expected, Breached: read.BreachedAt,
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
