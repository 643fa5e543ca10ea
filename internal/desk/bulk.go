package desk

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// MaxBulk is how many tickets one bulk command may name.
	MaxBulk = 100
	// bulkAtOnce is how many of them are accepted side by side: others work at the same time.
	bulkAtOnce = 4
)

// Result is what became of a bulk command on one ticket.
type Result struct {
	Number  ticket.Number
	Seq     int64          // of the command; 0: it was not accepted, and Err says why
	Decided bool           // false with Seq: accepted, and decided later
	Outcome ticket.Outcome // once decided; a refusal has its reason in it
	Err     error          // a fault: NotFound, a Conflict for a closed ticket, … ; beside Seq: the outcome can't be learned
}

// Done reports whether the command was granted.
func (r Result) Done() bool { return r.Decided && !r.Outcome.Refused && r.Err == nil }

// Bulk asks the same of up to MaxBulk tickets, as Command would of each, and waits a little for all the outcomes
// together. The results come in the order of the numbers, one for each that is named. Its error is Invalid and says
// that nothing was asked of anybody. With a key, what was accepted the first time is not asked again: each ticket has
// a key of its own, made from it. seen is what was seen of each, as Request.Seen has it; of those that it lacks it is not said.
func (d *Desk) Bulk(ctx context.Context, by Person, numbers []ticket.Number, seen map[ticket.Number]int, r Request) ([]Result, error) {
	named := map[ticket.Number]bool{}
	numbers = slices.DeleteFunc(slices.Clone(numbers), func(n ticket.Number) bool {
		again := named[n]
		named[n] = true
		return again
	})
	if len(numbers) == 0 || len(numbers) > MaxBulk {
		return nil, fault.Field("numbers", "must name 1 to %d tickets", MaxBulk)
	}
	results := make([]Result, len(numbers))
	d.acceptAll(ctx, by, numbers, seen, r, results)
	d.courier.Wake()
	d.awaitAll(ctx, results)
	return results, nil
}

// acceptAll has a command accepted for each ticket, some at a time.
func (d *Desk) acceptAll(ctx context.Context, by Person, numbers []ticket.Number, seen map[ticket.Number]int, r Request, results []Result) {
	free := make(chan struct{}, bulkAtOnce)
	var all sync.WaitGroup
	for i, n := range numbers {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			own := r
			own.Number, own.Seen, own.Once = n, seen[n], r.Once.of(n)
			a, err := d.acceptor.Command(ctx, by, own)
			results[i] = Result{Number: n, Seq: a.Seq, Err: err}
		})
	}
	all.Wait()
}

// awaitAll waits for every outcome at once, as long as Command would for one.
func (d *Desk) awaitAll(ctx context.Context, results []Result) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var all sync.WaitGroup
	for i := range results {
		if r := &results[i]; r.Err == nil {
			all.Go(func() { r.Outcome, r.Decided, r.Err = d.outcomes.Await(waiting, r.Number, r.Seq) })
		}
	}
	all.Wait()
}

// of makes the key of one ticket from that of many.
func (o Once) of(n ticket.Number) Once {
	if o.Key == "" {
		return o
	}
	fingerprint := sha256.Sum256(append(slices.Clone(o.Fingerprint), n...))
	return Once{Key: o.Key + " " + string(n), Fingerprint: fingerprint[:]}
}
