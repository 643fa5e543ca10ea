package desk

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Limits of planning. An emergency without a known end lasts until it is lifted, so an end beyond MaxAhead is a mistake.
const (
	MaxAhead = 366 * 24 * time.Hour // from now to the start or the end
	MaxDelay = 366 * 24 * time.Hour // extension of targets by one emergency
	// MaxEmergencies is how many may be in force or planned. Each adds a notice to every page and causes a mail to every
	// requester, which bounds the damage that a stolen token of a supervisor can do.
	MaxEmergencies = 20
)

// Codes of the Conflicts about emergencies.
const (
	CodeEmergencyOver  = "emergency-over"  // it has ended or was cancelled
	CodeEmergencyBegun = "emergency-begun" // its start has passed and can't be moved
	CodeEmergencyMany  = "emergency-many"  // MaxEmergencies are in force or planned
)

// CheckAnother returns a Conflict if no further emergency may be declared when lasting are in force or planned.
func CheckAnother(lasting int) error {
	if lasting >= MaxEmergencies {
		return fault.NewConflict(CodeEmergencyMany, "%d emergencies are in force or planned: lift or cancel one first", lasting)
	}
	return nil
}

// Below, next is the whole second after now. Changes take effect at next or later, so the past never changes.

// Declared returns the emergency that a plan describes, or an Invalid fault that names every invalid field: kind, notice,
// starts_at, ends_at, delay_seconds.
func (p EmergencyPlan) Declared(id ticket.EmergencyID, by Ref, next time.Time) (Emergency, error) {
	e := Emergency{Emergency: ticket.Emergency{ID: id, Kind: p.Kind}, By: by, Declared: next}
	var wrong fault.Details
	if !slices.Contains(ticket.EmergencyKinds(), p.Kind) {
		wrong.Add("kind", "must be closed or delayed")
	}
	var problem string
	if e.Notice, problem = normalizeNotice(p.Notice); problem != "" {
		wrong.Add("notice", problem)
	}
	from := p.From
	if from.IsZero() {
		from = next
	}
	wrong = append(wrong, e.setStart(from, next)...)
	wrong = append(wrong, e.setEnd(p.Until, next)...)
	if p.Kind == ticket.EmergencyDelayed {
		wrong = append(wrong, e.setDelay(p.By, next, time.Second)...)
	} else if p.By != 0 {
		wrong.Add("delay_seconds", "is for an emergency of the kind delayed")
	}
	if err := wrong.Err(); err != nil {
		return Emergency{}, err
	}
	return e, nil
}

// Changed returns the emergency after a change. It returns an Invalid fault that names every invalid field, and a Conflict
// if the emergency is over, or if the change moves a start that has passed.
func (e Emergency) Changed(c EmergencyChange, next time.Time) (Emergency, error) {
	if over := e.checkNotOver(next); over != nil {
		return Emergency{}, over
	}
	begun := e.From.Before(next)
	if begun && c.From != nil && !c.From.Equal(e.From) {
		return Emergency{}, fault.NewConflict(CodeEmergencyBegun, "the emergency has already started, so its start can't be changed")
	}
	e.Delays = slices.Clone(e.Delays)
	var wrong fault.Details
	if c.Notice != nil {
		var problem string
		if e.Notice, problem = normalizeNotice(*c.Notice); problem != "" {
			wrong.Add("notice", problem)
		}
	}
	if c.From != nil && !begun {
		from := *c.From
		if from.IsZero() {
			from = next
		}
		wrong = append(wrong, e.setStart(from, next)...)
	}
	until := e.Until
	if c.Until != nil {
		until = *c.Until
	}
	if c.Until != nil || c.From != nil {
		wrong = append(wrong, e.setEnd(until, next)...)
	}
	switch {
	case c.By != nil && e.Kind != ticket.EmergencyDelayed:
		wrong.Add("delay_seconds", "is for an emergency of the kind delayed")
	case c.By != nil && begun:
		wrong = append(wrong, e.setDelay(*c.By, next, 0)...)
	case c.By != nil:
		wrong = append(wrong, e.setDelay(*c.By, next, time.Second)...)
	}
	if err := wrong.Err(); err != nil {
		return Emergency{}, err
	}
	return e.trimmed(), nil
}

// Ended returns the emergency lifted if it has started, and cancelled otherwise. It returns a Conflict if the emergency is
// over.
func (e Emergency) Ended(next time.Time) (Emergency, error) {
	if over := e.checkNotOver(next); over != nil {
		return Emergency{}, over
	}
	if e.From.Before(next) {
		e.Until = next
	} else {
		e.Cancelled = next
	}
	return e.trimmed(), nil
}

// Same reports whether e and o agree in everything that a change can affect.
func (e Emergency) Same(o Emergency) bool {
	return e.Notice == o.Notice && e.From.Equal(o.From) && e.Until.Equal(o.Until) && e.Cancelled.Equal(o.Cancelled) &&
		slices.EqualFunc(e.Delays, o.Delays, func(a, b ticket.Delay) bool { return a.From.Equal(b.From) && a.By == b.By })
}

// Delay returns the last planned extension of targets, and 0 for an emergency that closes support.
func (e Emergency) Delay() time.Duration {
	if len(e.Delays) == 0 {
		return 0
	}
	return e.Delays[len(e.Delays)-1].By
}

func (e Emergency) checkNotOver(next time.Time) error {
	switch {
	case !e.Cancelled.IsZero():
		return fault.NewConflict(CodeEmergencyOver, "the emergency was cancelled")
	case !e.Until.IsZero() && e.Until.Before(next):
		return fault.NewConflict(CodeEmergencyOver, "the emergency is over")
	}
	return nil
}

// setStart sets the start, and that of the first delay. It returns what is wrong with it.
func (e *Emergency) setStart(at, next time.Time) []fault.Detail {
	if message := checkPlanned(at, next); message != "" {
		return []fault.Detail{{Field: "starts_at", Message: message}}
	}
	e.From = at.UTC()
	if len(e.Delays) > 0 {
		e.Delays[0].From = e.From
	}
	return nil
}

func (e *Emergency) setEnd(at, next time.Time) []fault.Detail {
	message := ""
	if !at.IsZero() {
		message = checkPlanned(at, next)
		if message == "" && !at.After(e.From) {
			message = "must be later than the start"
		}
		at = at.UTC()
	}
	if message != "" {
		return []fault.Detail{{Field: "ends_at", Message: message}}
	}
	e.Until = at
	return nil
}

// setDelay sets the extension of targets from next on or, before the start, from the start on. It must be at least least.
func (e *Emergency) setDelay(by time.Duration, next time.Time, least time.Duration) []fault.Detail {
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

// trimmed returns the emergency without delays that would start at its end or later.
func (e Emergency) trimmed() Emergency {
	if !e.Until.IsZero() {
		e.Delays = slices.DeleteFunc(slices.Clone(e.Delays), func(d ticket.Delay) bool { return !d.From.Before(e.Until) })
	}
	return e
}

// checkPlanned returns what is wrong with the planned time of a start or an end. It returns the empty string if nothing is.
func checkPlanned(at, next time.Time) string {
	switch {
	case at.Nanosecond() != 0:
		return "must be a whole second"
	case at.Before(next):
		return "must be in the future"
	case at.After(next.Add(MaxAhead)):
		return "must be at most 366 days ahead"
	}
	return ""
}

// normalizeNotice returns a notice as it is stored, and what is wrong with it, the empty string if nothing is.
func normalizeNotice(text string) (stored, problem string) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch n := utf8.RuneCountInString(text); {
	case !Visible(text) || n > MaxNotice:
		return text, "must have 1 to 1000 characters"
	case strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), forbidden):
		return text, "must be plain text, and all of it visible"
	}
	return text, ""
}
