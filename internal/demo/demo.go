// Package demo fills a desk with tickets for demonstrations and measurements: requests to a shop's support from the
// last twelve weeks, in every status, by people who evidently don't exist. It generates only what people asked and
// when; the domain decides the results, so that no state can be inconsistent. The same seed yields the same tickets. It
// knows no SQL and no Temporal.
package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// DefaultTickets is the default number of tickets.
	DefaultTickets = 400
	// weeks is the length of the period.
	weeks = 12
	// maxOpen is the default bound of tickets that are not closed, each of which is a running workflow: a desk of 100,000
	// tickets has no more of them than one of a few thousand, and Temporal on one machine starts about 100 a second.
	maxOpen = 2000
	// batchSize is the number of tickets imported in one transaction.
	batchSize = 1000
)

// Options configures Fill. The zero value is a typical demonstration.
type Options struct {
	Tickets int       // 0: DefaultTickets
	MaxOpen int       // maximum number of tickets that are not closed, approximately; 0: 2,000
	Seed    uint64    // random seed
	Now     time.Time // end of the period; zero: now
}

// store is the desk to fill.
type store interface {
	peopleStore
	PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error)
	Import(context.Context, []desk.ImportTicket) (int, error)
	ImportSuggestions(context.Context, []desk.Suggestion) (int, error)
	CannedReplies(context.Context, desk.Person) ([]desk.CannedReply, error)
	SaveCanned(context.Context, desk.Person, desk.CannedReply) (id int64, err error)
	SavedFilters(context.Context, desk.Person) ([]desk.SavedFilter, error)
	SaveFilter(context.Context, desk.Person, desk.SavedFilter) (id int64, err error)
	CreateGroup(ctx context.Context, by desk.Person, handle, title string) error
	AddToGroup(ctx context.Context, by desk.Person, group, whose string) error
	SetAway(ctx context.Context, by desk.Person, whose string, until time.Time) (desk.Colleague, error)
}

// Fill adds demo people and tickets under the current policy, and returns the number of tickets added. Tickets from an
// earlier run with the same seed are left alone, and so is everything else.
func Fill(ctx context.Context, k store, o Options) (added int, err error) {
	o = o.complete()
	_, p, _, err := k.PolicyInForce(ctx)
	if err != nil {
		return 0, err
	}
	cast, err := ensurePeople(ctx, k, customersFor(o.Tickets))
	if err != nil {
		return 0, err
	}
	w := generator{options: o, policy: p, cast: cast, closed: map[ticket.PersonID]closedTicket{}}
	for w.written < o.Tickets {
		tickets := make([]desk.ImportTicket, min(batchSize, o.Tickets-w.written))
		for i := range tickets {
			if tickets[i], err = w.next(); err != nil {
				return added, err
			}
		}
		n, err := k.Import(ctx, tickets)
		added += n
		if err != nil {
			return added, fmt.Errorf("fill the desk: %w", err)
		}
	}
	if added == 0 { // suggestions have no identity and would be added again on another day
		return 0, nil
	}
	if err := createRepliesAndFilters(ctx, k, cast.Supervisor); err != nil {
		return added, err
	}
	if err := createGroups(ctx, k, cast, time.Now()); err != nil {
		return added, err
	}
	return added, w.suggest(ctx, k)
}

func (o Options) complete() Options {
	if o.Tickets == 0 {
		o.Tickets = DefaultTickets
	}
	if o.MaxOpen == 0 {
		o.MaxOpen = maxOpen
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	o.Now = o.Now.UTC().Truncate(time.Second)
	return o
}

// generator generates tickets one after another.
type generator struct {
	options Options
	policy  *policy.Policy
	cast    People
	written int
	open    int
	closed  map[ticket.PersonID]closedTicket // the last closed ticket of each customer, for follow-ups
}

// closedTicket identifies a closed ticket.
type closedTicket struct {
	number ticket.Number
	at     time.Time
}

// next generates a ticket from a random source of its own, so that it doesn't depend on the others.
func (w *generator) next() (desk.ImportTicket, error) {
	rng := rand.New(rand.NewPCG(w.options.Seed, uint64(w.written)))
	scenario, room := scenarios[w.written%len(scenarios)], 2*day
	if w.open >= w.options.MaxOpen {
		scenario, room = closedOnly[w.written%len(closedOnly)], 5*7*day
	}
	// The customer with a sign-in link has a long history and, from the first round of the scenarios, every status.
	signedIn := w.written < len(openScenarios)+len(closedScenarios) && w.written%2 == 0 || rng.IntN(100) < 6
	w.written++
	s := newBuilder(rng, w.policy, w.cast, w.options.Now, signedIn)
	s.ticket.Number = number(rng)
	if before, ok := w.closed[s.requester.ID]; ok && s.now.Sub(before.at) > room && s.percentChance(12) {
		s.follow(before)
	}
	scenario(s)
	last, err := s.end()
	if err != nil {
		return desk.ImportTicket{}, fmt.Errorf("generate demo ticket %d: %w", w.written, err)
	}
	if last.IsZero() {
		w.open++
	} else {
		w.closed[s.requester.ID] = closedTicket{s.ticket.Number, last}
	}
	return s.ticket, nil
}

// number draws like ticket.NewNumber, but reproducibly.
func number(rng *rand.Rand) ticket.Number {
	const crockford, length = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 10
	code := make([]byte, length)
	for i := range code {
		code[i] = crockford[rng.IntN(len(crockford))]
	}
	return ticket.Number("HM-" + string(code))
}
