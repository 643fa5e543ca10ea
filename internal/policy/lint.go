package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Lint gives warnings about a policy that is valid and may not be meant, each a sentence or two in plain English. What
// it finds it does not change.
func (p *Policy) Lint() []string {
	warnings := p.contradictions()
	warnings = append(warnings, p.unequalPriorities()...)
	if !slices.Contains(p.Clocks[Resolution].Pauses, ReasonWaiting) {
		warnings = append(warnings, "The resolution's time runs on while the desk waits for the requester: clocks.resolution.pauses lacks waiting.")
	}
	if p.Silence.ResolveAfter > 0 && p.Silence.NudgeAfter == 0 {
		warnings = append(warnings, "A waiting ticket resolves itself without a reminder to its requester: silence.nudge_after is not set.")
	}
	if len(p.Escalation) == 0 {
		warnings = append(warnings, "A broken promise is told to nobody: escalation has no rungs.")
	} else {
		warnings = append(warnings, p.untold()...)
	}
	warnings = append(warnings, p.idleRules()...)
	if p.Contact == "" {
		warnings = append(warnings, "Pages and mails show no address to write to: contact is not set.")
	}
	return warnings
}

// unequalPriorities finds priorities that are promised less than a lower one.
func (p *Policy) unequalPriorities() []string {
	var warnings []string
	all := Priorities()
	for _, clock := range ClockNames() {
		for i, higher := range all[1:] {
			lower := all[i]
			slow, fast := p.Target(clock, lower), p.Target(clock, higher)
			if fast > slow {
				warnings = append(warnings, fmt.Sprintf("Priority %s is promised a later %s (%s) than priority %s (%s).",
					higher, clock, FormatDuration(fast), lower, FormatDuration(slow)))
			}
		}
	}
	return warnings
}

// conflict is what is wrong between the two promises of the same targets.
type conflict struct {
	priorities []Priority
	targets    [2]time.Duration // by ClockNames
	at         []time.Time      // acceptance instants whose first response is due after the resolution
	worst      time.Time        // the one of at with the longest way from one to the other
	tried      int
	enough     time.Duration // a resolution target that all of at would keep to, in whole days
}

// contradictions finds acceptance instants whose first response is due after their resolution.
func (p *Policy) contradictions() []string {
	var warnings []string
	for _, c := range p.conflicts() {
		if len(c.at) > 0 {
			warnings = append(warnings, p.describe(c))
		}
	}
	return warnings
}

// conflicts tries the hours of a year, or of the years that have holidays, for each pair of targets.
func (p *Policy) conflicts() []conflict {
	var found []conflict
	for _, priority := range Priorities() {
		targets := [2]time.Duration{p.Target(FirstResponse, priority), p.Target(Resolution, priority)}
		i := slices.IndexFunc(found, func(c conflict) bool { return c.targets == targets })
		if i < 0 {
			i = len(found)
			found = append(found, p.try(priority))
			found[i].targets = targets
		}
		found[i].priorities = append(found[i].priorities, priority)
	}
	return found
}

func (p *Policy) try(priority Priority) conflict {
	var c conflict
	var longest time.Duration
	from, years := p.period()
	// 1 to 5 hours: each goes through every hour of the day in a few days, and the number of tries stays the same.
	step := time.Duration(years) * time.Hour
	for at := from; at.Before(from.AddDate(years, 0, 0)); at = at.Add(step) {
		promised, err := p.Promise(at, priority)
		if err != nil {
			break
		}
		c.tried++
		gap := promised.FirstResponse.Sub(promised.Resolution)
		if gap <= 0 {
			continue
		}
		c.at = append(c.at, at)
		if gap > longest {
			longest, c.worst = gap, at
		}
		c.enough = max(c.enough, p.Calendar.Elapsed(p.Clocks[Resolution].Counts, at, promised.FirstResponse))
	}
	c.enough = (c.enough + day - 1) / day * day
	return c
}

// period is what try goes through, from a Monday: one year, or up to five from before the first holiday.
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
	often := fmt.Sprintf("for %d of %d hours tried", len(c.at), c.tried)
	if len(c.at) == c.tried {
		often = "always"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Contradiction: the first response may come after the resolution is due, %s (%s). For example:\n", often, priorityWords(c.priorities))
	// Noon is easier to follow than the first hour that was tried, a midnight.
	shown := []time.Time{c.at[0], c.worst}
	if i := slices.IndexFunc(c.at, func(at time.Time) bool { return at.In(p.Zone).Hour() == 12 }); i >= 0 {
		shown[0] = c.at[i]
	}
	for _, at := range slices.CompactFunc(shown, time.Time.Equal) {
		promised, err := p.Promise(at, c.priorities[0])
		if err == nil {
			fmt.Fprintf(&b, "  accepted %s: first response by %s, resolution by %s\n",
				p.local(at), p.local(promised.FirstResponse), p.local(promised.Resolution))
		}
	}
	b.WriteString(p.remedy(c))
	return b.String()
}

// remedy is the line to change: what the first response counts if that is enough, and the resolution's target.
func (p *Policy) remedy(c conflict) string {
	longer := p.resolutionLine(c)
	rule := p.Clocks[FirstResponse]
	rule.Counts = CountBusinessDays
	changed := *p
	changed.Clocks = map[ClockName]Rule{FirstResponse: rule, Resolution: p.Clocks[Resolution]}
	if p.Clocks[FirstResponse].Counts != CountBusinessHours || len(changed.try(c.priorities[0]).at) > 0 {
		return "To end it, change one line:\n  " + longer
	}
	return "To end it, change one line, if business days are meant:\n  " + ruleLine(FirstResponse, rule) +
		"\nor, if business hours are:\n  " + longer
}

// resolutionLine is the line with a resolution target that is long enough.
func (p *Policy) resolutionLine(c conflict) string {
	for _, priority := range c.priorities {
		if _, own := p.Priorities[priority][Resolution]; own {
			return fmt.Sprintf("priorities.%s: resolution: %s", priority, FormatDuration(c.enough))
		}
	}
	rule := p.Clocks[Resolution]
	rule.Target = c.enough
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

func priorityWords(priorities []Priority) string {
	if len(priorities) == len(Priorities()) {
		return "every priority"
	}
	return "priority " + joinWords(priorities)
}

// local writes an instant in the policy's zone.
func (p *Policy) local(t time.Time) string {
	local := t.In(p.Zone)
	return local.Format("Mon 2 Jan 2006 ") + clockTime(local) + local.Format(" MST")
}
