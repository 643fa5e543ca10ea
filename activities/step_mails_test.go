package activities_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// script is a ticket whose steps return the results of a list, one after the other, and an outbox that returns each mail's outcome.
type script struct {
	results  []ticket.StepResult
	requests []ticket.StepRequest
	bounces  int64           // the mail that bounces
	pends    map[int64]bool  // the mails that can't be sent at the moment
	takes    time.Duration   // each mail
	tried    map[int64]int64 // how often, by number
}

func (s *script) Step(_ context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	s.requests = append(s.requests, r)
	result := s.results[0]
	s.results = s.results[1:]
	return result, nil
}

func (s *script) Deliver(_ context.Context, k outbox.Key) (bool, error) {
	time.Sleep(s.takes) // synthetic
	s.tried[k.N]++
	if s.pends[k.N] {
		return false, outbox.ErrClaimed
	}
	return k.N == s.bounces, nil
}

func owes(last int, all ...ticket.Owed) ticket.StepResult {
	return ticket.StepResult{Digest: ticket.Digest{LastDelivery: last}, Owed: all}
}

func (s *script) run(t *testing.T) ticket.StepResult {
	t.Helper()
	s.tried = map[int64]int64{}
	m := activities.NewImmediateMails(s, 1, room) // one at a time: script is not for several goroutines
	defer m.Close(time.Second)
	result, err := activities.NewSteps(s, m).Step(t.Context(), ticket.StepRequest{Number: number, SendMails: true})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func numbers(all []ticket.Owed) (n []int) {
	for _, o := range all {
		n = append(n, o.N)
	}
	return n
}

func mailTo(n int, person ticket.PersonID) ticket.Owed {
	return ticket.Owed{N: n, To: person, Kind: ticket.MailReceipt}
}

// A later mail to a person waits for an earlier one that is left to the workflow.
func TestStep_sendsNoMailBeforeAnEarlierOneToTheSamePerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{bounces: 1, pends: map[int64]bool{2: true}, results: []ticket.StepResult{
			owes(2, mailTo(1, "P-A"), mailTo(2, "P-A")), owes(3, mailTo(3, "P-A")),
		}}
		if got := numbers(s.run(t).Owed); !slices.Equal(got, []int{2, 3}) || s.tried[3] != 0 {
			t.Errorf("left %v to the workflow; mails were tried so often: %v", got, s.tried)
		}
	})
}

// A mail that an earlier attempt at the step has settled as bounced is recorded by this one, and is not listed as sent.
func TestStep_recordsABounceAndDoesNotCallItSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{bounces: 2, results: []ticket.StepResult{owes(2, mailTo(1, "P-A"), mailTo(2, "P-A")), owes(2)}}
		result := s.run(t)
		if len(result.Owed) != 0 || len(result.Sent) != 1 || len(s.requests) != 2 || s.requests[1].Bounced != 2 {
			t.Errorf("%+v after the steps %+v", result, s.requests)
		}
	})
}

// A step has no long list of slow mails that the ticket's commands would wait for.
func TestStep_sendsMailsOnlyForAShortTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []ticket.Owed
		for n := 1; n <= 8; n++ {
			all = append(all, mailTo(n, "P-A"))
		}
		s := &script{takes: 400 * time.Millisecond, results: []ticket.StepResult{owes(8, all...)}}
		began := time.Now()
		result := s.run(t)
		if took := time.Since(began); took > 3*time.Second || len(result.Sent) == 0 || len(result.Owed) == 0 {
			t.Errorf("%d sent, %v left after %s", len(result.Sent), numbers(result.Owed), took)
		}
	})
}

// A history that another worker has begun may try a mail where this worker tries none.
func TestSendMailNow_isPendingWithoutImmediateMails(t *testing.T) {
	got, err := activities.NewSteps(fixture{}, nil).SendMailNow(t.Context(), ticket.DeliveryRequest{Number: number, N: 1})
	if err != nil || !got.Pending {
		t.Errorf("%+v, %v", got, err)
	}
}
