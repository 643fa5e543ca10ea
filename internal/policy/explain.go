package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxOpenings is the number of openings of the desk that an explanation still lists one by one.
const maxOpenings = 31

// Line is one line of the explanation of a deadline. From and To are equal, in UTC, for what happened at an instant.
type Line struct {
	From, To time.Time
	Act      Act // what happened at an instant; empty for a span, and for the last line
	Running  bool
	Reasons  []Reason
	Used     time.Duration // used up between From and To
	Total    time.Duration // used up by To
	Text     string        // one English sentence, in the calendar's zone
	Parts    []Part        // the same sentence, for whoever writes its times in another zone
}

// Part is a piece of a line's sentence: either words, or an instant (From and To are equal), or the span of the line.
type Part struct {
	Words    string
	From, To time.Time
}

// Explain tells how a clock came to its deadline, until an instant that may lie in the future: what happened to it, the
// spans that it ran (each opening of the desk, where they are few) and stood still, what each used up, and at the end
// the deadline, or why there is none. Nothing is listed after a promise was met, unless it was reopened.
func (c Clock) Explain(cal *Calendar, until time.Time) []Line {
	until = instant(until)
	past := slices.IndexFunc(c.Ledger, func(e Entry) bool { return e.At.After(until) })
	if past >= 0 {
		c = c.asOf(past)
	}
	c = c.AsSettled()
	s := story{cal: cal, until: until}
	if len(c.Ledger) == 0 {
		s.add(Line{From: until, To: until}, moment(until), words(": not started, so there is no deadline"))
		return s.lines
	}
	for i, e := range c.Ledger {
		then := c.asOf(i + 1)
		s.event(then, e)
		switch {
		case i+1 < len(c.Ledger):
			s.past(c, i)
		case !then.Settled() && until.After(e.At):
			s.stretch(then, e, until)
		}
	}
	s.closing(c)
	return s.lines
}

// story collects lines.
type story struct {
	cal   *Calendar
	until time.Time
	lines []Line
}

// add writes a line's sentence from its parts.
func (s *story) add(line Line, parts ...Part) {
	line.Parts = parts
	for _, p := range parts {
		switch {
		case p.From.IsZero():
			line.Text += p.Words
		case p.From.Equal(p.To):
			line.Text += s.at(p.From)
		default:
			line.Text += s.between(p.From, p.To)
		}
	}
	s.lines = append(s.lines, line)
}

func words(text string) Part { return Part{Words: text} }

func moment(t time.Time) Part { return Part{From: t, To: t} }

// event tells what an entry changed, where the spans around it do not show it.
func (s *story) event(then Clock, e Entry) {
	var what string
	switch e.Act {
	case ActStarted:
		what = "started with " + FormatBudget(then.Counts, e.By) + inWords(then.Counts)
	case ActExtended:
		what = FormatBudget(then.Counts, e.By.Abs()) + extended(e.By) + ", " + s.left(then, e.Used)
	case ActRetargeted:
		what = "the target is now " + FormatBudget(then.Counts, e.By) + ", " + s.left(then, e.Used)
	case ActSettled:
		what = "done, " + s.left(then, e.Used)
	case ActReopened:
		what = "reopened, " + s.left(then, e.Used)
	case ActAdopted:
		what = "another version of the policy, with " + FormatBudget(then.Counts, e.By) + inWords(then.Counts) + ", " + s.left(then, e.Used)
	case ActFolded:
		what = "earlier changes summed up, " + s.left(then, e.Used)
	default:
		return
	}
	line := Line{From: e.At, To: e.At, Act: e.Act, Running: then.Running(), Reasons: then.Reasons(), Total: e.Used}
	s.add(line, moment(e.At), words(": "+what))
}

func extended(by time.Duration) string {
	if by < 0 {
		return " taken back"
	}
	return " added"
}

// past tells what an entry's state used up until the next one. What was recorded stands: where the calendar, which may
// be another policy's or know newer rules of its zone, would count anything else now, the record is told in one line.
func (s *story) past(c Clock, i int) {
	then, e, next := c.asOf(i+1), c.Ledger[i], c.Ledger[i+1]
	if !next.At.After(e.At) {
		return
	}
	adopted := slices.ContainsFunc(c.Ledger[i+1:], func(e Entry) bool { return e.Act == ActAdopted })
	used := next.Used - e.Used
	if then.Running() && (adopted || s.cal.Elapsed(then.Counts, e.At, next.At) != used) {
		s.span(then, e.At, next.At, used, next.Used, s.running(then, used, next.Used))
		return
	}
	s.stretch(then, e, next.At)
}

// stretch tells what one entry's state used up until an instant.
func (s *story) stretch(then Clock, e Entry, to time.Time) {
	reasons := then.Reasons()
	switch {
	case len(reasons) > 0:
		s.span(then, e.At, to, 0, e.Used, "paused ("+reasonsInWords(reasons)+"), "+s.left(then, e.Used))
	case then.Counts == CountBusinessHours:
		s.openings(then, e, to)
	default:
		used := s.cal.Elapsed(then.Counts, e.At, to)
		s.span(then, e.At, to, used, e.Used+used, s.running(then, used, e.Used+used))
	}
}

func (s *story) openings(then Clock, e Entry, to time.Time) {
	runs, few := s.cal.openings(e.At, to, maxOpenings)
	switch {
	case !few:
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

func (s *story) span(then Clock, from, to time.Time, used, total time.Duration, what string) {
	line := Line{From: from, To: to, Running: then.Running(), Reasons: then.Reasons(), Used: used, Total: total}
	s.add(line, Part{From: from, To: to}, words(": "+what))
}

func (s *story) running(then Clock, used, total time.Duration) string {
	state := "running, "
	if then.Settled() {
		state = "done, but time goes on, "
	}
	return state + FormatBudget(then.Counts, used) + " used, " + s.left(then, total)
}

func (s *story) left(then Clock, used time.Duration) string {
	return leftOf(then.Counts, then.Budget()-used)
}

// closing states the deadline, or why there is none.
func (s *story) closing(c Clock) {
	used := c.Used(s.cal, s.until)
	if c.Settled() {
		used = c.last().Used
	}
	missed, late := c.missed(s.until)
	line := Line{From: s.until, To: s.until, Running: c.Running(), Reasons: c.Reasons(), Total: used}
	due, _ := c.Due()
	var told []Part
	switch {
	case c.Settled() && late:
		told = []Part{words("Promise met after its deadline, "), moment(missed)}
	case c.Settled():
		told = []Part{words("Promise met in time")}
	case !line.Running:
		told = []Part{words("No deadline while paused (" + reasonsInWords(line.Reasons) + "): " + s.left(c, used) + " for when it resumes")}
	case due.After(s.until):
		told = []Part{words("Deadline "), moment(due), words(", " + s.left(c, used))}
	default:
		told = []Part{words("Deadline passed, "), moment(due), words(", " + s.left(c, used))}
	}
	if late && !c.Settled() && !missed.Equal(due) {
		told = append(told, words("; an earlier one was missed, "), moment(missed))
	}
	s.add(line, told...)
}

// missed is the first deadline that passed while the promise was owed, before an instant.
func (c Clock) missed(until time.Time) (time.Time, bool) {
	for i, e := range c.Ledger {
		end := until
		if i+1 < len(c.Ledger) {
			end = c.Ledger[i+1].At
		}
		owed := !(Clock{Ledger: c.Ledger[:i+1]}).Settled() && !e.Due.IsZero()
		if owed && end.After(e.Due) {
			return e.Due, true
		}
	}
	return time.Time{}, false
}

// at writes an instant in the calendar's zone, with the year only if it is not the explanation's own.
func (s *story) at(t time.Time) string {
	local := t.In(s.cal.zone)
	return s.date(local) + " " + clockTime(local) + " " + local.Format("MST")
}

func (s *story) between(from, to time.Time) string {
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

func (s *story) date(local time.Time) string {
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

func leftOf(counts Counting, left time.Duration) string {
	if left < 0 {
		return FormatBudget(counts, -left) + " over"
	}
	return FormatBudget(counts, left) + " left"
}

func inWords(counts Counting) string {
	switch counts {
	case CountBusinessHours:
		return ", counted while the desk is open"
	case CountBusinessDays:
		return ", counted on business days, 24h each"
	default:
		return ", counted always"
	}
}

func reasonsInWords(reasons []Reason) string {
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
