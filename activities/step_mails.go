package activities

import (
	"context"
	"slices"
	"sync"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// maxSentByStep is the maximum number of mails that a step sends. One with more leaves all of them to the workflow.
	maxSentByStep = 8
	// maxSendings is how often a step sends mails: the steps that outcomes require may add mails.
	maxSendings = 3
)

// sendMails sends the mails that a step has added, takes the steps that their outcomes require, and returns the result of all.
// Deliveries that are to be made by the workflow remain in it. If it is repeated, because a worker died before its result was
// recorded, mails that were sent are not sent again, and those that bounced are recorded.
func (s *Steps) sendMails(ctx context.Context, r ticket.StepRequest, result ticket.StepResult) (ticket.StepResult, error) {
	known := r.LastDelivery
	var left []ticket.Owed
	for range maxSendings {
		added := result.Digest.LastDelivery - known
		if added <= 0 || added > maxSentByStep || !undisturbed(result) {
			break
		}
		outcomes := s.sendAll(ctx, r.Number, result.Owed)
		owed := result.Owed
		result.Owed = nil
		for n := known + 1; n <= known+added; n++ {
			i := slices.IndexFunc(owed, func(o ticket.Owed) bool { return o.N == n })
			outcome, tried := outcomes[n]
			var next ticket.StepRequest
			switch {
			case i < 0: // settled by an earlier attempt at this step; if it bounced, that may not be recorded
				next.Bounced = n
			case !tried || outcome.Pending:
				left = append(left, owed[i])
				continue
			case outcome.Bounced:
				next.Bounced = n
			case owed[i].Asks:
				next.Delivered = n
			}
			if i >= 0 {
				result.Sent = append(result.Sent, owed[i].Summary())
			}
			if next.Bounced == 0 && next.Delivered == 0 {
				continue
			}
			next.Number, next.LastDelivery = r.Number, result.Digest.LastDelivery
			after, err := s.stepper.Step(ctx, next)
			if err != nil {
				return result, err
			}
			if i >= 0 && !undisturbed(after) { // it waits for a command; the workflow asks for it again
				left = append(left, owed[i])
			}
			result = followed(result, after)
		}
		known += added
	}
	result.Owed = append(left, result.Owed...)
	result.SendNow = known == r.LastDelivery && len(result.Owed) > 0 // none was tried
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
// returns the outcomes of those that were tried.
func (s *Steps) sendAll(ctx context.Context, number ticket.Number, owed []ticket.Owed) map[int]ticket.DeliveryResult {
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
