package desk

import (
	"regexp"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// CannedReply is a saved text for replies. Its body may contain placeholders such as {{requester.name}}.
type CannedReply struct {
	ID     int64 // 0: not saved yet
	Title  string
	Body   string
	Shared bool // for all staff; otherwise its author's own
	Author Ref
	Yours  bool // the viewer may edit and delete it
}

const maxTitle = 100 // in characters

// Check returns an Invalid fault that names every invalid field: title, body.
func (c CannedReply) Check() error {
	var wrong fault.Details
	if !validName(c.Title, maxTitle) {
		wrong.Add("title", "must have 1 to 100 characters, in one line and all of them visible")
	}
	if !Visible(c.Body) || len(c.Body) > MaxBody {
		wrong.Add("body", "must have 1 to 65536 bytes")
	} else if unknown := unknownPlaceholder(c.Body); unknown != "" {
		wrong.Add("body", "names "+unknown+"; there is "+strings.Join(Placeholders(), ", "))
	}
	return wrong.Err()
}

// placeholder matches anything between two pairs of braces on one line.
var placeholder = regexp.MustCompile(`\{\{[^{}\n]*\}\}`)

// values maps the names of placeholders to functions of their values. An empty value means that there is none now.
var values = map[string]func(View, Ref) string{
	"requester.name":         func(v View, _ Ref) string { return v.Requester.Name },
	"agent.name":             func(_ View, agent Ref) string { return agent.Name },
	"ticket.number":          func(v View, _ Ref) string { return string(v.Number) },
	"ticket.subject":         func(v View, _ Ref) string { return v.Subject },
	"ticket.order":           func(v View, _ Ref) string { return v.Order },
	"promise.first_response": func(v View, _ Ref) string { return v.promised(policy.FirstResponse) },
	"promise.resolution":     func(v View, _ Ref) string { return v.promised(policy.Resolution) },
	"desk.contact":           func(v View, _ Ref) string { return v.Policy.Contact },
}

// Placeholders returns the names of all placeholders, sorted.
func Placeholders() []string {
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// unknownPlaceholder returns the first unknown placeholder in body, or the empty string.
func unknownPlaceholder(body string) string {
	for _, found := range placeholder.FindAllString(body, -1) {
		if _, known := values[placeholderName(found)]; !known {
			return found
		}
	}
	return ""
}

// FillCanned replaces the placeholders in a canned reply in one pass, so that the contents of a value are not expanded. A
// placeholder without a value (a promise that is paused or met, no order number) is left as it is and listed in missing,
// for the agent to see. escape makes a value a part of a message. Times are in the zone of the ticket's policy.
func FillCanned(body string, escape func(string) string, v View, agent Ref) (text string, missing []string) {
	text = placeholder.ReplaceAllStringFunc(body, func(found string) string {
		value := ""
		if of, known := values[placeholderName(found)]; known {
			value = of(v, agent)
		}
		if value == "" {
			missing = append(missing, found)
			return found
		}
		return escape(value)
	})
	return text, missing
}

func placeholderName(found string) string { return strings.TrimSpace(strings.Trim(found, "{}")) }

// promised formats a deadline as the requester sees it. It returns the empty string if there is none, or it was breached.
func (v View) promised(name policy.ClockName) string {
	s := v.Promised().ForRequester().Promise(name)
	if s.Due.IsZero() || !s.BreachedAt.IsZero() || v.Ticket.Promise(name).Clock.Met() {
		return ""
	}
	return s.Due.In(v.Policy.Zone).Format("Monday 2 January 2006, 15:04 MST")
}
