package desk

import (
	"regexp"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// CannedReply is a reply kept for use again. Its body may hold placeholders, such as {{requester.name}}.
type CannedReply struct {
	ID     int64 // 0: not saved yet
	Title  string
	Body   string
	Shared bool // for all staff; otherwise its author's own
	Author Ref
	Yours  bool // the viewer may edit and delete it
}

const maxTitle = 100 // in characters

// Check gives an Invalid fault that names every field in which a canned reply can't be kept: title, body.
func (c CannedReply) Check() error {
	var wrong []fault.Detail
	if !validName(c.Title, maxTitle) {
		wrong = append(wrong, fault.Detail{Field: "title", Message: "must have 1 to 100 characters, in one line and all of them visible"})
	}
	if !Visible(c.Body) || len(c.Body) > MaxBody {
		wrong = append(wrong, fault.Detail{Field: "body", Message: "must have 1 to 65536 bytes"})
	} else if unknown := unknownPlaceholder(c.Body); unknown != "" {
		wrong = append(wrong, fault.Detail{Field: "body", Message: "names " + unknown + "; there is " + strings.Join(Placeholders(), ", ")})
	}
	if len(wrong) > 0 {
		return fault.Fields(wrong...)
	}
	return nil
}

// placeholder is what stands for a value: anything between two pairs of braces on one line.
var placeholder = regexp.MustCompile(`\{\{[^{}\n]*\}\}`)

// values gives each placeholder its value; an empty one has none now.
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

// Placeholders lists what a canned reply may name, sorted.
func Placeholders() []string {
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// unknownPlaceholder gives the first that nobody can fill in; empty without one.
func unknownPlaceholder(body string) string {
	for _, found := range placeholder.FindAllString(body, -1) {
		if _, known := values[named(found)]; !known {
			return found
		}
	}
	return ""
}

// FillCanned puts values into a canned reply, in one pass: what a value holds is never taken for a placeholder. One without
// a value now (a promise that is paused or settled, no order number) stays as it is, and is listed in missing, so that
// whoever sends it sees it. Instants are in the zone of the ticket's policy.
func FillCanned(body string, v View, agent Ref) (text string, missing []string) {
	text = placeholder.ReplaceAllStringFunc(body, func(found string) string {
		value := ""
		if of, known := values[named(found)]; known {
			value = of(v, agent)
		}
		if value == "" {
			missing = append(missing, found)
			return found
		}
		return value
	})
	return text, missing
}

func named(found string) string { return strings.TrimSpace(strings.Trim(found, "{}")) }

// promised is a deadline in words, as the requester reads it; empty unless it lies ahead.
func (v View) promised(name policy.ClockName) string {
	s := v.Promised().ForRequester().Promise(name)
	if s.Due.IsZero() || !s.BreachedAt.IsZero() || v.Ticket.Promise(name).Clock.Met() {
		return ""
	}
	return s.Due.In(v.Policy.Zone).Format("Monday 2 January 2006, 15:04 MST")
}
