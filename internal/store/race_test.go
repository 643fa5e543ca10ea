package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestStep_raceOfCommandsLosesNothing(t *testing.T) {
	d := open(t)
	a := d.submit(d.customer)
	const clients, each = 50, 4
	accepted := make(chan desk.Accepted, clients*each)
	var clerks, steppers sync.WaitGroup
	for i := range clients {
		clerks.Go(func() {
			for j := range each {
				got, err := d.Command(t.Context(), d.agent, desk.Request{
					Number: a.Number, Verb: ticket.VerbNote, Body: fmt.Sprintf("note %d of client %d", j, i),
				})
				if err != nil {
					t.Error(err)
				}
				accepted <- got
			}
		})
	}
	go func() { clerks.Wait(); close(accepted) }()
	for range 3 {
		steppers.Go(func() {
			for got := range accepted {
				if _, err := d.Step(t.Context(), ticket.StepRequest{Number: a.Number, Command: got.Seq}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	steppers.Wait()
	if n := len(d.timeline(a.Number)); n != 1+clients*each {
		t.Errorf("%d events, want %d", n, 1+clients*each)
	}
	if words := one[int64](d, `SELECT count(DISTINCT body) FROM messages`); words != 1+clients*each {
		t.Errorf("%d messages, want %d", words, 1+clients*each)
	}
	d.consistent(a.Number)
}

// TestStep_randomLives applies what may happen to a ticket over some days, in a random order, and checks what is
// stored.
func TestStep_randomLives(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			d := openUnder(t, quick)
			newRandomTicket(d, rand.New(rand.NewPCG(seed, 1))).play(60)
		})
	}
}

// randomTicket is a ticket in the past, with the instant that its random history has reached.
type randomTicket struct {
	*fixture
	random *rand.Rand
	number ticket.Number
	now    time.Time
	state  ticket.State
	mails  int
}

func newRandomTicket(d *fixture, random *rand.Rand) *randomTicket {
	a := d.submit(d.customer)
	l := &randomTicket{fixture: d, random: random, number: a.Number, now: a.At.Add(-100 * 24 * time.Hour)}
	d.redate(a, l.now)
	l.took(d.step(ticket.StepRequest{Number: a.Number, Command: 1}))
	return l
}

func (l *randomTicket) play(moves int) {
	l.t.Helper()
	for range moves {
		l.now = l.now.Add(time.Duration(l.random.IntN(90)) * time.Minute)
		if l.random.IntN(3) == 0 && l.fallDue() {
			continue
		}
		if !l.command() {
			break // closed
		}
	}
	l.consistent(l.number)
	if l.mails != l.state.LastDelivery {
		l.t.Errorf("%d mails were owed in all, want %d", l.mails, l.state.LastDelivery)
	}
}

func (l *randomTicket) fallDue() bool {
	if l.state.Next.Kind == "" || l.state.Next.Due.After(l.now) {
		return false
	}
	r := ticket.StepRequest{Number: l.number, LastDelivery: l.mails, Due: l.state.Next.Due}
	before := l.state.Ticket.Events
	l.took(l.step(r))
	if l.state.Ticket.Events == before {
		l.t.Errorf("nothing happened at %v", r.Due)
	}
	l.took(l.step(ticket.StepRequest{Number: l.number, LastDelivery: l.mails, Due: r.Due}))
	return true
}

// command accepts one or several commands before the next step.
func (l *randomTicket) command() bool {
	l.t.Helper()
	var last desk.Accepted
	for range 1 + l.random.IntN(3) {
		by, r := l.anything()
		a, err := l.Command(l.t.Context(), by, r)
		if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == ticket.CodeClosed {
			return false
		} else if err != nil {
			l.t.Fatal(err)
		}
		l.redate(a, l.now)
		last = a
	}
	l.took(l.step(ticket.StepRequest{Number: l.number, LastDelivery: l.mails, Command: last.Seq}))
	return true
}

func (l *randomTicket) anything() (desk.Person, desk.Request) {
	staff := []desk.Person{l.agent, l.second, l.supervisor}[l.random.IntN(3)]
	pick := func(verbs ...ticket.Verb) ticket.Verb { return verbs[l.random.IntN(len(verbs))] }
	r := desk.Request{Number: l.number, Body: fmt.Sprint("words ", l.random.Int())}
	if l.random.IntN(4) == 0 {
		r.Verb = pick(ticket.VerbCustomerReply, ticket.VerbCustomerReply, ticket.VerbCustomerReply, ticket.VerbClose)
		return l.customer, r
	}
	r.Verb = pick(ticket.VerbAssign, ticket.VerbAgentReply, ticket.VerbRequestInformation, ticket.VerbProgressUpdate,
		ticket.VerbNote, ticket.VerbReclassify, ticket.VerbResolve, ticket.VerbReopen, ticket.VerbAcknowledge)
	if r.Verb == ticket.VerbReclassify {
		r.Priority = policy.Priorities()[l.random.IntN(4)]
	}
	return staff, r
}

func (l *randomTicket) took(r stepped) {
	for _, o := range r.Owed {
		l.mails++
		if o.N != l.mails {
			l.t.Errorf("mail %d came after mail %d", o.N, l.mails-1)
		}
	}
	l.state = r.State
}
