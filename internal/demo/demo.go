// Package demo fills a desk with tickets to show and to measure: shop support matters of the last twelve weeks, in
// every state, between people who plainly don't exist. It only invents what people asked and when; what came of it is
// the domain's answer, so nothing here can forge a state. The same seed gives the same tickets. It knows no SQL and no
// Temporal.
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
	// Tickets is how many make a desk look lived in.
	Tickets = 400
	// weeks is how far the past reaches back.
	weeks = 12
	// mostAlive usually bounds the tickets that are not closed, each of which is a running workflow: a desk of 100,000 tickets
	// has no more open ones than a desk of a few thousand, and Temporal on one machine starts about 100 a second.
	mostAlive = 2000
	// atOnce is how many tickets are written in one transaction.
	atOnce = 1000
)

// Options says what to fill a desk with. The zero value is a usual demonstration.
type Options struct {
	Tickets int       // 0: Tickets
	Alive   int       // no more than these are not closed, give or take a few; 0: 2,000
	Seed    uint64    // of everything that is drawn
	Now     time.Time // the instant that the past leads up to; zero: now
	Prefix  string    // of ticket numbers; "HM" when empty
}

// keeper is the desk that is filled.
type keeper interface {
	AddPerson(context.Context, desk.Person) (desk.Person, error)
	PersonByHandleOrAddress(context.Context, string) (desk.Person, error)
	PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error)
	Import(context.Context, []desk.ImportTicket) (int, error)
	ImportSuggestions(context.Context, []desk.Suggestion) (int, error)
	CannedReplies(context.Context, desk.Person) ([]desk.Canned, error)
	SaveCanned(context.Context, desk.Person, desk.Canned) (id int64, err error)
	SavedFilters(context.Context, desk.Person) ([]desk.Saved, error)
	SaveFilter(context.Context, desk.Person, desk.Saved) (id int64, err error)
	MakeGroup(ctx context.Context, by desk.Person, handle, title string) error
	JoinGroup(ctx context.Context, by desk.Person, group, whose string) error
	LeaveDesk(ctx context.Context, by desk.Person, whose string, until time.Time) (desk.Colleague, error)
}

// Fill adds demo people and tickets under the policy in force, and gives how many tickets it added. Those that are
// there already, from an earlier run with the same seed, are left alone; so is everything else on the desk.
func Fill(ctx context.Context, k keeper, o Options) (added int, err error) {
	o = o.complete()
	_, p, _, err := k.PolicyInForce(ctx)
	if err != nil {
		return 0, err
	}
	cast, err := assemble(ctx, k, customersFor(o.Tickets))
	if err != nil {
		return 0, err
	}
	w := writer{options: o, policy: p, cast: cast, closed: map[ticket.PersonID]ending{}}
	for w.written < o.Tickets {
		tickets, err := w.write(min(atOnce, o.Tickets-w.written))
		if err != nil {
			return added, err
		}
		n, err := k.Import(ctx, tickets)
		added += n
		if err != nil {
			return added, fmt.Errorf("fill the desk: %w", err)
		}
	}
	if added == 0 { // their instants follow the clock, so they would come again on another day
		return 0, nil
	}
	if err := notebook(ctx, k, cast.Supervisor); err != nil {
		return added, err
	}
	if err := form(ctx, k, cast, time.Now()); err != nil {
		return added, err
	}
	return added, w.suggest(ctx, k)
}

func (o Options) complete() Options {
	if o.Tickets == 0 {
		o.Tickets = Tickets
	}
	if o.Alive == 0 {
		o.Alive = mostAlive
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	o.Now = o.Now.UTC().Truncate(time.Second)
	if o.Prefix == "" {
		o.Prefix = "HM"
	}
	return o
}

// writer invents one ticket after the other.
type writer struct {
	options Options
	policy  *policy.Policy
	cast    Cast
	written int
	alive   int
	closed  map[ticket.PersonID]ending // the last one that each customer can follow up
}

// ending is where a ticket's life ended.
type ending struct {
	number ticket.Number
	at     time.Time
}

func (w *writer) write(n int) ([]desk.ImportTicket, error) {
	tickets := make([]desk.ImportTicket, 0, n)
	for range n {
		c, err := w.next()
		if err != nil {
			return nil, err
		}
		tickets = append(tickets, c)
	}
	return tickets, nil
}

// next tells a ticket by a source of its own, so that it is the same whatever stands around it.
func (w *writer) next() (desk.ImportTicket, error) {
	rng := rand.New(rand.NewPCG(w.options.Seed, uint64(w.written)))
	scene, room := scenes[w.written%len(scenes)], 2*day
	if w.alive >= w.options.Alive {
		scene, room = endings[w.written%len(endings)], 5*7*day
	}
	w.written++
	s := newTeller(rng, w.policy, w.cast, w.options.Now)
	s.ticket.Number = number(w.options.Prefix, rng)
	if before, ok := w.closed[s.requester.ID]; ok && s.now.Sub(before.at) > room && s.chance(12) {
		s.follow(before)
	}
	scene(s)
	last, err := s.end()
	if err != nil {
		return desk.ImportTicket{}, fmt.Errorf("tell demo ticket %d: %w", w.written, err)
	}
	if last.IsZero() {
		w.alive++
	} else {
		w.closed[s.requester.ID] = ending{s.ticket.Number, last}
	}
	return s.ticket, nil
}

// number draws as ticket.NewNumber does, from a source that can be repeated.
func number(prefix string, rng *rand.Rand) ticket.Number {
	const crockford, length = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 10
	code := make([]byte, length)
	for i := range code {
		code[i] = crockford[rng.IntN(len(crockford))]
	}
	return ticket.Number(prefix + "-" + string(code))
}
