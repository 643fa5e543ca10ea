package chart

import (
	"fmt"
	"math"
	"time"
)

// CountScale returns the scale for integers.
func CountScale() Scale {
	var steps []float64
	for power := 1.0; power <= 1e8; power *= 10 {
		steps = append(steps, power, 2*power, 5*power)
	}
	return Scale{Steps: steps, Text: func(v float64) string { return fmt.Sprintf("%.0f", v) }}
}

// DurationScale returns the scale for durations in seconds.
func DurationScale() Scale {
	const minute, hour, day = 60, 3600, 86400
	return Scale{
		Steps: []float64{
			1, 5, 15, 30, minute, 2 * minute, 5 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour,
			day, 2 * day, 5 * day, 10 * day, 20 * day, 50 * day, 100 * day,
		},
		Text: func(v float64) string {
			if v == 0 {
				return "0"
			}
			return FormatDuration(time.Duration(math.Round(v)) * time.Second)
		},
	}
}

// FormatDuration formats a duration in its two largest units, rounded down: 45 s, 12 min, 3 h 20 min, 2 d 4 h.
func FormatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	two := func(large time.Duration, name string, small time.Duration, part string) string {
		if rest := d % large / small; rest > 0 {
			return fmt.Sprintf("%d %s %d %s", d/large, name, rest, part)
		}
		return fmt.Sprintf("%d %s", d/large, name)
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return two(time.Minute, "min", time.Second, "s")
	case d < day:
		return two(time.Hour, "h", time.Minute, "min")
	default:
		return two(day, "d", time.Hour, "h")
	}
}
