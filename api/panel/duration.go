package panel

import (
	"fmt"
	"time"
)

// shortDuration formats a duration in its two largest units, such as 3d 4h, 4h 12m, 12m or <1m. static/panel.js
// formats running clocks in the same way.
func shortDuration(d time.Duration) string {
	const day = 24 * time.Hour
	d = d.Abs()
	switch {
	case d < time.Minute:
		return "<1m"
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	case d < 10*day:
		return fmt.Sprintf("%dd %dh", d/day, d%day/time.Hour)
	default:
		return fmt.Sprintf("%dd", d/day)
	}
}

// age formats a duration in its largest unit.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return "<1m"
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%dh", d/time.Hour)
	default:
		return fmt.Sprintf("%dd", d/day)
	}
}

// countdown returns the state and the text of a running clock's badge; left is negative after the deadline.
func countdown(left time.Duration) (state, text string) {
	const urgent, soon = 2 * time.Hour, 24 * time.Hour
	switch {
	case left <= 0:
		return "late", age(-left) + " over"
	case left < urgent:
		return "urgent", shortDuration(left)
	case left < soon:
		return "soon", shortDuration(left)
	default:
		return "calm", shortDuration(left)
	}
}

// percent formats part as a percentage of whole.
func percent(part, whole int64) string { return fmt.Sprintf("%d%%", 100*part/max(1, whole)) }
