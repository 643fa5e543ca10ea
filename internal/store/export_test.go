package store

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// GateLock is for tests that stand in its way.
const GateLock = gateLock

// Bound is for tests that look at a connection.
var Bound = setTimeouts

// What the reconciler asks again and again, for a test that looks at their plans.
const (
	OverdueQuery = overdueQuery
	KeptQuery    = keptQuery
	ForgetQuery  = forgetQuery
)

// SettleAfter has mails about emergencies settle; see Options.
func (s *Store) SettleAfter(d time.Duration) { s.settle = d }

// Gathered is how many submissions wait for a statement.
func (s *Store) Gathered() int {
	s.submissions.mu.Lock()
	defer s.submissions.mu.Unlock()
	return len(s.submissions.waiting)
}

// NotSubmitted is asked after a submission that no statement accepted.
func (s *Store) NotSubmitted(ctx context.Context, by desk.Person, sub desk.Submission) error {
	u, err := s.use(ctx, by, account.TicketLimit())
	if err != nil {
		return err
	}
	_, err = s.notSubmitted(ctx, by, sub, u)
	return err
}
