package policy

import (
	"fmt"
	"strings"
)

// Descriptions are for customers: they mention designated people and webhooks without their names.
var audienceText = map[Audience]string{
	NotifyAssignee:       "the agent assigned to your ticket",
	NotifySupervisors:    "the supervisors",
	NotifyAdministrators: "the administrators",
}

var ifOverdueText = map[ClockName]string{
	FirstResponse: "if the first response is overdue",
	Resolution:    "if the resolution is overdue",
}

func (p *Policy) describeEscalation() []string {
	if len(p.Escalation) == 0 {
		return []string{"The breach is recorded on your ticket."}
	}
	var lines []string
	for _, step := range p.Escalation {
		lines = append(lines, step.describe())
	}
	return append(lines, "Escalation stops once an agent attends to your ticket.")
}

func (r EscalationStep) describe() string {
	line := "Immediately"
	if r.After > 0 {
		line = "After " + durationText(CountCalendar, r.After)
	}
	if scope := r.describeScope(); scope != "" {
		line += ", " + scope + ","
	}
	recipients, one := r.describeRecipients()
	switch {
	case len(recipients) == 0:
		line += " it is recorded"
	case one:
		line += " " + enumerate(recipients) + " is notified"
	default:
		line += " " + enumerate(recipients) + " are notified"
	}
	if r.RaisePriority {
		line += ", and the priority of your ticket is raised"
	}
	return line + "."
}

// describeScope returns the clock and priorities that the step is limited to; empty if none.
func (r EscalationStep) describeScope() string {
	scope := ""
	if len(r.Clocks) == 1 {
		scope = ifOverdueText[r.Clocks[0]]
	}
	if len(r.Priorities) == 0 || len(r.Priorities) == len(Priorities()) {
		return scope
	}
	names := make([]string, len(r.Priorities))
	for i, priority := range r.Priorities {
		names[i] = string(priority)
	}
	if scope != "" {
		scope += " and "
	} else {
		scope = "if "
	}
	return scope + "the priority is " + strings.Join(names, " or ")
}

// describeRecipients returns whom the step notifies, and whether the grammatical number is singular.
func (r EscalationStep) describeRecipients() (recipients []string, one bool) {
	for _, audience := range r.Notify {
		recipients = append(recipients, audienceText[audience])
	}
	switch n := len(r.People); {
	case n == 1:
		recipients = append(recipients, "a designated person")
	case n > 1:
		recipients = append(recipients, fmt.Sprintf("%d designated people", n))
	}
	if len(r.Webhooks) > 0 {
		recipients = append(recipients, "our monitoring system")
	}
	one = len(recipients) == 1 && len(r.People) < 2 && (len(r.Notify) == 0 || r.Notify[0] == NotifyAssignee)
	return recipients, one
}
