package app

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
