package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Difference is one thing that a version says otherwise than another, in words for people. One side is empty where
// something was added or removed.
type Difference struct {
	About string // such as "First response"
	Was   string
	Is    string
}

// String is the difference on one line.
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

// Differences tells everything that p says otherwise than an earlier policy, in the order of the document. Whatever a
// document can say is compared; how it is written is not.
func (p *Policy) Differences(was *Policy) []Difference {
	d := &differences{was: was, is: p}
	d.said("Name", was.Name, p.Name)
	d.said("Contact", was.Contact, p.Contact)
	d.said("Privacy policy", was.PrivacyURL, p.PrivacyURL)
	d.said("Time zone", was.Zone.String(), p.Zone.String())
	d.hours()
	d.holidays()
	for _, name := range ClockNames() {
		d.clock(name)
	}
	d.said("Who chooses the priority", chooser(was), chooser(p))
	d.said("Reminder to a silent requester", silent(was.Silence.NudgeAfter), silent(p.Silence.NudgeAfter))
	d.said("Resolved without an answer", silent(was.Silence.ResolveAfter), silent(p.Silence.ResolveAfter))
	d.said("Closed without a word", silent(was.Silence.CloseAfter), silent(p.Silence.CloseAfter))
	d.lines("Escalation, rung", rungLines(was), rungLines(p))
	d.categories()
	d.lines("Who gets a ticket, rule", ruleLines(was), ruleLines(p))
	return d.found
}

// differences collects what is found.
type differences struct {
	was, is *Policy
	found   []Difference
}

func (d *differences) said(about, was, is string) {
	if was != is {
		d.found = append(d.found, Difference{about, was, is})
	}
}

func (d *differences) hours() {
	for i := range daysPerWeek {
		day := weekdayFromMonday(i)
		words := func(p *Policy) string { return cmp.Or(strings.Join(p.Calendar.Hours(day), " and "), "closed") }
		d.said(day.String(), words(d.was), words(d.is))
	}
}

// holidays tells added and removed days, neighbours of one name as one.
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
				d.said("Holiday", run, "")
			} else {
				d.said("Holiday", "", run)
			}
		}
	}
}

// runs writes holidays, ascending, with neighbouring days of one name together.
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
	d.said(title, budgetInWords(was.Counts, was.Target), budgetInWords(is.Counts, is.Target))
	for _, priority := range Priorities() {
		_, had := d.was.Priorities[priority][name]
		_, has := d.is.Priorities[priority][name]
		if had || has {
			d.said(title+" at "+string(priority)+" priority",
				budgetInWords(was.Counts, d.was.Target(name, priority)), budgetInWords(is.Counts, d.is.Target(name, priority)))
		}
	}
	d.said(title+", reminder to the agent", reminder(was.RemindAt), reminder(is.RemindAt))
	d.said(title+" stands still", pauses(was.Pauses), pauses(is.Pauses))
}

// budgetInWords is a target with its way to count.
func budgetInWords(counts Counting, d time.Duration) string {
	switch {
	case counts == CountBusinessHours:
		return lengthInWords(counts, d) + " of opening time"
	case counts == CountBusinessDays && d == day:
		return "1 business day"
	case counts == CountBusinessDays && d%day == 0:
		return fmt.Sprintf("%d business days", d/day)
	case counts == CountBusinessDays:
		return lengthInWords(counts, d) + " of business days"
	default:
		return lengthInWords(counts, d)
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
		return "only in an emergency"
	}
	return "while " + strings.ReplaceAll(reasonsInWords(sorted), ", ", " or ")
}

func chooser(p *Policy) string {
	if p.CustomersChoosePriority {
		return "the requester"
	}
	return "the desk"
}

func silent(d time.Duration) string {
	if d == 0 {
		return "never"
	}
	return "after " + lengthInWords(CountCalendar, d)
}

// line is a rung or a rule: in words, and as the document has it where the words say less.
type line struct{ words, exact string }

// lines compares by place: a rung is known by it.
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
			d.said(title, a.exact, b.exact)
			continue
		}
		d.said(title, a.words, b.words)
	}
}

func rungLines(p *Policy) []line {
	var all []line
	for _, rung := range p.Escalation {
		all = append(all, line{strings.TrimSuffix(rung.inWords(), "."), rung.summary()})
	}
	return all
}

func ruleLines(p *Policy) []line {
	var all []line
	for i, words := range p.AssignmentsInWords() {
		all = append(all, line{strings.TrimSuffix(words, "."), p.Assignment[i].summary()})
	}
	return all
}

// categories tells the added and the removed, and another order where that is all: the first is the usual one.
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
			d.said("Category", c, "")
		}
	}
	for _, c := range d.is.Categories {
		if !slices.Contains(d.was.Categories, c) {
			d.said("Category", "", c)
		}
	}
	if !slices.Equal(kept(d.was, d.is), kept(d.is, d.was)) || d.was.Categories[0] != d.is.Categories[0] {
		d.said("Order of the categories", strings.Join(d.was.Categories, ", "), strings.Join(d.is.Categories, ", "))
	}
}
