package policy

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// EscalationStep is a step of the escalation, taken at most once per clock. It is identified by its position in the document,
// from 1. Of two steps that apply to the same clock and priority, the later in the document has the longer After.
type EscalationStep struct {
	After         time.Duration // calendar time after the breach
	Clocks        []ClockName   // clocks that it applies to; empty: both
	Priorities    []Priority    // priorities that it applies to when it is due; empty: all
	Notify        []Audience
	People        []string // handles of staff to notify, as written
	Webhooks      []string // names of webhooks to call; their URLs are configured elsewhere
	RaisePriority bool
}

// AppliesTo reports whether the step applies to a clock of a ticket with a priority.
func (r EscalationStep) AppliesTo(c ClockName, pr Priority) bool {
	return (len(r.Clocks) == 0 || slices.Contains(r.Clocks, c)) && (len(r.Priorities) == 0 || slices.Contains(r.Priorities, pr))
}

// overlaps reports whether both steps apply to some clock and priority.
func (r EscalationStep) overlaps(other EscalationStep) bool {
	for _, clock := range ClockNames() {
		for _, priority := range Priorities() {
			if r.AppliesTo(clock, priority) && other.AppliesTo(clock, priority) {
				return true
			}
		}
	}
	return false
}

// Names of recipients other than audiences. The name of a webhook becomes part of the name of an environment variable.
var (
	handleName  = regexp.MustCompile(`^[A-Za-z0-9-]{1,40}$`)
	webhookName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
)

// ValidWebhook reports whether name is a valid webhook name.
func ValidWebhook(name string) bool { return webhookName.MatchString(name) }

// recipients returns whom the step notifies, in the terms of the document.
func (r EscalationStep) recipients() string {
	all := make([]string, 0, len(r.Notify)+len(r.People)+len(r.Webhooks))
	for _, audience := range r.Notify {
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

// scope returns what the step is limited to, in the terms of the document; empty if to nothing.
func (r EscalationStep) scope() string {
	var parts []string
	if len(r.Clocks) > 0 {
		parts = append(parts, joinWords(r.Clocks))
	}
	if len(r.Priorities) > 0 {
		parts = append(parts, "priority "+joinWords(r.Priorities))
	}
	return strings.Join(parts, ", ")
}

// summary returns the step's line for WriteCheck.
func (r EscalationStep) summary() string {
	line := delayText(r.After)
	if scope := r.scope(); scope != "" {
		line += " (" + scope + ")"
	}
	line += ": " + r.recipients()
	if r.RaisePriority {
		line += ", priority raised"
	}
	return line
}

// unnotified warns of clocks and priorities to which no step applies.
func (p *Policy) unnotified() []string {
	var warnings []string
	for _, clock := range ClockNames() {
		var without []Priority
		for _, priority := range Priorities() {
			if !slices.ContainsFunc(p.Escalation, func(r EscalationStep) bool { return r.AppliesTo(clock, priority) }) {
				without = append(without, priority)
			}
		}
		if len(without) > 0 {
			warnings = append(warnings, "Nobody is notified of a "+string(clock)+" breach at "+priorityText(without)+": no escalation step applies.")
		}
	}
	return warnings
}

// Audience is a group of people that an escalation step notifies.
type Audience string

// The audiences.
const (
	NotifyAssignee       Audience = "assignee"
	NotifySupervisors    Audience = "supervisors"
	NotifyAdministrators Audience = "administrators"
)

// Audiences returns all audiences.
func Audiences() []Audience {
	return []Audience{NotifyAssignee, NotifySupervisors, NotifyAdministrators}
}
