package app_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// bulkFixture is a fixture with an outcome or a refusal for each ticket.
type bulkFixture struct {
	*ticketFixture
	refuse map[ticket.Number]error
	answer map[ticket.Number]ticket.Outcome // others are not decided

	mu        sync.Mutex
	asked     map[ticket.Number]desk.Request
	now, most int           // concurrent calls of Command, and their maximum
	delay     time.Duration // of each call of Command
}

func newBulk(c *bulkFixture) (*bulkFixture, *app.Tickets) {
	c.ticketFixture, _ = newTickets(policy.Default())
	c.asked = map[ticket.Number]desk.Request{}
	return c, app.NewTickets(c, c, c, c, c)
}

func (c *bulkFixture) Command(_ context.Context, _ desk.Person, r desk.Request) (desk.Accepted, error) {
	c.mu.Lock()
	c.asked[r.Number] = r
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	time.Sleep(c.delay)
	defer func() {
		c.mu.Lock()
		c.now--
		c.mu.Unlock()
	}()
	if err := c.refuse[r.Number]; err != nil {
		return desk.Accepted{}, err
	}
	return desk.Accepted{Number: r.Number, Seq: 7}, nil
}

// Await blocks until ctx ends for a ticket without an outcome, if delay is set.
func (c *bulkFixture) Await(ctx context.Context, n ticket.Number, seq int64) (ticket.Outcome, bool, error) {
	o, decided := c.answer[n]
	if !decided && c.delay > 0 {
		<-ctx.Done()
	}
	return o, decided && seq == 7, nil
}

func TestBulk_returnsTheResultOfEachTicket(t *testing.T) {
	closed := fault.NewConflict(ticket.CodeClosed, "closed permanently")
	missing := fault.New(fault.NotFound, "there is no such ticket")
	nothing := ticket.Outcome{Refused: true, Code: ticket.CodeNothing, Reason: "theirs already"}
	c, d := newBulk(&bulkFixture{
		refuse: map[ticket.Number]error{"HM-C": closed, "HM-M": missing},
		answer: map[ticket.Number]ticket.Outcome{"HM-A": {}, "HM-B": nothing},
	})
	got, err := d.Bulk(context.Background(), agent, []ticket.Number{"HM-A", "HM-B", "HM-A", "HM-C", "HM-M", "HM-L"}, map[ticket.Number]int{"HM-A": 3, "HM-L": 9}, desk.Request{
		Verb: ticket.VerbAssign, Agent: "anna", IdempotencyKey: desk.IdempotencyKey{Key: "k", Fingerprint: []byte("f")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []desk.Result{
		{Number: "HM-A", Seq: 7, Decided: true}, {Number: "HM-B", Seq: 7, Decided: true, Outcome: nothing},
		{Number: "HM-C", Err: closed}, {Number: "HM-M", Err: missing}, {Number: "HM-L", Seq: 7},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for i, done := range []bool{true, false, false, false, false} {
		if got[i].Done() != done {
			t.Errorf("%s: done is %v", got[i].Number, got[i].Done())
		}
	}
	if c.wakes != 1 {
		t.Errorf("the relay was woken %d times", c.wakes)
	}
	keys := map[string]bool{}
	for n, r := range c.asked {
		if r.Number != n || r.Verb != ticket.VerbAssign || r.Agent != "anna" {
			t.Errorf("asked %+v", r)
		}
		if want := map[ticket.Number]int{"HM-A": 3, "HM-L": 9}[n]; r.Seen != want {
			t.Errorf("of %s entry %d was seen, want %d", n, r.Seen, want)
		}
		keys[r.IdempotencyKey.Key] = true
		keys[string(r.IdempotencyKey.Fingerprint)] = true
	}
	if len(keys) != 10 {
		t.Errorf("5 tickets share keys or fingerprints: %d of 10", len(keys))
	}
}

func TestBulk_isIdempotent(t *testing.T) {
	numbers := []ticket.Number{"HM-A", "HM-B"}
	var first map[ticket.Number]desk.Request
	for range 2 {
		c, d := newBulk(&bulkFixture{})
		if _, err := d.Bulk(context.Background(), agent, numbers, nil, desk.Request{IdempotencyKey: desk.IdempotencyKey{Key: "k", Fingerprint: []byte("f")}}); err != nil {
			t.Fatal(err)
		}
		if first != nil && fmt.Sprint(first) != fmt.Sprint(c.asked) {
			t.Errorf("asked %v, and the first time %v", c.asked, first)
		}
		first = c.asked
	}
}

// A few commands are accepted concurrently, and all outcomes are awaited concurrently.
func TestBulk_limitsConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, d := newBulk(&bulkFixture{delay: time.Second})
		start := time.Now()
		if _, err := d.Bulk(t.Context(), agent, many(desk.MaxBulk), nil, desk.Request{}); err != nil {
			t.Fatal(err)
		}
		if len(c.asked) != desk.MaxBulk || c.most < 2 || c.most > 8 {
			t.Errorf("%d were asked, %d at once", len(c.asked), c.most)
		}
		accepting := c.delay * time.Duration((desk.MaxBulk+c.most-1)/c.most)
		if took := time.Since(start) - accepting; took <= 0 || took > 2*time.Second {
			t.Errorf("it waited %s for the outcomes", took)
		}
	})
}

func TestBulk_limitsTheNumberOfTickets(t *testing.T) {
	for _, n := range []int{0, desk.MaxBulk + 1} {
		c, d := newBulk(&bulkFixture{})
		_, err := d.Bulk(context.Background(), agent, many(n), nil, desk.Request{})
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Invalid || len(c.asked) > 0 {
			t.Errorf("%d tickets: %v, %d asked", n, err, len(c.asked))
		}
	}
}

func many(n int) (numbers []ticket.Number) {
	for i := range n {
		numbers = append(numbers, ticket.Number(fmt.Sprintf("HM-%d", i)))
	}
	return numbers
}
