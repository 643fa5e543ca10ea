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

// builder generates one ticket. It applies each action to the domain, so that none is refused; actions after now are
// left out.
type builder struct {
	rng    *rand.Rand
	policy *policy.Policy
	cast   People
	now    time.Time

	topic     *topic
	fill      *strings.Replacer
	requester desk.Person
	agent     desk.Person
	earliest  time.Time // of the submission
	used      map[string]bool

	state  ticket.Ticket
	ticket desk.ImportTicket
	err    error
}

// newBuilder begins a ticket of the customer with a sign-in link, or of any.
func newBuilder(rng *rand.Rand, p *policy.Policy, cast People, now time.Time, signedIn bool) *builder {
	s := &builder{rng: rng, policy: p, cast: cast, now: now, earliest: now.Add(-weeks * 7 * day), used: map[string]bool{}}
	customer := 0
	if !signedIn {
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
	if customer%bounceEvery == bounceEvery-7 {
		s.ticket.Undeliverable = map[ticket.PersonID]string{s.requester.ID: "550 5.1.1 there is no such mailbox here (demo)"}
	}
	return s
}

// follow makes the ticket a follow-up of a closed one.
func (s *builder) follow(before closedTicket) {
	s.ticket.Follows, s.earliest = before.number, before.at
}

// end adds a rating and returns when the ticket was closed; zero if it was not.
func (s *builder) end() (time.Time, error) {
	if s.err != nil {
		return time.Time{}, s.err
	}
	last := s.last()
	result, err := ticket.Advance(s.state, ticket.Environment{Policy: s.policy, RequesterDisabled: true}, s.now)
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

func (s *builder) last() time.Time {
	return s.ticket.Actions[len(s.ticket.Actions)-1].At
}

// do adds an action and reports whether it was possible.
func (s *builder) do(d desk.ImportAction) bool {
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
	result, err := ticket.Decide(s.state, ticket.Environment{Policy: s.policy, RequesterDisabled: true}, c)
	if err != nil || result.Outcome.Refused {
		s.err = err
		return false
	}
	s.state = result.Ticket
	s.ticket.Actions = append(s.ticket.Actions, d)
	return true
}

// between draws an instant within a range of ages, preferably during the day.
func (s *builder) between(from, to time.Duration) time.Time {
	var at time.Time
	for range 8 {
		at = s.now.Add(-from - s.randomUpTo(to-from))
		if h := at.In(s.policy.Zone).Hour(); h >= 8 && h < 22 {
			break
		}
	}
	if at.Before(s.earliest) {
		at = s.earliest.Add(s.randomUpTo(s.now.Sub(s.earliest) / 2))
	}
	return at
}

// workingTimeAgo draws an instant within a range of ages during opening hours, if there is one.
func (s *builder) workingTimeAgo(from, to time.Duration) time.Time {
	var at time.Time
	for range 24 {
		at = s.now.Add(-from - s.randomUpTo(to-from))
		if s.policy.Calendar.Elapsed(policy.CountBusinessHours, at, at.Add(minute)) == minute {
			break
		}
	}
	return at
}

// workingTime returns the first instant from some on during opening hours.
func (s *builder) workingTime(from time.Time) time.Time {
	at, err := s.policy.Calendar.Add(policy.CountBusinessHours, from, time.Second)
	if err != nil { // without opening hours, staff always work
		return from
	}
	if at.Sub(from) > minute {
		at = at.Add(s.randomUpTo(50 * minute))
	}
	return at
}

// soon returns an instant after the last action.
func (s *builder) soon(from, to time.Duration) time.Time {
	return s.last().Add(from + s.randomUpTo(to-from))
}

// daytime returns the first instant from some on between 7:00 and 23:00.
func (s *builder) daytime(at time.Time) time.Time {
	for local := at.In(s.policy.Zone); local.Hour() < 7 || local.Hour() > 22; local = at.In(s.policy.Zone) {
		at = at.Add(hour + s.randomUpTo(hour/2))
	}
	return at
}

// pickUnused picks a text that the ticket does not have yet, if there is one.
func (s *builder) pickUnused(from []string) string {
	var fresh []string
	for _, text := range from {
		if !s.used[text] {
			fresh = append(fresh, text)
		}
	}
	if len(fresh) == 0 {
		fresh = from
	}
	text := pick(s, fresh)
	s.used[text] = true
	return text
}

func (s *builder) randomUpTo(d time.Duration) time.Duration {
	if d < time.Second {
		return 0
	}
	return time.Duration(s.rng.Int64N(int64(d)))
}

func (s *builder) percentChance(percent int) bool { return s.rng.IntN(100) < percent }

func pick[T any](s *builder, from []T) T { return from[s.rng.IntN(len(from))] }
