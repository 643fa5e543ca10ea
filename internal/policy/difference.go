package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Difference is one change between two policy versions, in words for people. One side is empty for additions and
// removals.
type Difference struct {
	About string // such as "First response"
	Was   string
	Is    string
}

// String returns the difference on one line.
func (d Difference) String() string {
	switch {
	case d.Was == "":
		return d.About + " added: " + d.Is
	case d.Is == "":
		return d.About + " removed: " + d.Was
	default:
		return d.About + ": " + d.Was + " → " + d.Is
	}
}

// Differences returns the changes from an earlier policy to p, in document order. Formatting is ignored.
func (p *Policy) Differences(was *Policy) []Difference {
	d := &differences{was: was, is: p}
	d.compare("Name", was.Name, p.Name)
	d.compare("Contact", was.Contact, p.Contact)
	d.compare("Privacy policy", was.PrivacyURL, p.PrivacyURL)
	d.compare("Time zone", was.Zone.String(), p.Zone.String())
	d.hours()
	d.holidays()
	for _, name := range ClockNames() {
		d.clock(name)
	}
	d.compare("Priority chosen by", chooser(was), chooser(p))
	d.compare("Reminder to the requester", silent(was.Silence.NudgeAfter), silent(p.Silence.NudgeAfter))
	d.compare("Resolved without a reply", silent(was.Silence.ResolveAfter), silent(p.Silence.ResolveAfter))
	d.compare("Closed without a reply", silent(was.Silence.CloseAfter), silent(p.Silence.CloseAfter))
	d.lines("Escalation step", stepLines(was), stepLines(p))
	d.categories()
	d.lines("Assignment rule", ruleLines(was), ruleLines(p))
	return d.found
}

// differences accumulates the changes.
type differences struct {
	was, is *Policy
	found   []Difference
}

func (d *differences) compare(about, was, is string) {
	if was != is {
		d.found = append(d.found, Difference{about, was, is})
	}
}

func (d *differences) hours() {
	for i := range daysPerWeek {
		day := weekdayFromMonday(i)
		words := func(p *Policy) string { return cmp.Or(strings.Join(p.Calendar.Hours(day), " and "), "closed") }
		d.compare(day.String(), words(d.was), words(d.is))
	}
}

// holidays reports added and removed days; consecutive days with the same name are combined.
func (d *differences) holidays() {
	for _, side := range []struct{ of, other *Policy }{{d.was, d.is}, {d.is, d.was}} {
		var own []Holiday
		for _, h := range side.of.Calendar.holidays {
			if !slices.Contains(side.other.Calendar.holidays, h) {
				own = append(own, h)
			}
		}
		for _, run := range runs(own) {
			if side.of == d.was {
				d.compare("Holiday", run, "")
			} else {
				d.compare("Holiday", "", run)
			}
		}
	}
}

// runs formats holidays in ascending order; consecutive days with the same name are combined.
func runs(holidays []Holiday) []string {
	const layout = "Mon 2 Jan 2006"
	var all []string
	for i := 0; i < len(holidays); {
		last := i
		for last+1 < len(holidays) && holidays[last+1].Name == holidays[i].Name && holidays[last+1].Date.Sub(holidays[last].Date) == day {
			last++
		}
		text := holidays[i].Date.Format(layout)
		if last > i {
			text += " to " + holidays[last].Date.Format(layout)
		}
		if holidays[i].Name != "" {
			text += ", " + holidays[i].Name
		}
		all = append(all, text)
		i = last + 1
	}
	return all
}

var clockTitles = map[ClockName]string{FirstResponse: "First response", Resolution: "Resolution"}

func (d *differences) clock(name ClockName) {
	was, is, title := d.was.Clocks[name], d.is.Clocks[name], clockTitles[name]
	d.compare(title, budgetText(was.Counts, was.Target), budgetText(is.Counts, is.Target))
	for _, priority := range Priorities() {
		_, had := d.was.Priorities[priority][name]
		_, has := d.is.Priorities[priority][name]
		if had || has {
			d.compare(title+" at "+string(priority)+" priority",
				budgetText(was.Counts, d.was.Target(name, priority)), budgetText(is.Counts, d.is.Target(name, priority)))
		}
	}
	d.compare(title+" reminder to the agent", reminder(was.RemindAt), reminder(is.RemindAt))
	d.compare(title+" paused", pauses(was.Pauses), pauses(is.Pauses))
}

// budgetText returns a target and how it is counted.
func budgetText(counts CountingMode, d time.Duration) string {
	switch {
	case counts == CountBusinessHours:
		return durationText(counts, d) + " during opening hours"
	case counts == CountBusinessDays && d == day:
		return "1 business day"
	case counts == CountBusinessDays && d%day == 0:
		return fmt.Sprintf("%d business days", d/day)
	case counts == CountBusinessDays:
		return durationText(counts, d) + " on business days"
	default:
		return durationText(counts, d)
	}
}

func reminder(percent int) string {
	if percent == 0 {
		return "none"
	}
	return fmt.Sprintf("at %d%%", percent)
}

func pauses(reasons []Reason) string {
	sorted := slices.Sorted(slices.Values(reasons))
	if len(sorted) == 0 {
		return "only during an emergency"
	}
	return "while " + strings.ReplaceAll(reasonsText(sorted), ", ", " or ")
}

func chooser(p *Policy) string {
	if p.CustomersChoosePriority {
		return "the requester"
	}
	return "staff"
}

func silent(d time.Duration) string {
	if d == 0 {
		return "never"
	}
	return "after " + durationText(CountCalendar, d)
}

// line is an escalation step or a rule: in words, and in the document's terms in case the words are equal.
type line struct{ words, exact string }

// lines compares by position, which identifies an escalation step.
func (d *differences) lines(about string, was, is []line) {
	for i := range max(len(was), len(is)) {
		var a, b line
		if i < len(was) {
			a = was[i]
		}
		if i < len(is) {
			b = is[i]
		}
		title := fmt.Sprintf("%s %d", about, i+1)
		if a.words == b.words {
			d.compare(title, a.exact, b.exact)
			continue
		}
		d.compare(title, a.words, b.words)
	}
}

func stepLines(p *Policy) []line {
	var all []line
	for _, step := range p.Escalation {
		all = append(all, line{strings.TrimSuffix(step.describe(), "."), step.summary()})
	}
	return all
}

func ruleLines(p *Policy) []line {
	var all []line
	for i, words := range p.DescribeAssignment() {
		all = append(all, line{strings.TrimSuffix(words, "."), p.Assignment[i].summary()})
	}
	return all
}

// categories reports added and removed categories, and a change of order if that is all: the first category is the
// default.
func (d *differences) categories() {
	kept := func(of, by *Policy) (kept []string) {
		for _, c := range of.Categories {
			if slices.Contains(by.Categories, c) {
				kept = append(kept, c)
			}
		}
		return kept
	}
	for _, c := range d.was.Categories {
		if !slices.Contains(d.is.Categories, c) {
			d.compare("Category", c, "")
		}
	}
	for _, c := range d.is.Categories {
		if !slices.Contains(d.was.Categories, c) {
			d.compare("Category", "", c)
		}
	}
	if !slices.Equal(kept(d.was, d.is), kept(d.is, d.was)) || d.was.Categories[0] != d.is.Categories[0] {
		d.compare("Order of categories", strings.Join(d.was.Categories, ", "), strings.Join(d.is.Categories, ", "))
	}
}
