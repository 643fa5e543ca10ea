package ticket_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// chronicle is the oracle: it recounts a ticket's life from its events, with no clock, ledger or calendar of the code
// under test. It counts what passed between two events and says what should have fallen due by then. A shift by the
// length of an emergency is here what it means: time in an emergency does not count.
type chronicle struct {
	policy    *policy.Policy
	versions  map[int64]*policy.Policy
	minutes   *almanac
	extension func(command int64) time.Duration // what a command asked for; an event does not say

	now       time.Time
	moved     time.Time // when something last changed what falls due
	status    ticket.Status
	priority  policy.Priority
	emergency bool   // declared by hand
	tower     *tower // the desk's
	silent    time.Duration
	nudged    bool
	unheard   bool          // the mail that asks is owed: the requester's silence stands still
	asking    []int         // events of the present exchange whose mails ask
	returned  ticket.Status // what a bounce ended
	resumed   time.Time     // when an emergency ended last
	spans     []span        // since silence stands still
	promises  map[policy.ClockName]*tally
}

// span is a stretch of time in which nothing changes.
type span struct {
	from, to time.Time
	halted   bool
}

func (c *chronicle) listening() bool {
	return c.status == ticket.StatusWaiting || c.status == ticket.StatusResolved
}

// tally is one promise as the oracle counts it.
type tally struct {
	used, target, added                time.Duration
	counts                             policy.Counting
	settled, reminded, breached, ended bool
	fired                              map[int]bool // rungs
	met                                time.Time
	since                              time.Duration // outside emergencies, since the breach
}

func newChronicle(p *policy.Policy, tower *tower, extension func(int64) time.Duration) *chronicle {
	return &chronicle{
		policy: p, minutes: almanacOf(p), tower: tower, extension: extension,
		promises: map[policy.ClockName]*tally{policy.FirstResponse: {fired: map[int]bool{}}, policy.Resolution: {fired: map[int]bool{}}},
	}
}

// read takes the next event, and says what is wrong with it.
func (c *chronicle) read(e ticket.Event) error {
	if e.Kind == ticket.EventMailBounced || e.Kind == ticket.EventCallFailed {
		return nil // told when it is learned, between whatever
	}
	if e.At.Before(c.now) {
		return fmt.Errorf("%s at %s comes after what happened at %s", e.Kind, e.At, c.now)
	}
	if c.status == ticket.StatusClosed && e.Kind != ticket.EventRefused && e.Kind != ticket.EventMailResent {
		return fmt.Errorf("%s on a closed ticket", e.Kind)
	}
	c.pass(e.At)
	if err := c.judge(e); err != nil {
		return fmt.Errorf("%s at %s: %w", e.Kind, e.At, err)
	}
	c.fold(e)
	if e.Kind == ticket.EventResumed && !c.halted() {
		c.resumed = e.At
	}
	return nil
}

// pass counts the time up to an instant: second by second where it is not too long, else from one turn of the gate to
// the next.
func (c *chronicle) pass(to time.Time) {
	const short = 2 * time.Hour
	turns := c.tower.turns(c.now, to)
	slices.SortFunc(turns, time.Time.Compare)
	for c.status != "" && c.now.Before(to) {
		until := to
		if to.Sub(c.now) <= short {
			until = c.now.Add(time.Second)
		} else if i := slices.IndexFunc(turns, func(at time.Time) bool { return at.After(c.now) }); i >= 0 {
			until = turns[i]
		}
		c.count(c.now, until)
		c.now = until
	}
	c.now = to
	if len(turns) > 0 {
		c.moved = turns[len(turns)-1]
	}
}

// halted reports whether an emergency stops the clocks.
func (c *chronicle) halted() bool { return c.emergency || c.tower.shut(c.now) }

// count counts a stretch of time in which nothing changes.
func (c *chronicle) count(from, to time.Time) {
	if c.unheard {
		c.spans = append(c.spans, span{from, to, c.halted()})
	}
	if c.halted() {
		return
	}
	for name, p := range c.promises {
		if len(c.reasons(name)) == 0 {
			p.used += c.minutes.elapsed(p.counts, from, to)
		}
		if p.breached {
			p.since += to.Sub(from)
		}
	}
	if !c.unheard {
		c.silent += to.Sub(from)
	}
}

// hear counts the silence from an instant in the past on, but not from before the end of an emergency.
func (c *chronicle) hear(since time.Time) {
	if since.Before(c.resumed) {
		since = c.resumed
	}
	for _, s := range c.spans {
		if from := later(s.from, since); !s.halted && from.Before(s.to) {
			c.silent += s.to.Sub(from)
		}
	}
	c.unheard, c.spans, c.moved = false, nil, c.now
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// ask takes in a word of the desk to a requester who has the next move, or the end of that.
func (c *chronicle) ask(e ticket.Event, was ticket.Status) {
	if !c.listening() {
		c.unheard = false
		if e.Status != "" || e.Kind == ticket.EventCustomerReplied {
			c.asking, c.returned = nil, ""
		}
		if e.Kind == ticket.EventHandedBack {
			c.returned = was
		}
		return
	}
	if c.status != was || e.Kind == ticket.EventMailResent {
		c.asking = nil
	}
	c.asking, c.unheard, c.spans = append(c.asking, e.N), e.Asks, nil
	if !e.Asks {
		c.asking = nil
	}
}

// reasons is why a clock stands still, sorted.
func (c *chronicle) reasons(name policy.ClockName) []policy.Reason {
	var set []policy.Reason
	if c.halted() {
		set = append(set, policy.ReasonEmergency)
	}
	for _, r := range c.policy.Clocks[name].Pauses {
		if string(r) == string(c.status) {
			set = append(set, r)
		}
	}
	return set
}

// threshold is something that falls due when a count reaches a goal.
type threshold struct {
	kind       ticket.EventKind
	clock      policy.ClockName
	rung       int
	count      time.Duration
	goal       time.Duration
	byCalendar bool // the count is of calendar time and stops for nothing but emergencies
}

// thresholds lists what may fall due as things stand.
func (c *chronicle) thresholds() []threshold {
	var all []threshold
	if c.status == "" || c.status == ticket.StatusClosed || c.halted() {
		return nil
	}
	for _, name := range policy.ClockNames() {
		p, rule := c.promises[name], c.policy.Clocks[name]
		all = append(all, c.ladder(name)...)
		if p.settled || p.breached || len(c.reasons(name)) > 0 {
			continue
		}
		budget := p.target + p.added
		all = append(all, threshold{kind: ticket.EventBreached, clock: name, count: p.used, goal: budget})
		// Rounded up to the second: a reminder is never early, and never with the breach.
		seconds := (int64(budget/time.Second)*int64(rule.RemindAt) + 99) / 100
		goal := time.Duration(seconds) * time.Second
		if rule.RemindAt > 0 && !p.reminded && goal < budget && p.used < budget {
			all = append(all, threshold{kind: ticket.EventReminded, clock: name, count: p.used, goal: goal})
		}
	}
	return append(all, c.silence()...)
}

// ladder lists the rungs that are for a broken promise at the priority that the ticket has now.
func (c *chronicle) ladder(name policy.ClockName) []threshold {
	p := c.promises[name]
	if !p.breached || p.ended {
		return nil
	}
	var all []threshold
	for i, rung := range c.policy.Escalation {
		ours := (len(rung.Clocks) == 0 || slices.Contains(rung.Clocks, name)) && (len(rung.Priorities) == 0 || slices.Contains(rung.Priorities, c.priority))
		if ours && !p.fired[i+1] {
			all = append(all, threshold{kind: ticket.EventEscalated, clock: name, rung: i + 1, count: p.since, goal: rung.After, byCalendar: true})
		}
	}
	return all
}

func (c *chronicle) silence() []threshold {
	var all []threshold
	add := func(kind ticket.EventKind, goal time.Duration) {
		if goal > 0 && !c.unheard {
			all = append(all, threshold{kind: kind, count: c.silent, goal: goal, byCalendar: true})
		}
	}
	switch c.status {
	case ticket.StatusWaiting:
		if !c.nudged {
			add(ticket.EventNudged, c.policy.Silence.NudgeAfter)
		}
		add(ticket.EventResolved, c.policy.Silence.ResolveAfter)
	case ticket.StatusResolved:
		add(ticket.EventClosed, c.policy.Silence.CloseAfter)
	}
	return all
}

// judge says whether an event may happen now: a moment exactly when it falls due, and anything else only when
// nothing is due.
func (c *chronicle) judge(e ticket.Event) error {
	if e.Group != "" {
		return nil // a rule's choice, which roll judges
	}
	byItself := e.Command == 0
	if c.status != ticket.StatusClosed {
		by := e.At
		if ofGate(e) {
			by = e.At.Add(-time.Second) // others of the same instant may follow
		}
		if err := c.tower.untold(by, e.At); err != nil {
			return err
		}
	}
	if ofGate(e) {
		if err := c.overdue(e); err != nil {
			return err
		}
		return c.tower.judge(e)
	}
	if e.Kind == ticket.EventQuestionDelivered || e.Kind == ticket.EventHandedBack {
		byItself = false // when it is learned
	}
	if e.Kind == ticket.EventMailResent && (e.Status != "") != (e.Asks && c.returned != "") || e.Kind == ticket.EventMailResent && e.Status != "" && e.Status != c.returned {
		return fmt.Errorf("sent again, the ticket is %q, and was %q when the mail bounced", e.Status, c.returned)
	}
	if e.Kind == ticket.EventEscalated && e.Priority != c.raises(e.Rung) {
		return fmt.Errorf("rung %d raises the priority to %q, want %q", e.Rung, e.Priority, c.raises(e.Rung))
	}
	found := false
	for _, t := range c.thresholds() {
		due := t.count >= t.goal
		switch {
		case byItself && t.kind == e.Kind && t.clock == e.Promise && t.rung == e.Rung:
			found = true
			if !due {
				return fmt.Errorf("too early: %s of %s", t.count, t.goal)
			}
			if !c.reachedJustNow(t) {
				return fmt.Errorf("too late: %s of %s, and not at the first instant", t.count, t.goal)
			}
		case due && !byItself:
			return fmt.Errorf("%s %s rung %d was due before: %s of %s", t.kind, t.clock, t.rung, t.count, t.goal)
		case due && !c.reachedJustNow(t):
			return fmt.Errorf("%s %s rung %d is overdue: %s of %s", t.kind, t.clock, t.rung, t.count, t.goal)
		}
	}
	if byItself && !found {
		return fmt.Errorf("nothing of %s, rung %d, could fall due", e.Promise, e.Rung)
	}
	return nil
}

// ofGate reports whether an event tells of an edge of the desk's gate.
func ofGate(e ticket.Event) bool {
	return e.Command == 0 && (e.Kind == ticket.EventPaused || e.Kind == ticket.EventResumed || e.Kind == ticket.EventExtended)
}

// overdue says what fell due before an edge and was not told.
func (c *chronicle) overdue(e ticket.Event) error {
	for _, t := range c.thresholds() {
		if t.count >= t.goal && !c.reachedJustNow(t) {
			return fmt.Errorf("%s %s rung %d was due before the edge: %s of %s", t.kind, t.clock, t.rung, t.count, t.goal)
		}
	}
	return nil
}

// raises is the priority that a rung sets; none when it leaves things as they are.
func (c *chronicle) raises(rung int) policy.Priority {
	up := map[policy.Priority]policy.Priority{"low": "normal", "normal": "high", "high": "urgent"}
	if rung > len(c.policy.Escalation) || !c.policy.Escalation[rung-1].RaisePriority {
		return ""
	}
	return up[c.priority]
}

// reachedJustNow reports whether this is the first instant at which a goal is reached: a second ago there was a
// second to go, or something has just changed what falls due.
func (c *chronicle) reachedJustNow(t threshold) bool {
	if c.moved.Equal(c.now) {
		return true
	}
	if t.byCalendar {
		return t.count == t.goal
	}
	last := c.minutes.elapsed(c.promises[t.clock].counts, c.now.Add(-time.Second), c.now)
	return t.count == t.goal && last == time.Second
}

// stands reports whether nothing moves a promise's target any more: it was broken, or the first response was given.
func (c *chronicle) stands(name policy.ClockName) bool {
	p := c.promises[name]
	return p.breached || name == policy.FirstResponse && p.settled
}

// foldEdge lets an edge of the gate count: time stops by the gate itself.
func (c *chronicle) foldEdge(e ticket.Event) {
	by := c.tower.fold(e)
	for name, p := range c.promises {
		if !c.stands(name) {
			p.added += by
		}
	}
}

// fold takes in what an event changes.
func (c *chronicle) fold(e ticket.Event) {
	first, resolution := c.promises[policy.FirstResponse], c.promises[policy.Resolution]
	if ofGate(e) {
		c.foldEdge(e)
		return
	}
	if e.Kind == ticket.EventSubmitted {
		c.tower.submitted = e.At
	}
	if e.Kind == ticket.EventSubmitted || e.Priority != "" {
		c.moved, c.priority = e.At, e.Priority
		for name, p := range c.promises {
			if !c.stands(name) {
				p.target = c.policy.Target(name, e.Priority)
			}
			if e.Kind == ticket.EventSubmitted {
				p.counts = c.policy.Clocks[name].Counts
			}
		}
	}
	was := c.status
	if e.Status != "" {
		c.moved, c.status = e.At, e.Status
	}
	anew := e.Status != "" || e.Answers || e.Kind == ticket.EventProgressTold || e.Kind == ticket.EventMailResent && e.Asks
	if anew {
		c.silent, c.nudged = 0, false
	}
	if anew || !c.listening() || e.Kind == ticket.EventNudged && e.Asks {
		c.ask(e, was)
	}
	switch e.Kind {
	case ticket.EventReminded:
		c.promises[e.Promise].reminded = true
	case ticket.EventBreached:
		c.promises[e.Promise].breached = true
	case ticket.EventEscalated:
		c.promises[e.Promise].fired[e.Rung] = true
	case ticket.EventNudged:
		c.nudged = true
	case ticket.EventPaused:
		c.moved, c.emergency = e.At, true
	case ticket.EventResumed:
		c.moved, c.emergency = e.At, false
	case ticket.EventPolicyAdopted:
		c.moved, c.policy = e.At, c.versions[e.Policy]
		c.minutes = almanacOf(c.policy)
		for name, p := range c.promises {
			if !c.stands(name) {
				p.target = c.policy.Target(name, c.priority)
			}
			if !p.breached {
				p.counts = c.policy.Clocks[name].Counts
			}
		}
	case ticket.EventExtended:
		c.moved = e.At
		for name, p := range c.promises {
			if !c.stands(name) {
				p.added += c.extension(e.Command)
			}
		}
	case ticket.EventResolved:
		resolution.settled, resolution.met = true, e.At
	case ticket.EventReopened, ticket.EventHandedBack:
		resolution.settled, resolution.met = false, time.Time{}
	case ticket.EventQuestionDelivered:
		c.hear(e.Since)
	case ticket.EventClosed:
		first.settled, resolution.settled = true, true
	}
	if e.Answers && first.met.IsZero() {
		first.settled, first.met = true, e.At
	}
	if e.Kind == ticket.EventMailResent && e.Status == ticket.StatusResolved {
		resolution.settled, resolution.met = true, e.At
	}
	if e.Answers || e.Kind == ticket.EventMailResent && e.Status == ticket.StatusResolved || e.Kind == ticket.EventAcknowledged || e.Kind == ticket.EventResolved || e.Kind == ticket.EventClosed {
		for _, p := range c.promises {
			p.ended = p.ended || p.breached
		}
	}
}
