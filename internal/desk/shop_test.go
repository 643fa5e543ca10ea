package desk_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	birth    = time.Date(2026, time.November, 23, 10, 0, 0, 0, time.UTC)
	errAway  = errors.New("the database is away")
	customer = desk.Person{ID: "P-CUSTOMER", Role: ticket.RoleCustomer}
	agent    = desk.Person{ID: "P-AGENT", Role: ticket.RoleAgent}
)

const number ticket.Number = "HM-7Q2K9XM4TD"

// shop is everything that a desk stands on, in memory. A zero error lets it work.
type shop struct {
	mu       sync.Mutex
	policies map[int64]*policy.Policy
	version  int64 // in force
	gate     ticket.Gate

	accepted desk.Accepted
	repeated desk.Accepted // under any key; zero: no key was used before
	outcome  ticket.Outcome
	decided  bool
	records  []desk.Record

	acceptError, awaitError, policyError error

	submissions []desk.Submission
	rated       []desk.Rating
	asked       int           // for the policy in force
	wakes       int           // of the courier
	patience    time.Duration // that Await was given
}

func open(policies ...*policy.Policy) (*shop, *desk.Desk) {
	s := &shop{policies: map[int64]*policy.Policy{}, accepted: desk.Accepted{Number: number, Seq: 1, At: birth, Policy: 1}}
	for i, p := range policies {
		s.policies[int64(i+1)] = p
	}
	s.version = 1
	return s, desk.New(s, s, s, s, s)
}

func (s *shop) Submit(_ context.Context, _ desk.Person, sub desk.Submission) (desk.Accepted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acceptError == nil {
		s.submissions = append(s.submissions, sub)
	}
	a := s.accepted
	a.Priority, a.Category = sub.Priority, sub.Category
	return a, s.acceptError
}

func (s *shop) Repeated(_ context.Context, _ desk.Person, once desk.Once) (desk.Accepted, bool, error) {
	return s.repeated, once.Key != "" && s.repeated.Again, s.acceptError
}

func (s *shop) Command(context.Context, desk.Person, desk.Request) (desk.Accepted, error) {
	return s.accepted, s.acceptError
}

func (s *shop) Rate(_ context.Context, _ desk.Person, r desk.Rating) (desk.Rating, error) {
	s.rated = append(s.rated, r)
	return r, nil
}

func (s *shop) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakes++
}

func (s *shop) Await(ctx context.Context, n ticket.Number, seq int64) (ticket.Outcome, bool, error) {
	if until, ok := ctx.Deadline(); ok {
		s.patience = time.Until(until)
	}
	if n != s.accepted.Number || seq != s.accepted.Seq {
		return ticket.Outcome{}, false, errors.New("another command")
	}
	return s.outcome, s.decided, s.awaitError
}

func (s *shop) Policy(_ context.Context, version int64) (*policy.Policy, error) {
	return s.policies[version], s.policyError
}

func (s *shop) Gate(context.Context) (ticket.Gate, error) { return s.gate, nil }

func (s *shop) GateSince(context.Context, int64) (ticket.Gate, error) { return s.gate, nil }

func (s *shop) PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.version, s.policies[s.version], nil, s.policyError
}

func (s *shop) Ticket(context.Context, desk.Person, ticket.Number) (desk.Record, error) {
	return s.records[0], s.acceptError
}

func (s *shop) Track(context.Context, ticket.Number) (desk.Record, error) {
	return s.records[0], s.acceptError
}

func (s *shop) List(context.Context, desk.Filter) ([]desk.Record, bool, error) {
	return s.records, len(s.records) > 1, s.acceptError
}

func (s *shop) Timeline(context.Context, desk.Person, ticket.Number) ([]desk.Entry, error) {
	return nil, s.acceptError
}
