package mail

import "time"

// formatTime formats an instant in a time zone, as in "Thu 3 Dec 2026, 11:00 UTC". It includes seconds within an hour of
// now, where a time without them would be misleading. A zone without an abbreviation appears as an offset, such as
// "UTC+05:30". It returns an empty string for the zero time.
func formatTime(at, now time.Time, zone *time.Location) string {
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
