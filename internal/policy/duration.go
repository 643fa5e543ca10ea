package policy

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// day is 24 hours of budget, however long a local day is.
const day = 24 * time.Hour

var units = []struct {
	letter byte
	length time.Duration
}{{'d', day}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}

// ParseDuration parses a duration such as "72h", "3d12h" or "0s": integers with the units d (24 hours), h, m and s,
// each at most once and in this order.
func ParseDuration(text string) (time.Duration, error) {
	bad := fmt.Errorf("%.40q is not a duration: write 72h, 10d, 3d12h, 90m or 30s", text)
	rest, total := text, time.Duration(0)
	for _, unit := range units {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || digits == len(rest) || rest[digits] != unit.letter {
			continue
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil || n > int64((math.MaxInt64-total)/unit.length) {
			return 0, fmt.Errorf("the duration %.40q is too long", text)
		}
		total += time.Duration(n) * unit.length
		rest = rest[digits+1:]
	}
	if text == "" || rest != "" {
		return 0, bad
	}
	return total, nil
}

// FormatDuration formats whole seconds for ParseDuration: in days if there are more than three and nothing remains
// ("10d"), otherwise in hours, minutes and seconds ("72h", "1h30m", "0s"). A negative duration has a minus sign, which
// ParseDuration rejects.
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(-max(d, -math.MaxInt64))
	}
	if d > 3*day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return inUnits(d, 1)
}

// FormatBudget formats part of a budget for people. Business hours stay hours ("65h"), because a business day does not
// have 24; others use days ("9d23h").
func FormatBudget(counts CountingMode, d time.Duration) string {
	switch {
	case counts == CountBusinessHours:
		return inUnits(d, 1)
	default:
		return inUnits(d, 0)
	}
}

// inUnits formats d with the units from the given one on.
func inUnits(d time.Duration, from int) string {
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -max(d, -math.MaxInt64)
	}
	for _, unit := range units[from:] {
		if n := d / unit.length; n > 0 {
			fmt.Fprintf(&b, "%d%c", n, unit.letter)
			d -= n * unit.length
		}
	}
	if b.Len() == 0 || b.String() == "-" {
		return "0s"
	}
	return b.String()
}
