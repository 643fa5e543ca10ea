package app_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	submitted = time.Date(2026, time.November, 23, 10, 0, 0, 0, time.UTC)
	errAway   = errors.New("the database is away")
	customer  = desk.Person{ID: "P-CUSTOMER", Role: ticket.RoleCustomer}
	agent     = desk.Person{ID: "P-AGENT", Role: ticket.RoleAgent}
)

const number ticket.Number = "HM-7Q2K9XM4TD"

// ticketFixture is an in-memory store for Tickets. Its methods return the errors that are set.
type ticketFixture struct {
	mu       sync.Mutex
	policies map[int64]*policy.Policy
	version  int64 // in force
	schedule ticket.EmergencySchedule

	accepted desk.Accepted
	repeated desk.Accepted // with any key; zero: no key was used before
	outcome  ticket.Outcome
	decided  bool
	records  []desk.Record

	acceptError, awaitError, policyError error

	submissions  []desk.Submission
	rated        []desk.Rating
	entries      []desk.Entry
	asked        int    // calls of PolicyInForce
	wakes        int    // calls of Wake
	lease        string // what Lease returns
	direct       []desk.AcceptedCommand
	cancelled    int           // calls of Cancel
	awaitTimeout time.Duration // of the last call of Await
}

func newTickets(policies ...*policy.Policy) (*ticketFixture, *app.Tickets) {
	s := &ticketFixture{policies: map[int64]*policy.Policy{}, accepted: desk.Accepted{Number: number, Seq: 1, At: submitted, Policy: 1}}
	for i, p := range policies {
		s.policies[int64(i+1)] = p
	}
	s.version = 1
	return s, app.NewTickets(s, s, s, s, s)
}

func (s *ticketFixture) Submit(_ context.Context, _ desk.Person, sub desk.Submission) (desk.Accepted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acceptError == nil {
		s.submissions = append(s.submissions, sub)
	}
	a := s.accepted
	a.Priority, a.Category = sub.Priority, sub.Category
	return a, s.acceptError
}

func (s *ticketFixture) Repeated(_ context.Context, _ desk.Person, key desk.IdempotencyKey) (desk.Accepted, bool, error) {
	return s.repeated, key.Key != "" && s.repeated.Again, s.acceptError
}

func (s *ticketFixture) Command(context.Context, desk.Person, desk.Request) (desk.Accepted, error) {
	return s.accepted, s.acceptError
}

func (s *ticketFixture) Rate(_ context.Context, _ desk.Person, r desk.Rating) (desk.Rating, bool, error) {
	s.rated = append(s.rated, r)
	return r, true, nil
}

func (s *ticketFixture) Lease() string { return s.lease }

func (s *ticketFixture) Deliver(c desk.AcceptedCommand) { s.direct = append(s.direct, c) }

func (s *ticketFixture) Cancel() { s.cancelled++ }

func (s *ticketFixture) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakes++
}

func (s *ticketFixture) Await(ctx context.Context, n ticket.Number, seq int64) (ticket.Outcome, bool, error) {
	if until, ok := ctx.Deadline(); ok {
		s.awaitTimeout = time.Until(until)
	}
	if n != s.accepted.Number || seq != s.accepted.Seq {
		return ticket.Outcome{}, false, errors.New("another command")
	}
	return s.outcome, s.decided, s.awaitError
}

func (s *ticketFixture) Policy(_ context.Context, version int64) (*policy.Policy, error) {
	return s.policies[version], s.policyError
}

func (s *ticketFixture) Schedule(context.Context) (ticket.EmergencySchedule, error) {
	return s.schedule, nil
}

func (s *ticketFixture) ScheduleSince(context.Context, int64) (ticket.EmergencySchedule, error) {
	return s.schedule, nil
}

func (s *ticketFixture) PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.version, s.policies[s.version], nil, s.policyError
}

func (s *ticketFixture) Ticket(context.Context, desk.Person, ticket.Number) (desk.Record, error) {
	return s.records[0], s.acceptError
}

func (s *ticketFixture) Track(context.Context, ticket.Number) (desk.Record, error) {
	return s.records[0], s.acceptError
}

func (s *ticketFixture) List(context.Context, desk.Filter) ([]desk.Record, bool, error) {
	return s.records, len(s.records) > 1, s.acceptError
}

func (s *ticketFixture) Timeline(context.Context, desk.Person, ticket.Number) ([]desk.Entry, error) {
	return s.entries, s.acceptError
}
