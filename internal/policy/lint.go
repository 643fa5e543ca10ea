package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Lint returns warnings about a valid policy that may not be intended, each in a sentence or two. It does not change
// the policy.
func (p *Policy) Lint() []string {
	warnings := p.contradictions()
	warnings = append(warnings, p.unequalPriorities()...)
	if !slices.Contains(p.Clocks[Resolution].Pauses, ReasonWaiting) {
		warnings = append(warnings, "The resolution clock keeps running while waiting for the requester: clocks.resolution.pauses lacks waiting.")
	}
	if p.Silence.ResolveAfter > 0 && p.Silence.NudgeAfter == 0 {
		warnings = append(warnings, "Waiting tickets are resolved without a reminder to the requester: silence.nudge_after is not set.")
	}
	if len(p.Escalation) == 0 {
		warnings = append(warnings, "Nobody is notified of a breach: escalation has no steps.")
	} else {
		warnings = append(warnings, p.unnotified()...)
	}
	warnings = append(warnings, p.unusedRules()...)
	if p.Contact == "" {
		warnings = append(warnings, "Pages and emails show no contact address: contact is not set.")
	}
	return warnings
}

// unequalPriorities warns of priorities with a longer target than a lower priority.
func (p *Policy) unequalPriorities() []string {
	var warnings []string
	all := Priorities()
	for _, clock := range ClockNames() {
		for i, higher := range all[1:] {
			lower := all[i]
			slow, fast := p.Target(clock, lower), p.Target(clock, higher)
			if fast > slow {
				warnings = append(warnings, fmt.Sprintf("Priority %s has a longer %s target (%s) than priority %s (%s).",
					higher, clock, FormatDuration(fast), lower, FormatDuration(slow)))
			}
		}
	}
	return warnings
}

// conflict describes how the two targets of some priorities contradict each other.
type conflict struct {
	priorities []Priority
	targets    [2]time.Duration // by ClockNames
	at         []time.Time      // acceptance instants whose first response is due after the resolution
	worst      time.Time        // the one in at with the largest gap
	scanned    int
	sufficient time.Duration // a resolution target without conflicts, in whole days
}

// contradictions warns of acceptance instants whose first response is due after the resolution.
func (p *Policy) contradictions() []string {
	var warnings []string
	for _, c := range p.conflicts() {
		if len(c.at) > 0 {
			warnings = append(warnings, p.describe(c))
		}
	}
	return warnings
}

// conflicts scans the hours of a year, or of the years that have holidays, for each pair of targets.
func (p *Policy) conflicts() []conflict {
	var found []conflict
	for _, priority := range Priorities() {
		targets := [2]time.Duration{p.Target(FirstResponse, priority), p.Target(Resolution, priority)}
		i := slices.IndexFunc(found, func(c conflict) bool { return c.targets == targets })
		if i < 0 {
			i = len(found)
			found = append(found, p.scan(priority))
			found[i].targets = targets
		}
		found[i].priorities = append(found[i].priorities, priority)
	}
	return found
}

func (p *Policy) scan(priority Priority) conflict {
	var c conflict
	var longest time.Duration
	from, years := p.period()
	// Steps of 1 to 5 hours visit every hour of the day within a few days, and keep the number of steps constant.
	step := time.Duration(years) * time.Hour
	for at := from; at.Before(from.AddDate(years, 0, 0)); at = at.Add(step) {
		promised, err := p.DeadlinesFor(at, priority)
		if err != nil {
			break
		}
		c.scanned++
		gap := promised.FirstResponse.Sub(promised.Resolution)
		if gap <= 0 {
			continue
		}
		c.at = append(c.at, at)
		if gap > longest {
			longest, c.worst = gap, at
		}
		c.sufficient = max(c.sufficient, p.Calendar.Elapsed(p.Clocks[Resolution].Counts, at, promised.FirstResponse))
	}
	c.sufficient = (c.sufficient + day - 1) / day * day
	return c
}

// period returns what scan covers, starting on a Monday: one year, or up to five from before the first holiday.
func (p *Policy) period() (from time.Time, years int) {
	holidays := p.Calendar.holidays
	if len(holidays) == 0 {
		return time.Date(2026, time.January, 5, 0, 0, 0, 0, p.Zone), 1
	}
	first, last := holidays[0].Date, holidays[len(holidays)-1].Date
	monday := first.Day() - 28 - int(first.Weekday()+daysPerWeek-1)%daysPerWeek
	from = time.Date(first.Year(), first.Month(), monday, 0, 0, 0, 0, p.Zone)
	return from, min(1+int(last.Sub(from)/exampleYear), 5)
}

func (p *Policy) describe(c conflict) string {
	often := fmt.Sprintf("for %d of %d hours checked", len(c.at), c.scanned)
	if len(c.at) == c.scanned {
		often = "always"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Contradiction: the first response can be due after the resolution, %s (%s). For example:\n", often, priorityText(c.priorities))
	// Noon is easier to follow than midnight, the first hour checked.
	shown := []time.Time{c.at[0], c.worst}
	if i := slices.IndexFunc(c.at, func(at time.Time) bool { return at.In(p.Zone).Hour() == 12 }); i >= 0 {
		shown[0] = c.at[i]
	}
	for _, at := range slices.CompactFunc(shown, time.Time.Equal) {
		promised, err := p.DeadlinesFor(at, c.priorities[0])
		if err == nil {
			fmt.Fprintf(&b, "  accepted %s: first response by %s, resolution by %s\n",
				p.local(at), p.local(promised.FirstResponse), p.local(promised.Resolution))
		}
	}
	b.WriteString(p.suggestion(c))
	return b.String()
}

// suggestion returns the line to change: the first response's counting, if that is sufficient, and the resolution
// target.
func (p *Policy) suggestion(c conflict) string {
	longer := p.resolutionLine(c)
	rule := p.Clocks[FirstResponse]
	rule.Counts = CountBusinessDays
	changed := *p
	changed.Clocks = map[ClockName]Rule{FirstResponse: rule, Resolution: p.Clocks[Resolution]}
	if p.Clocks[FirstResponse].Counts != CountBusinessHours || len(changed.scan(c.priorities[0]).at) > 0 {
		return "To fix it, change one line:\n  " + longer
	}
	return "To fix it, change one line. If business days are meant:\n  " + ruleLine(FirstResponse, rule) +
		"\nIf business hours are meant:\n  " + longer
}

// resolutionLine returns the line with a sufficient resolution target.
func (p *Policy) resolutionLine(c conflict) string {
	for _, priority := range c.priorities {
		if _, own := p.Priorities[priority][Resolution]; own {
			return fmt.Sprintf("priorities.%s: resolution: %s", priority, FormatDuration(c.sufficient))
		}
	}
	rule := p.Clocks[Resolution]
	rule.Target = c.sufficient
	return ruleLine(Resolution, rule)
}

func ruleLine(clock ClockName, rule Rule) string {
	line := fmt.Sprintf("%s: {target: %s, counts: %s", clock, FormatBudget(rule.Counts, rule.Target), rule.Counts)
	if rule.RemindAt > 0 {
		line += fmt.Sprintf(", remind_at: %d%%", rule.RemindAt)
	}
	if len(rule.Pauses) > 0 {
		line += ", pauses: [" + joinWords(rule.Pauses) + "]"
	}
	return line + "}"
}

func priorityText(priorities []Priority) string {
	if len(priorities) == len(Priorities()) {
		return "every priority"
	}
	return "priority " + joinWords(priorities)
}

// local formats an instant in the policy's zone.
func (p *Policy) local(t time.Time) string {
	local := t.In(p.Zone)
	return local.Format("Mon 2 Jan 2006 ") + clockTime(local) + local.Format(" MST")
}
