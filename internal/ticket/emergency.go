package ticket

import (
	"regexp"
	"time"
)

// EmergencyID identifies a desk-wide emergency: E- and 50 random bits, encoded as in Number. A manual emergency on one
// ticket has a name of another shape instead.
type EmergencyID string

// NewEmergencyID returns a random ID.
func NewEmergencyID() EmergencyID { return EmergencyID("E-" + newCode()) }

var emergencyIDPattern = regexp.MustCompile(`^E-[0-9A-HJKMNP-TV-Z]{10}$`)

// Valid reports whether the ID is that of a desk-wide emergency.
func (id EmergencyID) Valid() bool { return emergencyIDPattern.MatchString(string(id)) }

// EmergencyKind is what an emergency does to clocks.
type EmergencyKind string

// The kinds.
const (
	EmergencyClosed  EmergencyKind = "closed"  // clocks are paused while it lasts
	EmergencyDelayed EmergencyKind = "delayed" // targets of tickets that are open during it become longer
)

// EmergencyKinds lists both.
func EmergencyKinds() []EmergencyKind { return []EmergencyKind{EmergencyClosed, EmergencyDelayed} }

// Emergency is a period in which the desk cannot meet its targets as usual. A change affects only what lies after it: the
// past is fixed. Times are whole seconds in UTC.
type Emergency struct {
	ID     EmergencyID
	Kind   EmergencyKind
	From   time.Time // inclusive
	Until  time.Time // exclusive; zero: until it is lifted
	Delays []Delay   // of a delayed one, ascending by From; the first begins with the emergency
}

// Delay is how much longer an emergency makes targets from a time on, in all.
type Delay struct {
	From time.Time
	By   time.Duration // whole seconds; 0 withdraws the delay
}

// EmergencySchedule holds every emergency that was not cancelled before it began, past, active and planned, ascending by From and ID.
// What applies to a ticket at any time follows from it alone.
type EmergencySchedule struct {
	Revision    int64 // increases with every change; 0: no emergency was ever declared
	Emergencies []Emergency
}

// ActiveAt reports whether the emergency is active at an instant.
func (e Emergency) ActiveAt(at time.Time) bool {
	return !at.Before(e.From) && (e.Until.IsZero() || at.Before(e.Until))
}

// PausesAt reports whether clocks are paused at an instant.
func (schedule EmergencySchedule) PausesAt(at time.Time) bool {
	for _, e := range schedule.Emergencies {
		if e.Kind == EmergencyClosed && e.ActiveAt(at) {
			return true
		}
	}
	return false
}

// EmergencyOutlook is what the emergency workflow knows of the emergency schedule. It holds no text that people wrote.
type EmergencyOutlook struct {
	Revision int64             `json:"revision"`
	At       time.Time         `json:"at"`               // by the database's clock
	Reached  Transition        `json:"reached,omitzero"` // the last transition up to At; zero: none
	Next     Transition        `json:"next,omitzero"`    // the first transition after At; zero: none is planned
	Until    time.Time         `json:"until,omitzero"`   // when the outlook changes by itself; zero: never
	Current  []ActiveEmergency `json:"current,omitempty"`
}

// ActiveEmergency is an active or planned emergency.
type ActiveEmergency struct {
	ID    EmergencyID   `json:"id"`
	Kind  EmergencyKind `json:"kind"`
	From  time.Time     `json:"from"`
	Until time.Time     `json:"until,omitzero"` // zero: until it is lifted
	By    time.Duration `json:"by,omitempty"`   // delayed: the last planned delay of targets
}

// Outlook returns the outlook as of an instant.
func (schedule EmergencySchedule) Outlook(at time.Time) EmergencyOutlook {
	o := EmergencyOutlook{Revision: schedule.Revision, At: at}
	for _, e := range schedule.Transitions() {
		if e.At.After(at) {
			o.Next, o.Until = e, e.At
			break
		}
		o.Reached = e
	}
	for _, e := range schedule.Emergencies {
		if !e.Until.IsZero() && !e.Until.After(at) {
			continue
		}
		c := ActiveEmergency{ID: e.ID, Kind: e.Kind, From: e.From, Until: e.Until}
		if len(e.Delays) > 0 {
			c.By = e.Delays[len(e.Delays)-1].By
		}
		for _, t := range []time.Time{e.From, e.Until} {
			if t.After(at) && (o.Until.IsZero() || t.Before(o.Until)) {
				o.Until = t
			}
		}
		o.Current = append(o.Current, c)
	}
	return o
}

// FanoutRequest asks to notify the workflows of open tickets of a transition, for as long as one activity may run.
type FanoutRequest struct {
	Transition       Transition `json:"transition"`
	ScheduleRevision int64      `json:"schedule"`        // revision of the emergency schedule
	After            Number     `json:"after,omitempty"` // continue after this ticket

	Total    int       `json:"total"`              // number of tickets to notify in all
	Notified int       `json:"notified,omitempty"` // number of tickets notified so far
	Began    time.Time `json:"began"`
}

// FanoutResult is the progress of one fan-out activity.
type FanoutResult struct {
	After    Number `json:"after,omitempty"` // the last ticket notified
	Notified int    `json:"notified"`        // number of tickets notified by this activity
	Done     bool   `json:"done,omitempty"`  // no ticket is left after After
}

// FanoutCheck counts, in PostgreSQL, the open tickets that do not agree with the emergency schedule after a transition.
type FanoutCheck struct {
	Open   int  `json:"open"`                 // open tickets
	Behind int  `json:"behind"`               // those without a step since the transition
	Wrong  int  `json:"wrong,omitempty"`      // those with one that are paused when they should run or the reverse: a defect
	Passed bool `json:"superseded,omitempty"` // a later transition has been reached and supersedes this one

	Late []Number `json:"late,omitempty"` // the first of Behind and Wrong, by number; at most MaxLate
}

// MaxLate is the maximum number of tickets in FanoutCheck.Late.
const MaxLate = 20

// FanoutTimeout is how long a fan-out may take before requesters whose tickets agree with the schedule are mailed and
// the other tickets are listed.
const FanoutTimeout = 2 * time.Minute

// Left returns how many tickets do not agree with the schedule.
func (p FanoutCheck) Left() int { return p.Behind + p.Wrong }

// AnnounceRequest asks to record which mails announce emergencies to requesters. Usually every open ticket agrees with
// the schedule by then, so what is announced has happened. If that takes too long, Partial asks for the same while some
// tickets do not agree yet; mails to their requesters are held until they do.
type AnnounceRequest struct {
	CheckedAt time.Time `json:"checked_at"` // tickets agree with the schedule up to here
	Revision  int64     `json:"revision"`   // of the schedule; later changes are announced later
	Partial   bool      `json:"partial,omitempty"`
}

// AnnounceResult counts the announcements recorded and the pending mails. A repeated request records nothing but still
// returns the pending mails, since the first result may have been lost.
type AnnounceResult struct {
	Announcements int `json:"announcements,omitempty"`
	Left          int `json:"unsent,omitempty"`
	Held          int `json:"held,omitempty"` // mails held until their ticket agrees with the schedule
}

// SendAnnouncementsRequest asks to send at most Most of the pending announcement mails.
type SendAnnouncementsRequest struct {
	Most int `json:"limit"`
}

// SendAnnouncementsResult is the progress of sending announcement mails.
type SendAnnouncementsResult struct {
	Sent    int       `json:"sent,omitempty"`
	Bounced int       `json:"bounced,omitempty"`
	Left    int       `json:"unsent,omitempty"`
	Next    time.Time `json:"retry_at,omitzero"` // when the first of those left is to be sent; zero: now
}
