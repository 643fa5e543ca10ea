package activities

import (
	"context"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// maxSentByStep is the maximum number of mails that a step sends. One with more leaves all of them to the workflow.
	maxSentByStep = 8
	// maxSendings is how often a step sends mails: the steps that outcomes require may add mails.
	maxSendings = 3
	// sendingTime is the time after which a step sends no further mail. The ticket's commands wait for it.
	sendingTime = 2 * time.Second
)

// sendMails sends the mails that a step has added, takes the steps that their outcomes require, and returns the result of all.
// Deliveries that are to be made by the workflow remain in it. If it is repeated, because a worker died before its result was
// recorded, mails that were sent are not sent again, and those whose failure was not recorded are still in the step's result:
// their delivery returns the failure, and they are recorded.
func (s *Steps) sendMails(ctx context.Context, r ticket.StepRequest, result ticket.StepResult) (ticket.StepResult, error) {
	until := time.Now().Add(sendingTime)
	var left []ticket.Owed // later mails to their recipients wait for them
	for sending := range maxSendings {
		owed := result.Owed
		if len(owed) == 0 || len(owed) > maxSentByStep || len(left) > 0 || !undisturbed(result) || !s.immediate.Ready() || time.Now().After(until) {
			result.SendNow = sending == 0 && len(owed) > 0
			break
		}
		outcomes := s.sendAll(ctx, r.Number, owed, until)
		result.Owed = nil
		for _, o := range owed {
			outcome, tried := outcomes[o.N]
			next := ticket.StepRequest{Number: r.Number, LastDelivery: result.Digest.LastDelivery}
			switch {
			case !tried || outcome.Pending || len(result.Owed) >= ticket.MaxOwed:
				left = append(left, o)
				continue
			case outcome.Bounced:
				next.Bounced = o.N
			case o.Asks:
				next.Delivered = o.N
			}
			if !outcome.Bounced {
				result.Sent = append(result.Sent, o.Summary())
			}
			if next.Bounced == 0 && next.Delivered == 0 {
				continue
			}
			after, err := s.stepper.Step(ctx, next)
			if err != nil {
				return result, err
			}
			if !undisturbed(after) { // it waits for a command; the workflow asks for it again
				left = append(left, o)
			}
			result = followed(result, after)
		}
	}
	result.Owed = append(left, result.Owed...)
	return result, nil
}

// undisturbed reports whether a step has decided everything that was accepted, and so recorded what it was asked to.
func undisturbed(r ticket.StepResult) bool {
	return r.LastCommand <= r.Digest.Command && r.Digest.Parked == nil
}

// followed returns the result of two steps, one after the other.
func followed(first, next ticket.StepResult) ticket.StepResult {
	next.Outcomes = append(first.Outcomes, next.Outcomes...)
	next.Outcomes = next.Outcomes[:min(len(next.Outcomes), ticket.MaxOutcomes)]
	next.Owed = append(first.Owed, next.Owed...)
	next.Manual, next.Sent = first.Manual, first.Sent
	return next
}

// sendAll sends mails to several recipients at once, those of one recipient in order up to the first that is pending, and
// returns the outcomes of those that were tried. After an instant it tries no more.
func (s *Steps) sendAll(ctx context.Context, number ticket.Number, owed []ticket.Owed, until time.Time) map[int]ticket.DeliveryResult {
	byRecipient := map[string][]ticket.Owed{}
	for _, o := range owed {
		if o.Kind != ticket.KindWebhook {
			byRecipient[o.OrderKey()] = append(byRecipient[o.OrderKey()], o)
		}
	}
	var mu sync.Mutex
	outcomes := map[int]ticket.DeliveryResult{}
	var group sync.WaitGroup
	for _, some := range byRecipient {
		group.Go(func() {
			for _, o := range some {
				if time.Now().After(until) {
					return
				}
				outcome, _ := s.immediate.Mail(ctx, ticket.DeliveryRequest{Number: number, N: o.N}) // its error is always nil
				mu.Lock()
				outcomes[o.N] = outcome
				mu.Unlock()
				if outcome.Pending {
					return
				}
			}
		})
	}
	group.Wait()
	return outcomes
}
