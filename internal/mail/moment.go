package mail

import (
	"time"
)

// moment writes an instant as a person reads it, in the policy's zone: "Thu 3 Dec 2026, 11:00 UTC". Seconds are
// written only for what lies within an hour of now, where leaving them out would promise something else. A zone
// without a name of its own is written by its offset, "UTC+05:30". The zero time is the empty string.
func moment(at, now time.Time, zone *time.Location) string {
	if at.IsZero() {
		return ""
	}
	at = at.In(zone)
	layout := "Mon 2 Jan 2006, 15:04"
	if at.Second() != 0 && at.Sub(now).Abs() < time.Hour {
		layout = "Mon 2 Jan 2006, 15:04:05"
	}
	name, _ := at.Zone()
	if name == "" || name[0] == '+' || name[0] == '-' {
		name = at.Format("UTC-07:00")
	}
	return at.Format(layout) + " " + name
}
