package desk

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Limits of what can be planned. Without a known end an emergency lasts until it is lifted, so a later one is a slip.
const (
	MaxAhead = 366 * 24 * time.Hour // of a beginning and of an end, from now
	MaxDelay = 366 * 24 * time.Hour // in all, of one emergency
	// MaxEmergencies is how many may be in force or planned: each is a notice on every page and a mail to everybody, so whoever
	// got hold of a supervisor's token must not declare them by the thousand.
	MaxEmergencies = 20
)

// Codes of a Conflict when an emergency can't be changed as asked.
const (
	CodeEmergencyOver  = "emergency-over"  // it has ended, or was cancelled
	CodeEmergencyBegun = "emergency-begun" // what already happened can't be moved
	CodeEmergencyMany  = "emergency-many"  // as many as may be are in force or planned
)

// CheckAnother gives a Conflict when no emergency may be declared beside so many that are in force or planned.
func CheckAnother(lasting int) error {
	if lasting >= MaxEmergencies {
		return fault.NewConflict(CodeEmergencyMany, "%d emergencies are in force or planned: lift or cancel one first", lasting)
	}
	return nil
}

// In what follows, next is the first whole second that nothing has happened in: what lies before it is past, and never
// changes any more.

// Declared is the emergency that a plan makes. It is Invalid, by field: kind, notice, starts_at, ends_at, delay_seconds.
func (p EmergencyPlan) Declared(id ticket.EmergencyID, by Ref, next time.Time) (Emergency, error) {
	e := Emergency{Emergency: ticket.Emergency{ID: id, Kind: p.Kind}, By: by, Declared: next}
	var wrong []fault.Detail
	if !slices.Contains(ticket.EmergencyKinds(), p.Kind) {
		wrong = append(wrong, fault.Detail{Field: "kind", Message: "must be closed or delayed"})
	}
	var problem string
	if e.Notice, problem = notice(p.Notice); problem != "" {
		wrong = append(wrong, fault.Detail{Field: "notice", Message: problem})
	}
	from := p.From
	if from.IsZero() {
		from = next
	}
	wrong = append(wrong, e.from(from, next)...)
	wrong = append(wrong, e.until(p.Until, next)...)
	if p.Kind == ticket.EmergencyDelayed {
		wrong = append(wrong, e.delay(p.By, next, time.Second)...)
	} else if p.By != 0 {
		wrong = append(wrong, fault.Detail{Field: "delay_seconds", Message: "is for an emergency of the kind delayed"})
	}
	if len(wrong) > 0 {
		return Emergency{}, fault.Fields(wrong...)
	}
	return e, nil
}

// Changed is the emergency after a change. It is Invalid by field, and a Conflict when the emergency is over, or a
// beginning that lies behind is to be moved.
func (e Emergency) Changed(c EmergencyChange, next time.Time) (Emergency, error) {
	if over := e.over(next); over != nil {
		return Emergency{}, over
	}
	begun := e.From.Before(next)
	if begun && c.From != nil && !c.From.Equal(e.From) {
		return Emergency{}, fault.NewConflict(CodeEmergencyBegun, "the emergency has begun: its beginning stands")
	}
	e.Delays = slices.Clone(e.Delays)
	var wrong []fault.Detail
	if c.Notice != nil {
		var problem string
		if e.Notice, problem = notice(*c.Notice); problem != "" {
			wrong = append(wrong, fault.Detail{Field: "notice", Message: problem})
		}
	}
	if c.From != nil && !begun {
		from := *c.From
		if from.IsZero() {
			from = next
		}
		wrong = append(wrong, e.from(from, next)...)
	}
	until := e.Until
	if c.Until != nil {
		until = *c.Until
	}
	if c.Until != nil || c.From != nil {
		wrong = append(wrong, e.until(until, next)...)
	}
	switch {
	case c.By != nil && e.Kind != ticket.EmergencyDelayed:
		wrong = append(wrong, fault.Detail{Field: "delay_seconds", Message: "is for an emergency of the kind delayed"})
	case c.By != nil && begun:
		wrong = append(wrong, e.delay(*c.By, next, 0)...)
	case c.By != nil:
		wrong = append(wrong, e.delay(*c.By, next, time.Second)...)
	}
	if len(wrong) > 0 {
		return Emergency{}, fault.Fields(wrong...)
	}
	return e.trimmed(), nil
}

// Ended is the emergency ended: lifted if it has begun, cancelled if not. It is a Conflict when it is over already.
func (e Emergency) Ended(next time.Time) (Emergency, error) {
	if over := e.over(next); over != nil {
		return Emergency{}, over
	}
	if e.From.Before(next) {
		e.Until = next
	} else {
		e.Cancelled = next
	}
	return e.trimmed(), nil
}

// Same reports whether two states of an emergency differ in nothing that a change can touch.
func (e Emergency) Same(o Emergency) bool {
	return e.Notice == o.Notice && e.From.Equal(o.From) && e.Until.Equal(o.Until) && e.Cancelled.Equal(o.Cancelled) &&
		slices.EqualFunc(e.Delays, o.Delays, func(a, b ticket.Delay) bool { return a.From.Equal(b.From) && a.By == b.By })
}

// Delay is how much longer targets are at the end of what is planned; 0 for one that closes the desk.
func (e Emergency) Delay() time.Duration {
	if len(e.Delays) == 0 {
		return 0
	}
	return e.Delays[len(e.Delays)-1].By
}

func (e Emergency) over(next time.Time) error {
	switch {
	case !e.Cancelled.IsZero():
		return fault.NewConflict(CodeEmergencyOver, "the emergency was cancelled")
	case !e.Until.IsZero() && e.Until.Before(next):
		return fault.NewConflict(CodeEmergencyOver, "the emergency is over")
	}
	return nil
}

// from moves the beginning, and the delay that begins with it.
func (e *Emergency) from(at, next time.Time) []fault.Detail {
	if message := planned(at, next); message != "" {
		return []fault.Detail{{Field: "starts_at", Message: message}}
	}
	e.From = at.UTC()
	if len(e.Delays) > 0 {
		e.Delays[0].From = e.From
	}
	return nil
}

func (e *Emergency) until(at, next time.Time) []fault.Detail {
	message := ""
	if !at.IsZero() {
		message = planned(at, next)
		if message == "" && !at.After(e.From) {
			message = "must be later than the beginning"
		}
		at = at.UTC()
	}
	if message != "" {
		return []fault.Detail{{Field: "ends_at", Message: message}}
	}
	e.Until = at
	return nil
}

// delay makes targets longer from now on, or from the beginning while that lies ahead.
func (e *Emergency) delay(by time.Duration, next time.Time, least time.Duration) []fault.Detail {
	if by < least || by > MaxDelay || by%time.Second != 0 {
		return []fault.Detail{{Field: "delay_seconds", Message: "must be whole seconds, more than none and 366 days at most"}}
	}
	from := next
	if e.From.After(next) {
		from = e.From
	}
	if e.Delay() == by && len(e.Delays) > 0 {
		return nil
	}
	if last := len(e.Delays) - 1; last >= 0 && !e.Delays[last].From.Before(from) {
		e.Delays = e.Delays[:last]
	}
	e.Delays = append(e.Delays, ticket.Delay{From: from, By: by})
	return nil
}

// trimmed forgets a delay that would begin when the emergency is over.
func (e Emergency) trimmed() Emergency {
	if !e.Until.IsZero() {
		e.Delays = slices.DeleteFunc(slices.Clone(e.Delays), func(d ticket.Delay) bool { return !d.From.Before(e.Until) })
	}
	return e
}

// planned gives what is wrong with an instant that somebody plans for; empty: nothing.
func planned(at, next time.Time) string {
	switch {
	case at.Nanosecond() != 0:
		return "must be a whole second"
	case at.Before(next):
		return "must lie ahead"
	case at.After(next.Add(MaxAhead)):
		return "must lie at most 366 days ahead"
	}
	return ""
}

// notice gives a notice as it is kept, and what is wrong with it; empty: nothing.
func notice(text string) (kept, problem string) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch n := utf8.RuneCountInString(text); {
	case !Visible(text) || n > MaxNotice:
		return text, "must have 1 to 1000 characters"
	case strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), unspeakable):
		return text, "must be plain text, and all of it visible"
	}
	return text, ""
}
