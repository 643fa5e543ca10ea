package dispatch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// leaseFixture is one page of work with a slow Temporal, in memory, since PostgreSQL can't run in a bubble's time.
type leaseFixture struct {
	replacerFixture
	until time.Time // of the lease
	late  int       // replaced without it
	left  []string
}

func (s *leaseFixture) Lease(_ context.Context, _, _ string, lasts time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Now().Add(lasts)
	return true, nil
}
func (s *leaseFixture) EndLease(context.Context, string, string) error      { return nil }
func (s *leaseFixture) Abandon(context.Context, ticket.Number, int64) error { return nil }
func (s *leaseFixture) ReplacingOver(context.Context, int64) error          { return nil }

func (s *leaseFixture) Replacing(context.Context) (desk.Replacing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return desk.Replacing{Epoch: 1, Over: len(s.left) == 0}, nil
}

func (s *leaseFixture) ToReplace(_ context.Context, after string, _ int) ([]string, error) {
	if after != "" {
		return nil, nil
	}
	return s.left, nil
}

func (s *leaseFixture) Unknown(context.Context, []ticket.Number) ([]ticket.Number, error) {
	return nil, nil
}

func (s *leaseFixture) Replace(context.Context, string, int64) error {
	time.Sleep(9 * time.Second)
	return nil
}

func (s *leaseFixture) Replaced(context.Context, int64, string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().After(s.until) {
		s.late++
	}
	s.replaced["any"]++
	if s.replaced["any"] == 64 {
		s.left = nil
	}
	return nil
}

func TestReplacer_keepsItsLeaseThroughASlowPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &leaseFixture{left: make([]string, 64)}
		for i := range s.left {
			s.left[i] = "any"
		}
		s.replaced = map[string]int{}
		must(t, dispatch.NewReplacer(s, s, quiet).Finish(t.Context()))
		if s.late > 0 || s.replaced["any"] != 64 {
			t.Errorf("%d of %d were replaced after the lease had run out", s.late, s.replaced["any"])
		}
	})
}
