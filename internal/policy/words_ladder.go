package policy

import (
	"fmt"
	"strings"
)

// A policy in words is read by customers: it says that somebody is told by name, and not who.
var audienceInWords = map[Audience]string{
	TellAssignee:       "the agent who has your ticket",
	TellSupervisors:    "the supervisors",
	TellAdministrators: "the administrators",
}

var clockInWords = map[ClockName]string{
	FirstResponse: "if the first answer is late",
	Resolution:    "if the resolution is late",
}

func (p *Policy) escalationInWords() []string {
	if len(p.Escalation) == 0 {
		return []string{"It is recorded on your ticket."}
	}
	var lines []string
	for _, rung := range p.Escalation {
		lines = append(lines, rung.inWords())
	}
	return append(lines, "This goes on until somebody sees to your ticket.")
}

func (r Rung) inWords() string {
	line := "At once"
	if r.After > 0 {
		line = "After " + lengthInWords(CountCalendar, r.After)
	}
	if scope := r.scopeInWords(); scope != "" {
		line += ", " + scope + ","
	}
	told, one := r.toldInWords()
	switch {
	case len(told) == 0:
		line += " it is recorded"
	case one:
		line += " " + enumerate(told) + " is told"
	default:
		line += " " + enumerate(told) + " are told"
	}
	if r.RaisePriority {
		line += ", and your ticket gets a higher priority"
	}
	return line + "."
}

// scopeInWords says for which promise and priority a rung is; empty when for all.
func (r Rung) scopeInWords() string {
	scope := ""
	if len(r.Clocks) == 1 {
		scope = clockInWords[r.Clocks[0]]
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

// toldInWords lists whom a rung tells, and reports whether that is one.
func (r Rung) toldInWords() (told []string, one bool) {
	for _, audience := range r.Tell {
		told = append(told, audienceInWords[audience])
	}
	switch n := len(r.People); {
	case n == 1:
		told = append(told, "a person named for it")
	case n > 1:
		told = append(told, fmt.Sprintf("%d people named for it", n))
	}
	if len(r.Webhooks) > 0 {
		told = append(told, "a system that watches over the desk")
	}
	one = len(told) == 1 && len(r.People) < 2 && (len(r.Tell) == 0 || r.Tell[0] == TellAssignee)
	return told, one
}
