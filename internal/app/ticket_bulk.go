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

// bulkAtOnce is how many commands of a bulk are accepted at the same time. Others need the database, too.
const bulkAtOnce = 4

// Bulk asks the same of up to desk.MaxBulk tickets, as Command would of each, and waits a little for all the outcomes
// together. The results come in the order of the numbers, one for each that is named. Its error is Invalid, and says
// that nothing was accepted. With a key, what was accepted the first time is not accepted again: each ticket has a key
// of its own, made from it. seen is Request.Seen of each ticket, 0 of those that it lacks.
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

// acceptAll has a command accepted for each ticket, bulkAtOnce at a time.
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

// awaitAll waits for every outcome at once, as long as Command would for one.
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

// keyFor derives the idempotency key of one ticket from that of a bulk.
func keyFor(key desk.IdempotencyKey, n ticket.Number) desk.IdempotencyKey {
	if key.Key == "" {
		return key
	}
	fingerprint := sha256.Sum256(append(slices.Clone(key.Fingerprint), n...))
	return desk.IdempotencyKey{Key: key.Key + " " + string(n), Fingerprint: fingerprint[:]}
}
