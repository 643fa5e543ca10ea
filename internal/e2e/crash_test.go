package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// ledger is what the desk acknowledged while things died around it.
type ledger struct {
	mu      sync.Mutex
	tickets map[string]string   // number → the key of its submission
	replies map[string][]string // number → the words acknowledged
}

// load submits and replies from several customers at once until stopped. A request without an answer is asked
// again under its key, as a careful client does.
func (s *stack) load(stop *atomic.Bool, l *ledger) *sync.WaitGroup {
	var clients sync.WaitGroup
	for c := range 6 {
		clients.Go(func() {
			for i := 0; !stop.Load(); i++ {
				key := fmt.Sprintf("submission-%d-%d", c, i)
				number := s.insist(stop, s.customer, "/tickets", key, words{"subject": key, "body": "words of " + key})
				if number == "" {
					return
				}
				l.mu.Lock()
				l.tickets[number] = key
				l.mu.Unlock()
				reply := "reply to " + key
				if s.insist(stop, s.agent, "/tickets/"+number+"/replies", "reply-"+key, words{"body": reply}) == "" {
					return
				}
				l.mu.Lock()
				l.replies[number] = append(l.replies[number], reply)
				l.mu.Unlock()
			}
		})
	}
	return &clients
}

// insist asks until there is an acknowledgement, and returns the ticket's number; "" when the load is over.
func (s *stack) insist(stop *atomic.Bool, who person, path, key string, body words) string {
	for {
		got, err := who.try(http.MethodPost, path, key, body)
		if err == nil && got.status < 300 {
			var v ticketView
			if err := got.into(&v); err != nil {
				s.t.Errorf("%s: %v in %s", path, err, got.body)
			}
			return v.Number
		}
		if err == nil && got.status != http.StatusServiceUnavailable {
			s.t.Errorf("%s: %d %s", path, got.status, got.body)
			return ""
		}
		if stop.Load() {
			return ""
		}
	}
}

func (s *stack) awaitAcknowledged(l *ledger, n int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprint(n, " tickets are acknowledged"), func() (bool, string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.tickets) >= n, fmt.Sprint(len(l.tickets))
	})
}

// checkLedger waits until everything acknowledged is worked off, and looks for each word and each mail. A mail may
// come twice only if a crash can fall between SMTP's yes and its record.
func (s *stack) checkLedger(l *ledger, mayRepeat bool) {
	s.t.Helper()
	subjects := map[string]int{}
	for number, key := range l.tickets {
		s.agent.awaitDecided(number)
		entries := s.agent.timeline(number)
		checkNumbers(s.t, entries)
		var bodies []string
		for _, e := range entries {
			if e.Body != "" {
				bodies = append(bodies, e.Body)
			}
		}
		want := append([]string{"words of " + key}, l.replies[number]...)
		if len(l.replies[number]) == 0 && len(bodies) == 2 {
			want = append(want, "reply to "+key) // taken, and its acknowledgement was lost
		}
		if !slices.Equal(bodies, want) {
			s.t.Errorf("ticket %s holds the words %q, not %q", number, bodies, want)
		}
		subjects[key]++
		s.checkMails(number, len(want), mayRepeat)
	}
	for key, n := range subjects {
		if n != 1 {
			s.t.Errorf("submission %s became %d tickets", key, n)
		}
	}
}

func (p person) awaitDecided(number string) {
	p.stack.t.Helper()
	eventually(p.stack.t, number+" is decided", func() (bool, string) {
		v := p.ticket(number)
		return !v.Pending, fmt.Sprintf("%+v", v)
	})
}

func (s *stack) checkMails(number string, want int, mayRepeat bool) {
	s.t.Helper()
	ids := map[string]int{}
	eventually(s.t, fmt.Sprintf("the %d mails of %s", want, number), func() (bool, string) {
		clear(ids)
		for _, m := range s.mailsTo("customer@demo.example", number) {
			ids[m.MessageID]++
		}
		return len(ids) >= want, fmt.Sprint(ids)
	})
	if len(ids) > want {
		s.t.Errorf("ticket %s has sent %d mails, not %d", number, len(ids), want)
	}
	for id, n := range ids {
		if n > 1 && !mayRepeat {
			s.t.Errorf("mail %s came %d times", id, n)
		}
	}
}

// A rush is taken at PostgreSQL's pace, whatever Temporal's, and none of it is lost.
func TestRush_isAcceptedAtOnceAndWorkedOffLater(t *testing.T) {
	s := start(t, "")
	const clients, each = 32, 4
	numbers := make(chan string, clients*each)
	var rush sync.WaitGroup
	for range clients {
		rush.Go(func() {
			for range each {
				numbers <- s.customer.submit("Rush", "words")
			}
		})
	}
	rush.Wait()
	close(numbers)
	seen := map[string]bool{}
	for number := range numbers {
		seen[number] = true
	}
	if len(seen) != clients*each {
		t.Fatalf("%d submissions got %d numbers", clients*each, len(seen))
	}
	eventually(t, "every receipt arrives", func() (bool, string) {
		receipts := map[string]bool{}
		for _, m := range s.mails.Messages() {
			receipts[m.MessageID] = true
		}
		return len(receipts) >= len(seen), fmt.Sprint(len(receipts), " receipts")
	})
	for number := range seen {
		if mails := s.mailsTo("customer@demo.example", number); len(mails) != 1 || !strings.HasSuffix(mails[0].Subject, "Rush") {
			t.Errorf("ticket %s has sent %d mails", number, len(mails))
		}
	}
}
