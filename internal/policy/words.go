package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Section is a part of a policy in words, for the people it is promised to.
type Section struct {
	Title string
	Lines []string // whole sentences, plain text
}

// Words tells a policy in sentences: when the desk is open, what it promises, and what happens when somebody is silent
// or a promise is broken. Times of day are in the policy's zone.
func (p *Policy) Words() []Section {
	sections := []Section{
		{"Opening hours", p.HoursInWords()},
		{"Holidays", p.holidaysInWords()},
		{"The first answer", p.promiseInWords(FirstResponse)},
		{"The resolution", p.promiseInWords(Resolution)},
		{"If we do not hear from you", p.Silence.inWords()},
		{"If we break a promise", p.escalationInWords()},
		{"What you can write about", p.submissionInWords()},
	}
	if len(p.Assignment) > 0 {
		sections = append(sections, Section{"Who gets your ticket", p.AssignmentsInWords()})
	}
	return sections
}

// HoursInWords tells when the desk is open, in sentences. It joins neighbouring days that have the same hours.
func (p *Policy) HoursInWords() []string {
	if !p.Calendar.hours.opens() {
		return []string{"This policy names no opening hours."}
	}
	var open, closed []string
	for i := 0; i < daysPerWeek; {
		hours := strings.Join(p.Calendar.Hours(weekdayFromMonday(i)), " and ")
		last := i
		for last+1 < daysPerWeek && strings.Join(p.Calendar.Hours(weekdayFromMonday(last+1)), " and ") == hours {
			last++
		}
		days := daysInWords(i, last)
		if hours == "" {
			closed = append(closed, days)
		} else {
			open = append(open, days+": "+strings.ReplaceAll(hours, "-", " to ")+".")
		}
		i = last + 1
	}
	if len(closed) > 0 {
		open = append(open, "Closed: "+strings.Join(closed, ", ")+".")
	}
	return append(open, fmt.Sprintf("Times of day are in the zone %s.", p.Zone))
}

func weekdayFromMonday(i int) time.Weekday { return time.Weekday((i + 1) % daysPerWeek) }

func daysInWords(first, last int) string {
	switch a, b := weekdayFromMonday(first).String(), weekdayFromMonday(last).String(); last - first {
	case 0:
		return a
	case 1:
		return a + " and " + b
	case daysPerWeek - 1:
		return "Every day"
	default:
		return a + " to " + b
	}
}

func (p *Policy) holidaysInWords() []string {
	if len(p.Calendar.holidays) == 0 {
		return []string{"This policy names no holidays."}
	}
	var lines []string
	for _, h := range p.Calendar.holidays {
		line := h.Date.Format("Monday 2 January 2006")
		if h.Name != "" {
			line += ", " + h.Name
		}
		lines = append(lines, line+".")
	}
	return lines
}

// InOneLine tells one promise in a sentence, as it is made to a ticket of normal priority.
func (p *Policy) InOneLine(name ClockName) string {
	opening := "A person answers you within "
	if name == Resolution {
		opening = "We strive to resolve your ticket within "
	}
	counts := p.Clocks[name].Counts
	return opening + lengthInWords(counts, p.Target(name, PriorityNormal)) + ", " + countingInWords(counts) + "."
}

func (p *Policy) promiseInWords(name ClockName) []string {
	rule := p.Clocks[name]
	lines := []string{p.InOneLine(name)}
	for _, priority := range slices.Backward(Priorities()) {
		if target := p.Target(name, priority); target != p.Target(name, PriorityNormal) {
			lines = append(lines, fmt.Sprintf("For %s priority it is %s.", priority, lengthInWords(rule.Counts, target)))
		}
	}
	if name == FirstResponse {
		lines = append(lines, "You have it by the date that we name for the resolution at the latest.")
		lines = append(lines, "Mails that are sent automatically do not count as an answer.")
	}
	var pauses []string
	if slices.Contains(rule.Pauses, ReasonWaiting) {
		pauses = append(pauses, "while your ticket waits for your answer")
	}
	if slices.Contains(rule.Pauses, ReasonResolved) {
		pauses = append(pauses, "while it is resolved")
	}
	if len(pauses) > 0 {
		lines = append(lines, "This time stands still "+strings.Join(pauses, ", and ")+".")
	}
	return lines
}

func countingInWords(counts Counting) string {
	switch counts {
	case CountBusinessHours:
		return "counted only while we are open"
	case CountBusinessDays:
		return "counted through the whole of every day on which we are open"
	default:
		return "counted day and night, every day"
	}
}

func (s Silence) inWords() []string {
	var lines []string
	if s.NudgeAfter > 0 {
		lines = append(lines, fmt.Sprintf("When we have asked you for something, we remind you after %s.", lengthInWords(CountCalendar, s.NudgeAfter)))
	}
	if s.ResolveAfter > 0 {
		lines = append(lines, fmt.Sprintf("Without an answer we mark your ticket as resolved after %s.", lengthInWords(CountCalendar, s.ResolveAfter)))
	}
	if s.CloseAfter > 0 {
		lines = append(lines, fmt.Sprintf("A resolved ticket opens again when you write. After %s without a word it closes for good.", lengthInWords(CountCalendar, s.CloseAfter)))
	}
	if len(lines) == 0 {
		return []string{"Your ticket waits for you as long as it takes."}
	}
	return lines
}

func (p *Policy) submissionInWords() []string {
	chosen := "We choose the priority of your ticket."
	if p.CustomersChoosePriority {
		chosen = "You choose the priority of your ticket."
	}
	return []string{"Categories: " + strings.Join(p.Categories, ", ") + ".", chosen}
}

// enumerate joins words as a sentence does: a, b and c.
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// HoursInWords writes a length out that is added to budgets however they are counted: it has no days, since a day of
// business hours is no 24 hours.
func HoursInWords(d time.Duration) string { return lengthInWords(CountBusinessHours, d) }

// InWords writes a stretch of calendar time out: "7 days".
func InWords(d time.Duration) string { return lengthInWords(CountCalendar, d) }

// lengthInWords writes a duration out. Business hours stay hours: 24 of them are no day.
func lengthInWords(counts Counting, d time.Duration) string {
	names := []string{"day", "hour", "minute", "second"}
	var parts []string
	for i, unit := range units {
		if i == 0 && counts == CountBusinessHours {
			continue
		}
		n := d / unit.length
		d -= n * unit.length
		switch {
		case n == 1:
			parts = append(parts, "1 "+names[i])
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, names[i]))
		}
	}
	if len(parts) == 0 {
		return "no time"
	}
	return enumerate(parts)
}
