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
func (g EmergencySchedule) PausesAt(at time.Time) bool {
	for _, e := range g.Emergencies {
		if e.Kind == EmergencyClosed && e.ActiveAt(at) {
			return true
		}
	}
	return false
}
