package panel

import (
	"strings"
	"time"
)

// SnoozeEnds returns the ends of a snooze that are offered at an instant, such as "tomorrow".
func SnoozeEnds(now time.Time) []string {
	var ends []string
	for _, o := range snoozeChoice(time.Time{}, now).Options[1:] {
		end, _, _ := strings.Cut(o.Text, ",")
		ends = append(ends, end)
	}
	return ends
}
