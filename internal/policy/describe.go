package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Section is a part of a policy in plain English, for customers.
type Section struct {
	Title string
	Lines []string // sentences, plain text
}

// Describe describes the policy in sentences: opening hours, targets, and what happens without a reply or after a breach.
// Times are in the policy's zone.
func (p *Policy) Describe() []Section {
	sections := []Section{
		{"Opening hours", p.DescribeHours()},
		{"Holidays", p.describeHolidays()},
		{"First response", p.describeTarget(FirstResponse)},
		{"Resolution", p.describeTarget(Resolution)},
		{"If we don't hear from you", p.Silence.describe()},
		{"If we miss a target", p.describeEscalation()},
		{"What you can contact us about", p.describeSubmission()},
	}
	if len(p.Assignment) > 0 {
		sections = append(sections, Section{"Who handles your ticket", p.DescribeAssignment()})
	}
	return sections
}

// DescribeHours describes the opening hours. Consecutive days with the same hours are combined.
func (p *Policy) DescribeHours() []string {
	if !p.Calendar.hours.opens() {
		return []string{"This policy does not specify opening hours."}
	}
	var open, closed []string
	for i := 0; i < daysPerWeek; {
		hours := strings.Join(p.Calendar.Hours(weekdayFromMonday(i)), " and ")
		last := i
		for last+1 < daysPerWeek && strings.Join(p.Calendar.Hours(weekdayFromMonday(last+1)), " and ") == hours {
			last++
		}
		days := daysText(i, last)
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
	return append(open, fmt.Sprintf("Times are in the time zone %s.", p.Zone))
}

func weekdayFromMonday(i int) time.Weekday { return time.Weekday((i + 1) % daysPerWeek) }

func daysText(first, last int) string {
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

func (p *Policy) describeHolidays() []string {
	if len(p.Calendar.holidays) == 0 {
		return []string{"This policy does not specify holidays."}
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

// DescribeTarget describes a target at normal priority in one sentence.
func (p *Policy) DescribeTarget(name ClockName) string {
	opening := "You will receive a first response within "
	if name == Resolution {
		opening = "We aim to resolve your ticket within "
	}
	counts := p.Clocks[name].Counts
	return opening + durationText(counts, p.Target(name, PriorityNormal)) + ", " + countingText(counts) + "."
}

func (p *Policy) describeTarget(name ClockName) []string {
	rule := p.Clocks[name]
	lines := []string{p.DescribeTarget(name)}
	for _, priority := range slices.Backward(Priorities()) {
		if target := p.Target(name, priority); target != p.Target(name, PriorityNormal) {
			lines = append(lines, fmt.Sprintf("For %s priority: %s.", priority, durationText(rule.Counts, target)))
		}
	}
	if name == FirstResponse {
		lines = append(lines, "You will receive it no later than the date given for the resolution.")
		lines = append(lines, "Automatic emails do not count as a response.")
	}
	var pauses []string
	if slices.Contains(rule.Pauses, ReasonWaiting) {
		pauses = append(pauses, "while we are waiting for your reply")
	}
	if slices.Contains(rule.Pauses, ReasonResolved) {
		pauses = append(pauses, "while your ticket is resolved")
	}
	if len(pauses) > 0 {
		lines = append(lines, "The clock is paused "+strings.Join(pauses, " and ")+".")
	}
	return lines
}

func countingText(counts CountingMode) string {
	switch counts {
	case CountBusinessHours:
		return "counted during opening hours"
	case CountBusinessDays:
		return "counted on business days, 24 hours each"
	default:
		return "counted around the clock"
	}
}

func (s Silence) describe() []string {
	var lines []string
	if s.NudgeAfter > 0 {
		lines = append(lines, fmt.Sprintf("If we have asked you for information, we send a reminder after %s.", durationText(CountCalendar, s.NudgeAfter)))
	}
	if s.ResolveAfter > 0 {
		lines = append(lines, fmt.Sprintf("Without a reply, your ticket is resolved after %s.", durationText(CountCalendar, s.ResolveAfter)))
	}
	if s.CloseAfter > 0 {
		lines = append(lines, fmt.Sprintf("A resolved ticket reopens when you reply. After %s without a reply, it is closed permanently.", durationText(CountCalendar, s.CloseAfter)))
	}
	if len(lines) == 0 {
		return []string{"Your ticket stays open until you reply."}
	}
	return lines
}

func (p *Policy) describeSubmission() []string {
	chosen := "We choose the priority of your ticket."
	if p.CustomersChoosePriority {
		chosen = "You choose the priority of your ticket."
	}
	return []string{"Categories: " + strings.Join(p.Categories, ", ") + ".", chosen}
}

// enumerate joins words as in a sentence: a, b and c.
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// FormatHours formats an extension, whatever its clock counts: without days, because a business day does not have 24
// hours.
func FormatHours(d time.Duration) string { return durationText(CountBusinessHours, d) }

// FormatDays formats a duration of calendar time, such as "7 days".
func FormatDays(d time.Duration) string { return durationText(CountCalendar, d) }

// durationText formats a duration in words. Business hours are not converted to days.
func durationText(counts CountingMode, d time.Duration) string {
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
