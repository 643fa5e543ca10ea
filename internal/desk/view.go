package desk

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// View is a ticket to be shown: what is stored, its state, and the policy that explains its clocks.
type View struct {
	Record
	Ticket ticket.Ticket
	Next   ticket.Moment // zero: nothing falls due by itself
	Policy *policy.Policy
	// Expected is when the promises of a ticket that an emergency stops will be due, if that ends as planned, and GoesOn
	// is that end.
	Expected policy.Promises
	GoesOn   time.Time
}

// Decided reports whether every command accepted so far has been taken.
func (v View) Decided() bool { return v.State != nil && v.State.Command >= v.Pending }

// Entries is the number of the last entry of the ticket's timeline, for commands that say what their writer had seen. The
// submission counts also before the first step has recorded it.
func (v View) Entries() int {
	if v.State == nil {
		return 1
	}
	return v.State.Ticket.Events
}

// Promised returns both promises as they stand.
func (v View) Promised() Promised { return PromisedOf(v.Ticket, v.Expected, v.GoesOn) }

// Gauge measures a promise at an instant.
func (v View) Gauge(name policy.ClockName, at time.Time) Gauge {
	clock := v.Ticket.Promise(name).Clock
	if clock.Settled() {
		clock = clock.AsSettled()
		at = clock.Ledger[len(clock.Ledger)-1].At
	}
	return Gauge{
		Standing: v.Promised().Promise(name), Settled: clock.Settled(),
		Budget: clock.Budget(), Used: clock.Used(v.Policy.Calendar, at),
	}
}

// Explain tells a clock's ledger line by line, up to an instant.
func (v View) Explain(name policy.ClockName, until time.Time) []policy.Line {
	return v.Ticket.Promise(name).Clock.Explain(v.Policy.Calendar, until)
}

// checkSubmission completes a submission with the policy's defaults and names every field that it can't accept.
func checkSubmission(s *Submission, by Person, p *policy.Policy) error {
	var details []fault.Detail
	reject := func(field, message string) {
		details = append(details, fault.Detail{Field: field, Message: message})
	}
	switch {
	case s.Category == "":
		s.Category = p.Categories[0]
	case !slices.Contains(p.Categories, s.Category):
		reject("category", "is not one of the policy's categories")
	}
	switch {
	case s.Priority == "":
		s.Priority = policy.PriorityNormal
	case !s.Priority.Valid():
		reject("priority", "is not low, normal, high or urgent")
	case !p.CustomersChoosePriority && by.Role == ticket.RoleCustomer && s.Priority != policy.PriorityNormal:
		reject("priority", "is chosen by the desk under the policy in force")
	}
	if utf8.RuneCountInString(s.Subject) > MaxSubject {
		reject("subject", "is longer than 200 characters")
	}
	if len(s.Body) > MaxBody {
		reject("body", "is longer than 64 KiB")
	}
	if len(details) > 0 {
		return fault.Fields(details...)
	}
	return nil
}
