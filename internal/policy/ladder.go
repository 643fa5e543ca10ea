package policy

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Rung is one step of the escalation ladder, climbed once per clock. A rung is known by its place in the document, from
// 1. Of two rungs that are for the same clock and priority the later one in the document has the longer After.
type Rung struct {
	After         time.Duration // calendar time after the breach; 0 is at the breach
	Clocks        []ClockName   // that it is for; empty: both
	Priorities    []Priority    // that it is for, by the ticket's priority when its time comes; empty: all
	Tell          []Audience
	People        []string // handles of staff who are told by name, as written
	Webhooks      []string // names of webhooks; where they lead is no policy's business
	RaisePriority bool
}

// For reports whether a rung is for a clock of a ticket that has a priority.
func (r Rung) For(c ClockName, pr Priority) bool {
	return (len(r.Clocks) == 0 || slices.Contains(r.Clocks, c)) && (len(r.Priorities) == 0 || slices.Contains(r.Priorities, pr))
}

// overlaps reports whether some ticket's clock has both rungs.
func (r Rung) overlaps(other Rung) bool {
	for _, clock := range ClockNames() {
		for _, priority := range Priorities() {
			if r.For(clock, priority) && other.For(clock, priority) {
				return true
			}
		}
	}
	return false
}

// Names of those whom a rung tells outside the audiences. A handle has the shape that people's handles have; a webhook's
// name becomes part of an environment variable's.
var (
	handleName  = regexp.MustCompile(`^[A-Za-z0-9-]{1,40}$`)
	webhookName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
)

// ValidWebhook reports whether a webhook may have a name.
func ValidWebhook(name string) bool { return webhookName.MatchString(name) }

// told lists whom a rung tells, in the words of the document.
func (r Rung) told() string {
	all := make([]string, 0, len(r.Tell)+len(r.People)+len(r.Webhooks))
	for _, audience := range r.Tell {
		all = append(all, string(audience))
	}
	for _, handle := range r.People {
		all = append(all, "person "+handle)
	}
	for _, name := range r.Webhooks {
		all = append(all, "webhook "+name)
	}
	return strings.Join(all, ", ")
}

// scope says what a rung is for, in the words of the document; empty when it is for everything.
func (r Rung) scope() string {
	var parts []string
	if len(r.Clocks) > 0 {
		parts = append(parts, joinWords(r.Clocks))
	}
	if len(r.Priorities) > 0 {
		parts = append(parts, "priority "+joinWords(r.Priorities))
	}
	return strings.Join(parts, ", ")
}

// summary is a rung's line in a policy's check.
func (r Rung) summary() string {
	line := rungWords(r.After)
	if scope := r.scope(); scope != "" {
		line += " (" + scope + ")"
	}
	line += ": " + r.told()
	if r.RaisePriority {
		line += ", priority raised"
	}
	return line
}

// untold gives the clocks and priorities that no rung is for, a warning each.
func (p *Policy) untold() []string {
	var warnings []string
	for _, clock := range ClockNames() {
		var without []Priority
		for _, priority := range Priorities() {
			if !slices.ContainsFunc(p.Escalation, func(r Rung) bool { return r.For(clock, priority) }) {
				without = append(without, priority)
			}
		}
		if len(without) > 0 {
			warnings = append(warnings, "A broken "+string(clock)+" is told to nobody at "+priorityWords(without)+": escalation has no rung for it.")
		}
	}
	return warnings
}
