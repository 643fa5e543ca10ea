package ticket

import (
	"regexp"
	"time"
)

// EmergencyID identifies an emergency of the whole desk: E- and 50 random bits as in Number.
type EmergencyID string

// NewEmergencyID draws an ID.
func NewEmergencyID() EmergencyID { return EmergencyID("E-" + newCode()) }

var emergencyIDPattern = regexp.MustCompile(`^E-[0-9A-HJKMNP-TV-Z]{10}$`)

// Valid reports whether an ID has the shape of one. What is declared by hand on one ticket never has it.
func (id EmergencyID) Valid() bool { return emergencyIDPattern.MatchString(string(id)) }

// EmergencyKind is what an emergency does to promises.
type EmergencyKind string

// The kinds.
const (
	EmergencyClosed  EmergencyKind = "closed"  // clocks stand still while it lasts
	EmergencyDelayed EmergencyKind = "delayed" // the targets of every ticket that is open in it become longer
)

// EmergencyKinds lists both.
func EmergencyKinds() []EmergencyKind { return []EmergencyKind{EmergencyClosed, EmergencyDelayed} }

// Emergency is a stretch of time in which the desk can't keep its promises as usual, as PostgreSQL has it. Its past is
// fixed: what changes is only what lies after the instant of the change. Instants are whole seconds, UTC.
type Emergency struct {
	ID     EmergencyID
	Kind   EmergencyKind
	From   time.Time // first instant in it
	Until  time.Time // first instant after it; zero: until it is lifted
	Delays []Delay   // delayed: from when on targets are longer, and by how much in all; by From, ascending, the first at Emergency.From
}

// Delay is how much longer an emergency makes targets from an instant on.
type Delay struct {
	From time.Time
	By   time.Duration // whole seconds; 0 takes back what was added
}

// Gate is every emergency that was not cancelled before it began, by From and ID, ascending: those over, those in force
// and those planned. Whatever holds for a ticket at an instant follows from it.
type Gate struct {
	Revision    int64 // grows with every change; 0: there was never an emergency
	Emergencies []Emergency
}

// Covers reports whether an instant lies in the emergency.
func (e Emergency) Covers(at time.Time) bool {
	return !at.Before(e.From) && (e.Until.IsZero() || at.Before(e.Until))
}

// Closed reports whether the gate stops clocks at an instant.
func (g Gate) Closed(at time.Time) bool {
	for _, e := range g.Emergencies {
		if e.Kind == EmergencyClosed && e.Covers(at) {
			return true
		}
	}
	return false
}
