package app

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/logging"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// outcomeWait is how long a request waits for the outcome of its command. After that it is answered as accepted.
const outcomeWait = 2 * time.Second

// acceptor accepts submissions, commands and ratings. They are stored durably once a method returns without an error.
type acceptor interface {
	Submit(context.Context, desk.Person, desk.Submission) (desk.Accepted, error)
	// Repeated returns what was accepted before with a key, and false if nothing was.
	Repeated(context.Context, desk.Person, desk.IdempotencyKey) (desk.Accepted, bool, error)
	Command(context.Context, desk.Person, desk.Request) (desk.Accepted, error)
	// Rate returns false unless the person may rate the ticket now.
	Rate(context.Context, desk.Person, desk.Rating) (r desk.Rating, rated bool, err error)
}

// ticketReader reads tickets. It returns a NotFound fault for a ticket that the person may not see.
type ticketReader interface {
	Ticket(context.Context, desk.Person, ticket.Number) (desk.Record, error)
	Track(context.Context, ticket.Number) (desk.Record, error)
	List(context.Context, desk.Filter) (records []desk.Record, more bool, err error)
	// Timeline returns all events, including those visible to staff only.
	Timeline(context.Context, desk.Person, ticket.Number) ([]desk.Entry, error)
}

// termsReader reads what deadlines depend on: the published policies and the emergency schedule.
type termsReader interface {
	publishedPolicies
	Schedule(context.Context) (ticket.EmergencySchedule, error)
	// ScheduleSince returns the schedule at a revision or a later one. It is cheap if that is cached.
	ScheduleSince(ctx context.Context, revision int64) (ticket.EmergencySchedule, error)
}

// outcomeWaiter waits for the outcome of a command. It returns false if ctx ends before the command is decided.
type outcomeWaiter interface {
	Await(context.Context, ticket.Number, int64) (o ticket.Outcome, decided bool, err error)
}

// Tickets accepts submissions and commands and shows tickets, both for the API and for the pages.
type Tickets struct {
	acceptor acceptor
	reader   ticketReader
	terms    termsReader
	outcomes outcomeWaiter
	relay    relay
	inForce  *policyCache
}

// NewTickets returns Tickets over a store. It wakes the relay after each acceptance.
func NewTickets(a acceptor, r ticketReader, t termsReader, o outcomeWaiter, relay relay) *Tickets {
	return &Tickets{acceptor: a, reader: r, terms: t, outcomes: o, relay: relay, inForce: &policyCache{policies: t}}
}

// Submit accepts a new ticket and returns its deadlines. The ticket is stored durably once Submit returns without an error.
// Category and priority have defaults and limits in the policy in force. A repeated submission is answered as the first
// time, even under another policy. Submit returns an Invalid fault that names the invalid fields.
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
	logging.Add(ctx, slog.String(logging.Ticket, string(accepted.Number)), slog.Int64(logging.Command, accepted.Seq))
	if accepted.Policy != version { // another version was published in the meantime, or the submission is repeated
		if p, err = s.terms.Policy(ctx, accepted.Policy); err != nil {
			return desk.Receipt{}, err
		}
	}
	return s.receipt(ctx, by, accepted, p)
}

// accept checks and accepts a submission, unless it was accepted before with its key.
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

// checkSubmission sets the policy's defaults and returns an Invalid fault that names the invalid fields.
func checkSubmission(s *desk.Submission, by desk.Person, p *policy.Policy) error {
	var wrong fault.Details
	switch {
	case s.Category == "":
		s.Category = p.Categories[0]
	case !slices.Contains(p.Categories, s.Category):
		wrong.Add("category", "is not one of the policy's categories")
	}
	switch {
	case s.Priority == "":
		s.Priority = policy.PriorityNormal
	case !s.Priority.Valid():
		wrong.Add("priority", "is not low, normal, high or urgent")
	case !p.CustomersChoosePriority && by.Role == ticket.RoleCustomer && s.Priority != policy.PriorityNormal:
		wrong.Add("priority", "can't be chosen under the current policy")
	}
	if by.Role == ticket.RoleCustomer && slices.Contains(desk.EnteredChannels(), s.Channel) {
		wrong.Add("channel", "can be chosen by staff only")
	}
	if utf8.RuneCountInString(s.Subject) > desk.MaxSubject {
		wrong.Add("subject", "is longer than 200 characters")
	}
	if len(s.Body) > desk.MaxBody {
		wrong.Add("body", "is longer than 64 KiB")
	}
	return wrong.Err()
}

// Command accepts a command and waits up to outcomeWait for its outcome. If decided is false, the command is decided later.
// A refusal is an outcome and not an error. If a.Seq is set, an error means that the outcome is unknown: the command has been
// stored and must not be sent again.
func (s *Tickets) Command(ctx context.Context, by desk.Person, r desk.Request) (a desk.Accepted, o ticket.Outcome, decided bool, err error) {
	if a, err = s.Send(ctx, by, r); err != nil {
		return a, o, false, err
	}
	waiting, cancel := context.WithTimeout(ctx, outcomeWait)
	defer cancel()
	o, decided, err = s.outcomes.Await(waiting, a.Number, a.Seq)
	return a, o, decided, err
}

// Send accepts a command and does not wait for its outcome.
func (s *Tickets) Send(ctx context.Context, by desk.Person, r desk.Request) (desk.Accepted, error) {
	r.Lease = s.relay.Lease()
	a, err := s.acceptor.Command(ctx, by, r)
	accepted := err == nil && !a.Again
	switch {
	case r.Lease != "" && accepted:
		s.relay.Deliver(a.Command(by, r))
	case r.Lease != "":
		s.relay.Cancel()
		if err == nil {
			s.relay.Wake() // what was accepted before may have been left behind
		}
	case accepted:
		s.relay.Wake()
	}
	if err == nil {
		logging.Add(ctx, slog.String(logging.Ticket, string(a.Number)), slog.Int64(logging.Command, a.Seq))
	}
	return a, err
}

// Rate stores a requester's rating of their own ticket, replacing an earlier one. A rating is not a command, because it has
// no effect on deadlines. Rate returns an Invalid fault that names the invalid fields, NotFound for a ticket of someone else,
// Forbidden for staff, and a Conflict unless the ticket is resolved or was closed less than desk.RatingTime ago.
func (s *Tickets) Rate(ctx context.Context, by desk.Person, r desk.Rating) (desk.Rating, error) {
	if err := r.Check(); err != nil {
		return desk.Rating{}, err
	}
	if err := authorise(by, customersOnly); err != nil {
		return desk.Rating{}, err
	}
	r, rated, err := s.acceptor.Rate(ctx, by, r)
	if err == nil && !rated {
		err = s.notRatable(ctx, by, r.Number)
	}
	if err != nil {
		return desk.Rating{}, err
	}
	return r, nil
}

// Codes of a Conflict when a ticket can't be rated.
const (
	CodeTooEarly = "not-resolved"
	CodeTooLate  = "rating-over"
)

// notRatable returns why a requester can't rate a ticket.
func (s *Tickets) notRatable(ctx context.Context, by desk.Person, n ticket.Number) error {
	record, err := s.reader.Ticket(ctx, by, n)
	switch {
	case err != nil:
		return err
	case record.State == nil || record.State.Ticket.Status != ticket.StatusClosed:
		return fault.NewConflict(CodeTooEarly, "a ticket can be rated once it is resolved")
	default:
		return fault.NewConflict(CodeTooLate, "a ticket can be rated until %d days after it was closed", desk.RatingTime/(24*time.Hour))
	}
}

// Ticket returns a ticket as the viewer may see it, and a NotFound fault if they may not.
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

// Timeline returns the entries of a ticket's timeline that the viewer may see, oldest first. A customer sees public events
// and the refusals of their own commands, numbered without gaps.
func (s *Tickets) Timeline(ctx context.Context, viewer desk.Person, n ticket.Number) ([]desk.Entry, error) {
	entries, err := s.reader.Timeline(ctx, viewer, n)
	if err != nil {
		return nil, err
	}
	merges := ticket.Merges(eventsOf(entries))
	if !viewer.Role.Staff() {
		entries = publicEntries(entries, viewer.ID)
	}
	identify(entries, merges)
	return entries, nil
}

// Track returns what anyone who knows a ticket's number may see of it.
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

// PolicyInForce returns the policy version that a ticket accepted now is pinned to, its policy and its document.
func (s *Tickets) PolicyInForce(ctx context.Context) (int64, *policy.Policy, []byte, error) {
	return s.terms.PolicyInForce(ctx)
}

// bulkAtOnce is how many commands of one bulk are accepted concurrently. It leaves database connections for other requests.
const bulkAtOnce = 4

// Bulk sends the same command to up to desk.MaxBulk tickets, as Command does to one, and waits up to outcomeWait for all
// outcomes together. The results are in the order of the numbers, without duplicates. Bulk returns an Invalid fault for too
// many or no numbers. An idempotency key covers the whole bulk; the keys of the tickets' commands are derived from it. seen
// has the Request.Seen of each ticket, which is 0 if it is missing.
func (s *Tickets) Bulk(ctx context.Context, by desk.Person, numbers []ticket.Number, seen map[ticket.Number]int, r desk.Request) ([]desk.Result, error) {
	named := map[ticket.Number]bool{}
	numbers = slices.DeleteFunc(slices.Clone(numbers), func(n ticket.Number) bool {
		again := named[n]
		named[n] = true
		return again
	})
	if len(numbers) == 0 || len(numbers) > desk.MaxBulk {
		return nil, fault.Field("numbers", "must name 1 to %d tickets", desk.MaxBulk)
	}
	results := make([]desk.Result, len(numbers))
	s.acceptAll(ctx, by, numbers, seen, r, results)
	s.relay.Wake()
	s.awaitAll(ctx, results)
	return results, nil
}

// acceptAll accepts the command for each ticket, bulkAtOnce at a time.
func (s *Tickets) acceptAll(ctx context.Context, by desk.Person, numbers []ticket.Number, seen map[ticket.Number]int, r desk.Request, results []desk.Result) {
	free := make(chan struct{}, bulkAtOnce)
	var all sync.WaitGroup
	for i, n := range numbers {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			own := r
			own.Number, own.Seen, own.IdempotencyKey = n, seen[n], keyFor(r.IdempotencyKey, n)
			a, err := s.acceptor.Command(ctx, by, own)
			results[i] = desk.Result{Number: n, Seq: a.Seq, Err: err}
		})
	}
	all.Wait()
}

// awaitAll waits for all outcomes concurrently, up to outcomeWait in total.
func (s *Tickets) awaitAll(ctx context.Context, results []desk.Result) {
	waiting, cancel := context.WithTimeout(ctx, outcomeWait)
	defer cancel()
	var all sync.WaitGroup
	for i := range results {
		if r := &results[i]; r.Err == nil {
			all.Go(func() { r.Outcome, r.Decided, r.Err = s.outcomes.Await(waiting, r.Number, r.Seq) })
		}
	}
	all.Wait()
}

// keyFor derives the idempotency key of one ticket's command from that of the bulk.
func keyFor(key desk.IdempotencyKey, n ticket.Number) desk.IdempotencyKey {
	if key.Key == "" {
		return key
	}
	fingerprint := sha256.Sum256(append(slices.Clone(key.Fingerprint), n...))
	return desk.IdempotencyKey{Key: key.Key + " " + string(n), Fingerprint: fingerprint[:]}
}
