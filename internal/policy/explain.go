package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxOpenings is the maximum number of openings that an explanation lists individually.
const maxOpenings = 31

// Line is one line in the explanation of a deadline. From and To are equal for an event. Both are in UTC.
type Line struct {
	From, To time.Time
	Kind     EntryKind // kind of an event; empty for an interval and for the last line
	Running  bool
	Reasons  []Reason
	Used     time.Duration // used up between From and To
	Total    time.Duration // used up by To
	Text     string        // one English sentence, in the calendar's zone
	Parts    []Part        // the same sentence, for rendering its times in another zone
}

// Part is a piece of a line's sentence: text, an instant (From equals To), or an interval.
type Part struct {
	Text     string
	From, To time.Time
}

// Explain returns how the deadline of a clock came about, until an instant that may be in the future: the events, the
// intervals in which it was running (each opening of the desk, unless there are many) or paused, how much each used up,
// and finally the deadline or why there is none. Nothing after the target was met is listed, unless the clock was
// reopened.
func (c Clock) Explain(cal *Calendar, until time.Time) []Line {
	until = instant(until)
	later := slices.IndexFunc(c.Ledger, func(e LedgerEntry) bool { return e.At.After(until) })
	if later >= 0 {
		c = c.asOf(later)
	}
	c = c.AsMet()
	s := explanation{cal: cal, until: until}
	if len(c.Ledger) == 0 {
		s.add(Line{From: until, To: until}, instantPart(until), textPart(": not started, so there is no deadline"))
		return s.lines
	}
	for i, e := range c.Ledger {
		then := c.asOf(i + 1)
		s.event(then, e)
		switch {
		case i+1 < len(c.Ledger):
			s.recordedInterval(c, i)
		case !then.Met() && until.After(e.At):
			s.interval(then, e, until)
		}
	}
	s.conclusion(c)
	return s.lines
}

// explanation accumulates lines.
type explanation struct {
	cal   *Calendar
	until time.Time
	lines []Line
}

// add appends a line and renders its text from parts.
func (s *explanation) add(line Line, parts ...Part) {
	line.Parts = parts
	for _, p := range parts {
		switch {
		case p.From.IsZero():
			line.Text += p.Text
		case p.From.Equal(p.To):
			line.Text += s.at(p.From)
		default:
			line.Text += s.between(p.From, p.To)
		}
	}
	s.lines = append(s.lines, line)
}

func textPart(text string) Part { return Part{Text: text} }

func instantPart(t time.Time) Part { return Part{From: t, To: t} }

// event describes an entry whose effect is not visible in the intervals around it.
func (s *explanation) event(then Clock, e LedgerEntry) {
	var what string
	switch e.Kind {
	case EntryStarted:
		what = "started with " + FormatBudget(then.Counts, e.By) + describeCounting(then.Counts)
	case EntryExtended:
		what = FormatBudget(then.Counts, e.By.Abs()) + extended(e.By) + ", " + s.left(then, e.Used)
	case EntryRetargeted:
		what = "the target is now " + FormatBudget(then.Counts, e.By) + ", " + s.left(then, e.Used)
	case EntryStopped:
		what = "target met, " + s.left(then, e.Used)
	case EntryReopened:
		what = "reopened, " + s.left(then, e.Used)
	case EntryAdopted:
		what = "policy version changed, with " + FormatBudget(then.Counts, e.By) + describeCounting(then.Counts) + ", " + s.left(then, e.Used)
	case EntryCompacted:
		what = "earlier changes combined, " + s.left(then, e.Used)
	default:
		return
	}
	line := Line{From: e.At, To: e.At, Kind: e.Kind, Running: then.Running(), Reasons: then.Reasons(), Total: e.Used}
	s.add(line, instantPart(e.At), textPart(": "+what))
}

func extended(by time.Duration) string {
	if by < 0 {
		return " removed"
	}
	return " added"
}

// recordedInterval describes the interval between entry i and the next. Recorded usage is never recomputed: if the
// calendar, which may belong to another version or know newer zone rules, yields a different value, the interval is
// described in one line.
func (s *explanation) recordedInterval(c Clock, i int) {
	then, e, next := c.asOf(i+1), c.Ledger[i], c.Ledger[i+1]
	if !next.At.After(e.At) {
		return
	}
	adopted := slices.ContainsFunc(c.Ledger[i+1:], func(e LedgerEntry) bool { return e.Kind == EntryAdopted })
	used := next.Used - e.Used
	if then.Running() && (adopted || s.cal.Elapsed(then.Counts, e.At, next.At) != used) {
		s.span(then, e.At, next.At, used, next.Used, s.running(then, used, next.Used))
		return
	}
	s.interval(then, e, next.At)
}

// interval describes the interval from an entry until an instant.
func (s *explanation) interval(then Clock, e LedgerEntry, to time.Time) {
	reasons := then.Reasons()
	switch {
	case len(reasons) > 0:
		s.span(then, e.At, to, 0, e.Used, "paused ("+reasonsText(reasons)+"), "+s.left(then, e.Used))
	case then.Counts == CountBusinessHours:
		s.openings(then, e, to)
	default:
		used := s.cal.Elapsed(then.Counts, e.At, to)
		s.span(then, e.At, to, used, e.Used+used, s.running(then, used, e.Used+used))
	}
}

func (s *explanation) openings(then Clock, e LedgerEntry, to time.Time) {
	runs, ok := s.cal.openings(e.At, to, maxOpenings)
	switch {
	case !ok:
		used := s.cal.Elapsed(then.Counts, e.At, to)
		s.span(then, e.At, to, used, e.Used+used, s.running(then, used, e.Used+used))
		return
	case len(runs) == 0:
		s.span(then, e.At, to, 0, e.Used, "outside opening hours, "+s.left(then, e.Used))
		return
	}
	total := e.Used
	for _, run := range runs {
		used := run.to.Sub(run.from)
		total += used
		s.span(then, run.from, run.to, used, total, s.running(then, used, total))
	}
}

func (s *explanation) span(then Clock, from, to time.Time, used, total time.Duration, what string) {
	line := Line{From: from, To: to, Running: then.Running(), Reasons: then.Reasons(), Used: used, Total: total}
	s.add(line, Part{From: from, To: to}, textPart(": "+what))
}

func (s *explanation) running(then Clock, used, total time.Duration) string {
	state := "running, "
	if then.Met() {
		state = "target met, still running, "
	}
	return state + FormatBudget(then.Counts, used) + " used, " + s.left(then, total)
}

func (s *explanation) left(then Clock, used time.Duration) string {
	return leftOf(then.Counts, then.Budget()-used)
}

// conclusion adds the deadline, or why there is none.
func (s *explanation) conclusion(c Clock) {
	used := c.Used(s.cal, s.until)
	if c.Met() {
		used = c.last().Used
	}
	missed, late := c.missed(s.until)
	line := Line{From: s.until, To: s.until, Running: c.Running(), Reasons: c.Reasons(), Total: used}
	due, _ := c.Due()
	var parts []Part
	switch {
	case c.Met() && late:
		parts = []Part{textPart("Target met after the deadline, "), instantPart(missed)}
	case c.Met():
		parts = []Part{textPart("Target met on time")}
	case !line.Running:
		parts = []Part{textPart("No deadline while paused (" + reasonsText(line.Reasons) + "): " + s.left(c, used) + " when it resumes")}
	case due.After(s.until):
		parts = []Part{textPart("Deadline "), instantPart(due), textPart(", " + s.left(c, used))}
	default:
		parts = []Part{textPart("Deadline passed, "), instantPart(due), textPart(", " + s.left(c, used))}
	}
	if late && !c.Met() && !missed.Equal(due) {
		parts = append(parts, textPart("; an earlier deadline was missed, "), instantPart(missed))
	}
	s.add(line, parts...)
}

// missed returns the first deadline that passed before an instant while the target was not met.
func (c Clock) missed(until time.Time) (time.Time, bool) {
	for i, e := range c.Ledger {
		end := until
		if i+1 < len(c.Ledger) {
			end = c.Ledger[i+1].At
		}
		open := !(Clock{Ledger: c.Ledger[:i+1]}).Met() && !e.Due.IsZero()
		if open && end.After(e.Due) {
			return e.Due, true
		}
	}
	return time.Time{}, false
}

// at formats an instant in the calendar's zone, with the year only if it differs from that of the explanation.
func (s *explanation) at(t time.Time) string {
	local := t.In(s.cal.zone)
	return s.date(local) + " " + clockTime(local) + " " + local.Format("MST")
}

func (s *explanation) between(from, to time.Time) string {
	a, b := from.In(s.cal.zone), to.In(s.cal.zone)
	start := s.date(a) + " " + clockTime(a)
	if a.Format("MST") != b.Format("MST") {
		start += " " + a.Format("MST")
	}
	if a.Format(time.DateOnly) == b.Format(time.DateOnly) {
		return start + " to " + clockTime(b) + " " + b.Format("MST")
	}
	return start + " to " + s.at(to)
}

func (s *explanation) date(local time.Time) string {
	if local.Year() == s.until.In(s.cal.zone).Year() {
		return local.Format("Mon 2 Jan")
	}
	return local.Format("Mon 2 Jan 2006")
}

func clockTime(local time.Time) string {
	if local.Second() == 0 {
		return local.Format("15:04")
	}
	return local.Format(time.TimeOnly)
}

func leftOf(counts CountingMode, left time.Duration) string {
	if left < 0 {
		return FormatBudget(counts, -left) + " over"
	}
	return FormatBudget(counts, left) + " left"
}

func describeCounting(counts CountingMode) string {
	switch counts {
	case CountBusinessHours:
		return ", counted during opening hours"
	case CountBusinessDays:
		return ", counted on business days, 24h each"
	default:
		return ", counted around the clock"
	}
}

func reasonsText(reasons []Reason) string {
	words := make([]string, len(reasons))
	for i, r := range reasons {
		switch r {
		case ReasonWaiting:
			words[i] = "waiting for the requester"
		case ReasonResolved:
			words[i] = "resolved"
		case ReasonEmergency:
			words[i] = "emergency"
		default:
			words[i] = fmt.Sprintf("%q", string(r))
		}
	}
	return strings.Join(words, ", ")
}
