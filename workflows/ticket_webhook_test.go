package workflows_test

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// watchedPolicy calls webhooks before and beside people.
var watchedPolicy = strings.Replace(testPolicy, "  - {after: 0s, tell: [assignee, supervisors], raise_priority: true}\n  - {after: 6h, tell: [supervisors]}\n",
	"  - {after: 0s, tell: [{webhook: ops}, supervisors]}\n  - {after: 6h, tell: [supervisors, {webhook: ops}, {webhook: watch}]}\n", 1)

// useWebhook records when each webhook was called and mails were sent, as "hours what".
func (s *fixture) useWebhook(endpoint func(ticket.Owed) (bool, error)) *[]string {
	var mu sync.Mutex
	var all []string
	s.mails(func(o ticket.Owed) (bool, error) {
		failed, err := endpoint(o)
		if err == nil && !failed && o.Kind != ticket.MailReceipt && o.Kind != ticket.MailReminder {
			at := s.env.Now().Sub(begin).Truncate(time.Hour)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, at.String()+" "+string(o.Kind)+" "+o.Webhook+string(o.To))
		}
		return failed, err
	})
	return &all
}

// TestWebhook_thatFailsForAWhileHoldsUpNothingElse and receives all of it in order when it is back.
func TestWebhook_thatFailsForAWhileHoldsUpNothingElse(t *testing.T) {
	s := newFixtureUnder(t, watchedPolicy)
	got := s.useWebhook(func(o ticket.Owed) (bool, error) {
		if o.Webhook == "ops" && s.env.Now().Before(begin.Add(33*h)) {
			return false, away
		}
		return false, nil
	})
	s.closeAt(34 * h)
	s.run()
	want := []string{
		"24h0m0s escalation P-SUPERVISOR", "30h0m0s escalation P-SUPERVISOR", "30h0m0s webhook watch", "33h0m0s webhook ops", "33h0m0s webhook ops",
		"34h0m0s closure P-CUSTOMER",
	}
	slices.Sort((*got)[1:3])
	if !slices.Equal(*got, want) {
		t.Errorf("received\n%s\nwant\n%s", strings.Join(*got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWebhook_thatRefusesForGoodIsAnEventAndTheNextCallIsTried(t *testing.T) {
	s := newFixtureUnder(t, watchedPolicy)
	var calls atomic.Int32 // they are made beside each other
	s.useWebhook(func(o ticket.Owed) (bool, error) {
		if o.Webhook == "ops" {
			calls.Add(1)
		}
		return o.Webhook == "ops", nil
	})
	s.closeAt(31 * h)
	s.run()
	var failed []string
	for _, e := range s.desk.Events(number) {
		if e.Kind == ticket.EventWebhookFailed {
			failed = append(failed, e.Webhook)
		}
	}
	if !slices.Equal(failed, []string{"ops", "ops"}) || calls.Load() != 2 {
		t.Errorf("the timeline shows %v after %d calls", failed, calls.Load())
	}
}
