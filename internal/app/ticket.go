package app

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// outcomeWait is how long a request waits for the outcome of its command before it is answered that the command was
// accepted.
const outcomeWait = 2 * time.Second

// acceptor stores what people ask for. From the return of a method without an error on nothing of it is lost.
type acceptor interface {
	Submit(context.Context, desk.Person, desk.Submission) (desk.Accepted, error)
	// Repeated returns what was accepted before under a key, and false if nothing was.
	Repeated(context.Context, desk.Person, desk.IdempotencyKey) (desk.Accepted, bool, error)
	Command(context.Context, desk.Person, desk.Request) (desk.Accepted, error)
	Rate(context.Context, desk.Person, desk.Rating) (desk.Rating, error)
}

// ticketReader reads tickets as their readers may see them.
type ticketReader interface {
	Ticket(context.Context, desk.Person, ticket.Number) (desk.Record, error)
	Track(context.Context, ticket.Number) (desk.Record, error)
	List(context.Context, desk.Filter) (records []desk.Record, more bool, err error)
	// Timeline returns all events, also those that are for staff alone.
	Timeline(context.Context, desk.Person, ticket.Number) ([]desk.Entry, error)
}

// terms are what deadlines follow from: the published policies and the emergency schedule.
type termsReader interface {
	publishedPolicies
	Schedule(context.Context) (ticket.EmergencySchedule, error)
	// ScheduleSince returns the schedule as of a revision or later. It costs nothing if that is known already.
	ScheduleSince(ctx context.Context, revision int64) (ticket.EmergencySchedule, error)
}

// outcomes waits for what becomes of a command, at most until ctx ends; then it returns false.
type outcomeWaiter interface {
	Await(context.Context, ticket.Number, int64) (o ticket.Outcome, decided bool, err error)
}

// Tickets accepts submissions and commands and shows tickets: the one path for both the API and the pages.
type Tickets struct {
	acceptor acceptor
	reader   ticketReader
	terms    termsReader
	outcomes outcomeWaiter
	relay    waker
	inForce  *policyCache
}

// NewTickets returns a service over a store. It wakes the relay after each acceptance.
func NewTickets(a acceptor, r ticketReader, t termsReader, o outcomeWaiter, relay waker) *Tickets {
	return &Tickets{acceptor: a, reader: r, terms: t, outcomes: o, relay: relay, inForce: &policyCache{policies: t}}
}

// Submit accepts a new ticket and returns both deadlines. Nothing is lost once it returns without an error. Category and
// priority are completed and checked by the policy in force; a repeated submission is answered as it was the first time,
// whatever is in force by now.
func (s *Tickets) Submit(ctx context.Context, by desk.Person, sub desk.Submission) (desk.Receipt, error) {
	version, p, err := s.inForce.get(ctx)
	if err != nil {
		return desk.Receipt{}, err
	}
	accepted, err := s.accept(ctx, by, sub, p)
	if err != nil {
		return desk.Receipt{}, err
	}
	s.relay.Wake()
	if accepted.Policy != version { // another was published in the meantime, or the key is an earlier submission's
		if p, err = s.terms.Policy(ctx, accepted.Policy); err != nil {
			return desk.Receipt{}, err
		}
	}
	return s.receipt(ctx, by, accepted, p)
}

// accept checks and accepts a submission, unless it was accepted before under its key.
func (s *Tickets) accept(ctx context.Context, by desk.Person, sub desk.Submission, p *policy.Policy) (desk.Accepted, error) {
	if refused := checkSubmission(&sub, by, p); refused != nil {
		first, again, err := s.acceptor.Repeated(ctx, by, sub.IdempotencyKey)
		if err != nil || again {
			return first, err
		}
		return desk.Accepted{}, refused
	}
	return s.acceptor.Submit(ctx, by, sub)
}

// checkSubmission completes a submission with the policy's defaults and names every field that it can't accept.
func checkSubmission(s *desk.Submission, by desk.Person, p *policy.Policy) error {
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
	if utf8.RuneCountInString(s.Subject) > desk.MaxSubject {
		reject("subject", "is longer than 200 characters")
	}
	if len(s.Body) > desk.MaxBody {
		reject("body", "is longer than 64 KiB")
	}
	if len(details) > 0 {
		return fault.Fields(details...)
	}
	return nil
}

// Command accepts a command and waits a little for its outcome. With decided false it was accepted and will be
// decided later; a refusal is in the outcome and is no error. An error beside an accepted number says that the outcome
// can't be learned: the command is stored all the same, and must not be sent again.
func (s *Tickets) Command(ctx context.Context, by desk.Person, r desk.Request) (a desk.Accepted, o ticket.Outcome, decided bool, err error) {
	a, err = s.acceptor.Command(ctx, by, r)
	if err != nil {
		return a, o, false, err
	}
	s.relay.Wake()
	waiting, cancel := context.WithTimeout(ctx, outcomeWait)
	defer cancel()
	o, decided, err = s.outcomes.Await(waiting, a.Number, a.Seq)
	return a, o, decided, err
}

// Rate stores a requester's rating of their own ticket, in place of an earlier one. It is no command: it changes no
// promise, so no workflow takes part and it is answered at once. It is Invalid with the fields at fault, NotFound for
// another's ticket, Forbidden for staff, and a Conflict unless the ticket is resolved, or was closed not long ago.
func (s *Tickets) Rate(ctx context.Context, by desk.Person, r desk.Rating) (desk.Rating, error) {
	if err := r.Check(); err != nil {
		return desk.Rating{}, err
	}
	if err := authorise(by, customersOnly); err != nil {
		return desk.Rating{}, err
	}
	return s.acceptor.Rate(ctx, by, r)
}

// Ticket returns one ticket as this person may see it.
func (s *Tickets) Ticket(ctx context.Context, viewer desk.Person, n ticket.Number) (desk.View, error) {
	record, err := s.reader.Ticket(ctx, viewer, n)
	if err != nil {
		return desk.View{}, err
	}
	return s.view(ctx, record)
}

// List returns a page of tickets and whether there are more.
func (s *Tickets) List(ctx context.Context, f desk.Filter) ([]desk.View, bool, error) {
	records, more, err := s.reader.List(ctx, f)
	if err != nil {
		return nil, false, err
	}
	views := make([]desk.View, 0, len(records))
	for _, r := range records {
		v, err := s.view(ctx, r)
		if err != nil {
			return nil, false, err
		}
		views = append(views, v)
	}
	return views, more, nil
}

// Timeline returns what this person may see of a ticket's history, oldest first. A customer sees the public events and the
// refusals of what they asked for themselves, numbered anew without a gap.
func (s *Tickets) Timeline(ctx context.Context, viewer desk.Person, n ticket.Number) ([]desk.Entry, error) {
	entries, err := s.reader.Timeline(ctx, viewer, n)
	if err != nil || viewer.Role.Staff() {
		return entries, err
	}
	return publicEntries(entries, viewer.ID), nil
}

// Track returns what the number alone shows.
func (s *Tickets) Track(ctx context.Context, n ticket.Number) (desk.Tracking, error) {
	record, err := s.reader.Track(ctx, n)
	if err != nil {
		return desk.Tracking{}, err
	}
	v, err := s.view(ctx, record)
	if err != nil {
		return desk.Tracking{}, err
	}
	return desk.Tracking{Number: n, Status: v.Ticket.Status, Submitted: record.Submitted, Promises: v.Promised()}, nil
}

// PolicyInForce returns the policy that a ticket accepted now would be pinned to, with its document.
func (s *Tickets) PolicyInForce(ctx context.Context) (int64, *policy.Policy, []byte, error) {
	return s.terms.PolicyInForce(ctx)
}
