package policy

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// ErrNeverOpens means that a budget is not used up before the year 10000: in practice, that the desk never opens. Parse
// rejects policies that would cause it.
var ErrNeverOpens error = &fault.Error{
	Kind: fault.Invalid, Code: "never-opens", Message: "the calendar never opens long enough to use up this time",
}

// horizon is the start of the year 10000, which RFC 3339 cannot represent.
var horizon = time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC).Unix()

// Calendar determines which time counts. An instant is open if its local time of day lies in [start, end) of a span of
// its local date and the date is not a holiday. When clocks go forward, a span loses the hour that does not exist; when
// they go back, the repeated hour is open twice.
//
// A Calendar is created only by Parse. Instants are truncated to seconds.
type Calendar struct {
	zone     *time.Location
	hours    *week
	days     *week // all of each day that has opening hours
	holidays []Holiday
}

// Holiday is a local date on which the desk is closed.
type Holiday struct {
	Date time.Time // midnight UTC of that date
	Name string    // may be empty
}

func newCalendar(zone *time.Location, hours [daysPerWeek][]span, holidays []Holiday) *Calendar {
	var days [daysPerWeek][]span
	for wd, spans := range hours {
		if len(spans) > 0 {
			days[wd] = []span{{0, secondsPerDay}}
		}
	}
	holidays = slices.SortedFunc(slices.Values(holidays), func(a, b Holiday) int { return a.Date.Compare(b.Date) })
	closed := make([]int64, len(holidays))
	for i, h := range holidays {
		closed[i], _ = floorDiv(h.Date.Unix(), secondsPerDay)
	}
	return &Calendar{zone: zone, hours: newWeek(hours, closed), days: newWeek(days, closed), holidays: holidays}
}

// Zone returns the time zone of the calendar.
func (c *Calendar) Zone() *time.Location { return c.zone }

// Hours returns the opening hours of a weekday, such as "10:00-17:00"; none means closed.
func (c *Calendar) Hours(day time.Weekday) []string {
	var hours []string
	for _, s := range c.hours.spans[day] {
		hours = append(hours, fmt.Sprintf("%02d:%02d-%02d:%02d", s.start/3600, s.start/60%60, s.end/3600, s.end/60%60))
	}
	return hours
}

// Holidays returns the holidays in ascending order.
func (c *Calendar) Holidays() []Holiday { return slices.Clone(c.holidays) }

// Elapsed returns how much time counts between two instants, or 0 if to is not after from. It saturates at the longest
// Duration, about 292 years.
func (c *Calendar) Elapsed(counts CountingMode, from, to time.Time) time.Duration {
	at, end := clampInstant(from), clampInstant(to)
	if counts == CountCalendar {
		return seconds(end - at)
	}
	w := c.week(counts)
	if w == nil || !w.opens() {
		return 0
	}
	var open int64
	for at < end {
		next, offset := c.segment(at)
		next = min(next, end)
		open += w.openUntil(next+offset) - w.openUntil(at+offset)
		at = next
	}
	return seconds(open)
}

// Add returns the first instant from the given one on at which a budget is used up, in UTC: the end of Friday's hours
// rather than the start of Monday's. A budget of zero or less is used up at once. The error is ErrNeverOpens, or an
// unknown CountingMode.
func (c *Calendar) Add(counts CountingMode, from time.Time, budget time.Duration) (time.Time, error) {
	if budget <= 0 {
		return from.UTC(), nil
	}
	at, left := clampInstant(from), wholeSeconds(budget)
	if counts == CountCalendar {
		if at >= horizon-left {
			return time.Time{}, ErrNeverOpens
		}
		return time.Unix(at+left, 0).UTC(), nil
	}
	w := c.week(counts)
	if w == nil {
		return time.Time{}, fmt.Errorf("unknown counting %q", counts)
	}
	if !w.opens() {
		return time.Time{}, ErrNeverOpens
	}
	for at < horizon {
		next, offset := c.segment(at)
		next = min(next, horizon)
		start := w.openUntil(at + offset)
		open := w.openUntil(next+offset) - start
		if open >= left {
			return time.Unix(w.search(at+offset, next+offset, start+left)-offset, 0).UTC(), nil
		}
		at, left = next, left-open
	}
	return time.Time{}, ErrNeverOpens
}

// opening is an interval of open time, [from, to).
type opening struct{ from, to time.Time }

// openings returns the intervals of open time between two instants, in UTC. It returns false if there are more than
// limit.
func (c *Calendar) openings(from, to time.Time, limit int) ([]opening, bool) {
	var runs []opening
	for at := from; ; {
		first, err := c.Add(CountBusinessHours, at, time.Second)
		if err != nil {
			return runs, true
		}
		start := first.Add(-time.Second)
		if !start.Before(to) {
			return runs, true
		}
		next, offset := c.segment(start.Unix())
		at = time.Unix(min(next, c.hours.closesAt(start.Unix()+offset)-offset, to.Unix()), 0).UTC()
		if n := len(runs); n > 0 && runs[n-1].to.Equal(start) {
			runs[n-1].to = at
			continue
		}
		if len(runs) == limit {
			return nil, false
		}
		runs = append(runs, opening{start, at})
	}
}

// segment returns the UTC offset in effect at an instant, in seconds, and an instant until which it is certain to hold.
func (c *Calendar) segment(at int64) (end, offset int64) {
	local := time.Unix(at, 0).In(c.zone)
	_, seconds := local.Zone()
	_, bound := local.ZoneBounds()
	if bound.IsZero() {
		return max(at+1, horizon), int64(seconds)
	}
	end = bound.Unix()
	if end <= at {
		// On 31 December of a leap year, ZoneBounds returns the end of 30 December for a zone that follows a rule (see
		// tzset in time/zoneinfo.go). The offset holds until the year ends in UTC.
		end = time.Date(time.Unix(at, 0).UTC().Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC).Unix()
	}
	return end, int64(seconds)
}

// clampInstant limits an instant to a range in which the arithmetic cannot overflow and loops over segments end.
func clampInstant(t time.Time) int64 { return min(max(t.Unix(), -horizon), horizon) }

func (c *Calendar) week(counts CountingMode) *week {
	switch counts {
	case CountBusinessHours:
		return c.hours
	case CountBusinessDays:
		return c.days
	default:
		return nil
	}
}

// seconds returns a Duration of n seconds, clamped to [0, the longest Duration].
func seconds(n int64) time.Duration {
	return time.Duration(min(max(n, 0), math.MaxInt64/int64(time.Second))) * time.Second
}

// wholeSeconds rounds up, so that a deadline is never before its budget is used up.
func wholeSeconds(d time.Duration) int64 {
	whole := int64(d / time.Second)
	if d%time.Second > 0 {
		whole++
	}
	return whole
}

// CountingMode is which time uses up a clock's budget.
type CountingMode string

// The countings. A budget is a duration with 1d = 24h for each of them.
const (
	CountBusinessHours CountingMode = "business_hours" // while the desk is open
	CountBusinessDays  CountingMode = "business_days"  // on local days with opening hours that are not holidays, all day
	CountCalendar      CountingMode = "calendar"       // always
)

// CountingModes returns all countings.
func CountingModes() []CountingMode {
	return []CountingMode{CountBusinessHours, CountBusinessDays, CountCalendar}
}
