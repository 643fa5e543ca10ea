package policy

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// maxHolidays bounds the total number of holidays, so that a mistyped end year is caught.
const maxHolidays = 3660

// maxWeeks bounds how long a target may take without holidays: twenty years.
const maxWeeks = 20 * 52

func (p *parser) week(n *yaml.Node, path string) {
	var fields []field
	for i := range daysPerWeek {
		wd := time.Weekday((i + 1) % daysPerWeek) // weeks start on Monday
		fields = append(fields, field{key: strings.ToLower(wd.String()), read: func(n *yaml.Node, path string) {
			p.hours[wd] = p.day(n, path)
		}})
	}
	p.mapping(n, path, fields...)
}

// day reads the spans of one weekday, in any order; an empty list means closed.
func (p *parser) day(n *yaml.Node, path string) []span {
	type written struct {
		span
		node *yaml.Node
		path string
	}
	var all []written
	p.list(n, path, 100, func(n *yaml.Node, path string) {
		if s, ok := p.span(n, path); ok {
			all = append(all, written{s, n, path})
		}
	})
	slices.SortStableFunc(all, func(a, b written) int { return cmp.Compare(a.start, b.start) })
	var spans []span
	for i, w := range all {
		if i > 0 && w.start < all[i-1].end {
			p.errorf(w.node, w.path, "%s overlaps %s", w.node.Value, all[i-1].node.Value)
		}
		spans = append(spans, w.span)
	}
	return spans
}

var spanText = regexp.MustCompile(`^(\d\d):(\d\d)-(\d\d):(\d\d)$`)

func (p *parser) span(n *yaml.Node, path string) (span, bool) {
	const want = `opening hours such as "10:00-17:00"`
	text, ok := p.scalar(n, path, want)
	if !ok {
		return span{}, false
	}
	m := spanText.FindStringSubmatch(text)
	if m == nil {
		p.errorf(n, path, "%.40q must be %s", text, want)
		return span{}, false
	}
	start, startOK := timeOfDay(m[1], m[2])
	end, endOK := timeOfDay(m[3], m[4])
	switch {
	case !startOK || start == secondsPerDay:
		p.errorf(n, path, "%s:%s is not a time of day", m[1], m[2])
	case !endOK:
		p.errorf(n, path, "%s:%s is not a time of day (the end of a day is 24:00)", m[3], m[4])
	case end <= start:
		p.errorf(n, path, "%s ends before it starts; split hours over midnight into two spans, until 24:00 and from 00:00 on the next day", text)
	default:
		return span{start, end}, true
	}
	return span{}, false
}

// timeOfDay returns seconds since midnight, up to 24:00.
func timeOfDay(hour, minute string) (int64, bool) {
	h, _ := strconv.ParseInt(hour, 10, 64)
	m, _ := strconv.ParseInt(minute, 10, 64)
	return h*3600 + m*60, h < 24 && m < 60 || h == 24 && m == 0
}

// holidays reads {date, until, name}; until is the last day and optional.
func (p *parser) holidays(n *yaml.Node, path string) {
	lines := map[time.Time]int{}
	p.list(n, path, maxHolidays, func(n *yaml.Node, path string) {
		var name string
		var from, until time.Time
		var last *yaml.Node
		p.mapping(n, path,
			field{key: "date", required: true, read: func(n *yaml.Node, path string) { from = p.date(n, path) }},
			field{key: "until", read: func(n *yaml.Node, path string) { last, until = n, p.date(n, path) }},
			field{key: "name", read: func(n *yaml.Node, path string) { name, _ = p.text(n, path, 200) }},
		)
		switch {
		case from.IsZero() || last != nil && until.IsZero():
			return
		case last == nil:
			until = from
		case until.Before(from):
			p.errorf(last, join(path, "until"), "is before the date %s", from.Format(time.DateOnly))
			return
		}
		if int(until.Sub(from)/day)+len(p.closed) >= maxHolidays {
			p.errorf(n, path, "exceeds %d days of holidays", maxHolidays)
			return
		}
		for d := from; !d.After(until); d = d.AddDate(0, 0, 1) {
			if line, again := lines[d]; again {
				p.errorf(n, path, "%s is a holiday already, on line %d", d.Format(time.DateOnly), line)
				return
			}
			lines[d] = n.Line
			p.closed = append(p.closed, Holiday{Date: d, Name: name})
		}
	})
}

// date returns midnight UTC of a day between 1970 and 9999, or the zero time if it is invalid.
func (p *parser) date(n *yaml.Node, path string) time.Time {
	text, ok := p.scalar(n, path, "a date such as 2026-12-25")
	if !ok {
		return time.Time{}
	}
	date, err := time.Parse(time.DateOnly, text)
	if err != nil || date.Year() < 1970 {
		p.errorf(n, path, "%.40q is not a date such as 2026-12-25", text)
		return time.Time{}
	}
	return date
}

// duration reads a duration that may be zero.
func (p *parser) duration(n *yaml.Node, path string) time.Duration {
	text, ok := p.scalar(n, path, "a duration such as 72h")
	if !ok {
		return 0
	}
	d, err := ParseDuration(text)
	switch {
	case err != nil:
		p.errorf(n, path, "%s", err)
	case d > maxDuration:
		p.errorf(n, path, "%s is longer than %s", text, FormatDuration(maxDuration))
	default:
		return d
	}
	return 0
}

func (p *parser) positive(n *yaml.Node, path string) time.Duration {
	before := len(p.problems)
	d := p.duration(n, path)
	if d == 0 && len(p.problems) == before {
		p.errorf(n, path, "must be longer than zero")
	}
	return d
}

var percentText = regexp.MustCompile(`^([1-9][0-9]?)%$`)

func (p *parser) percent(n *yaml.Node, path string) int {
	text, ok := p.scalar(n, path, "a percentage such as 75%")
	if !ok {
		return 0
	}
	m := percentText.FindStringSubmatch(text)
	if m == nil {
		p.errorf(n, path, "%.40q must be a percentage from 1%% to 99%%", text)
		return 0
	}
	percent, _ := strconv.Atoi(m[1])
	return percent
}

// checkReach rejects targets that opening hours can never or hardly ever use up, so that no deadline can fail with
// ErrNeverOpens later.
func (p *parser) checkReach() {
	if slices.ContainsFunc(p.problems, func(problem Problem) bool { return strings.HasPrefix(problem.Path, "hours") }) {
		return // invalid hours do not mean closed
	}
	for _, clock := range ClockNames() {
		n, rule := p.clocks[clock], p.policy.Clocks[clock]
		if n == nil || rule.Counts != CountBusinessHours && rule.Counts != CountBusinessDays {
			continue
		}
		longest := rule.Target
		for _, targets := range p.policy.Priorities {
			longest = max(longest, targets[clock])
		}
		calendar := newCalendar(time.UTC, p.hours, nil)
		path := join("clocks", string(clock))
		switch weekly := calendar.week(rule.Counts).before[daysPerWeek]; {
		case weekly == 0:
			p.errorf(n, path, "counts %s, but no day has opening hours", rule.Counts)
		case int64(longest/time.Second)/weekly > maxWeeks:
			p.errorf(n, path, "%s would take more than twenty years of %s", FormatDuration(longest), rule.Counts)
		}
	}
}
