package demo

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * hour
)

// teller invents one ticket. It asks the domain at every action, so that nobody asks what would be refused; what lies
// after now has not been done yet and is left out.
type teller struct {
	rng    *rand.Rand
	policy *policy.Policy
	cast   Cast
	now    time.Time

	topic     *topic
	fill      *strings.Replacer
	requester desk.Person
	agent     desk.Person
	earliest  time.Time // of the submission
	said      map[string]bool

	state  ticket.Ticket
	ticket desk.ImportTicket
	err    error
}

func newTeller(rng *rand.Rand, p *policy.Policy, cast Cast, now time.Time) *teller {
	s := &teller{rng: rng, policy: p, cast: cast, now: now, earliest: now.Add(-weeks * 7 * day), said: map[string]bool{}}
	customer := 0 // whoever is let in as the customer has a history worth looking at
	if !s.chance(6) {
		customer = rng.IntN(len(cast.Customers))
	}
	s.requester, s.agent = cast.Customers[customer], pick(s, cast.Agents)
	s.topic = &topics[rng.IntN(len(topics))]
	order := strconv.Itoa(100000 + rng.IntN(900000))
	s.fill = strings.NewReplacer(
		"{order}", order, "{product}", pick(s, products), "{amount}", strconv.Itoa(8+rng.IntN(240))+".90",
		"{day}", pick(s, weekdays), "{days}", strconv.Itoa(2+rng.IntN(9)), "{n}", strconv.Itoa(2+rng.IntN(5)),
	)
	if s.topic.order {
		s.ticket.Order = order
	}
	if customer%unreachable == unreachable-7 {
		s.ticket.Undeliverable = map[ticket.PersonID]string{s.requester.ID: "550 5.1.1 there is no such mailbox here (demo)"}
	}
	return s
}

// follow makes the ticket a follow-up of one that was closed.
func (s *teller) follow(before ending) {
	s.ticket.Follows, s.earliest = before.number, before.at
}

// end lets the requester rate how it went, and gives when the ticket was closed; zero if it is not.
func (s *teller) end() (time.Time, error) {
	if s.err != nil {
		return time.Time{}, s.err
	}
	last := s.last()
	result, err := ticket.Advance(s.state, ticket.Desk{Policy: s.policy, Unmailed: true}, s.now)
	if err != nil {
		return time.Time{}, err
	}
	if n := len(result.Events); n > 0 {
		last = result.Events[n-1].At
	}
	if t := result.Ticket; t.Closed() || t.Status == ticket.StatusResolved {
		s.rate(t, last)
	}
	if !result.Ticket.Closed() {
		return time.Time{}, nil
	}
	return last, nil
}

func (s *teller) last() time.Time {
	return s.ticket.Actions[len(s.ticket.Actions)-1].At
}

// tell adds an action, and reports whether it could be done.
func (s *teller) tell(d desk.ImportAction) bool {
	d.At = d.At.Truncate(time.Second)
	if n := len(s.ticket.Actions); n > 0 && d.At.Before(s.last()) {
		d.At = s.last().Add(time.Duration(1+s.rng.IntN(9)) * minute)
	}
	if s.err != nil || d.At.After(s.now) {
		return false
	}
	c := ticket.Command{
		Seq: int64(len(s.ticket.Actions) + 1), Verb: d.Verb, By: d.By.Actor(), At: d.At, Assignee: d.Agent.ID,
		Handle: d.By.Handle, Priority: d.Priority, Category: d.Category,
	}
	if d.Agent.ID != "" {
		c.Handle = d.Agent.Handle
	}
	if d.Body != "" {
		c.Message = c.Seq
	}
	result, err := ticket.Take(s.state, ticket.Desk{Policy: s.policy, Unmailed: true}, c)
	if err != nil || result.Outcome.Refused {
		s.err = err
		return false
	}
	s.state = result.Ticket
	s.ticket.Actions = append(s.ticket.Actions, d)
	return true
}

// between draws an instant that lies so long ago, rather by day than by night.
func (s *teller) between(from, to time.Duration) time.Time {
	var at time.Time
	for range 8 {
		at = s.now.Add(-from - s.upTo(to-from))
		if h := at.In(s.policy.Zone).Hour(); h >= 8 && h < 22 {
			break
		}
	}
	if at.Before(s.earliest) {
		at = s.earliest.Add(s.upTo(s.now.Sub(s.earliest) / 2))
	}
	return at
}

// worked draws an instant that lies so long ago and at which somebody works here, if there is one.
func (s *teller) worked(from, to time.Duration) time.Time {
	var at time.Time
	for range 24 {
		at = s.now.Add(-from - s.upTo(to-from))
		if s.policy.Calendar.Elapsed(policy.CountBusinessHours, at, at.Add(minute)) == minute {
			break
		}
	}
	return at
}

// office is the first instant from some on at which somebody works here.
func (s *teller) office(from time.Time) time.Time {
	at, err := s.policy.Calendar.Reach(policy.CountBusinessHours, from, time.Second)
	if err != nil { // a desk without hours: somebody always works
		return from
	}
	if at.Sub(from) > minute {
		at = at.Add(s.upTo(50 * minute))
	}
	return at
}

// soon is some time after the last action.
func (s *teller) soon(from, to time.Duration) time.Time { return s.last().Add(from + s.upTo(to-from)) }

// awake is the first instant from some on at which a customer may sit at a screen.
func (s *teller) awake(at time.Time) time.Time {
	for local := at.In(s.policy.Zone); local.Hour() < 7 || local.Hour() > 22; local = at.In(s.policy.Zone) {
		at = at.Add(hour + s.upTo(hour/2))
	}
	return at
}

// say picks a text that has not been used in this ticket, as long as there is one.
func (s *teller) say(from []string) string {
	var fresh []string
	for _, text := range from {
		if !s.said[text] {
			fresh = append(fresh, text)
		}
	}
	if len(fresh) == 0 {
		fresh = from
	}
	text := pick(s, fresh)
	s.said[text] = true
	return text
}

func (s *teller) upTo(d time.Duration) time.Duration {
	if d < time.Second {
		return 0
	}
	return time.Duration(s.rng.Int64N(int64(d)))
}

func (s *teller) chance(percent int) bool { return s.rng.IntN(100) < percent }

func pick[T any](s *teller, from []T) T { return from[s.rng.IntN(len(from))] }
