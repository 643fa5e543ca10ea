package ticket_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// timelineOracle is the oracle of timelines. It recounts a ticket's clocks from its events, without the clocks, ledgers and
// calendar of the code under test: it counts the time between two events and determines what was due by then. Where the
// code under test shifts deadlines by the length of an emergency, the oracle does not count the time in it.
type timelineOracle struct {
	snoozedUntil time.Time // zero: it is not snoozed
	disturbed    bool      // the event that wakes the ticket has happened, and the one that records it follows

	policy    *policy.Policy
	versions  map[int64]*policy.Policy
	calendar  *calendarOracle
	extension func(command int64) time.Duration // of a command, since its event does not record it

	now         time.Time
	changed     time.Time // when something last changed what is due
	status      ticket.Status
	priority    policy.Priority
	emergency   bool             // declared by hand
	emergencies *emergencyOracle // the desk's
	silent      time.Duration
	nudged      bool
	unheard     bool          // the mail that asks is owed: the requester's silence is paused
	asking      []int         // events of the present exchange whose mails ask
	returned    ticket.Status // what a bounce ended
	resumed     time.Time     // when an emergency ended last
	spans       []span        // since silence is paused
	promises    map[policy.ClockName]*promiseCount
}

// span is a period in which nothing changes.
type span struct {
	from, to time.Time
	paused   bool
}

func (o *timelineOracle) awaitsRequester() bool {
	return o.status == ticket.StatusWaiting || o.status == ticket.StatusResolved
}

// promiseCount is a promise as the oracle counts it.
type promiseCount struct {
	used, target, added                time.Duration
	counts                             policy.CountingMode
	settled, reminded, breached, ended bool
	fired                              map[int]bool // steps
	met                                time.Time
	since                              time.Duration // outside emergencies, since the breach
}

func newTimelineOracle(p *policy.Policy, tower *emergencyOracle, extension func(int64) time.Duration) *timelineOracle {
	return &timelineOracle{
		policy: p, calendar: calendarOracleOf(p), emergencies: tower, extension: extension,
		promises: map[policy.ClockName]*promiseCount{policy.FirstResponse: {fired: map[int]bool{}}, policy.Resolution: {fired: map[int]bool{}}},
	}
}

// read checks the next event and adds it.
func (o *timelineOracle) read(e ticket.Event) error {
	if e.Kind == ticket.EventMailBounced || e.Kind == ticket.EventWebhookFailed {
		return nil // recorded whenever it is reported
	}
	if e.At.Before(o.now) {
		return fmt.Errorf("%s at %s comes after what happened at %s", e.Kind, e.At, o.now)
	}
	if o.status == ticket.StatusClosed && e.Kind != ticket.EventRefused && e.Kind != ticket.EventMailResent && e.Kind != ticket.EventParticipantRemoved && e.Kind != ticket.EventPersonMerged {
		return fmt.Errorf("%s on a closed ticket", e.Kind)
	}
	o.advance(e.At)
	if err := o.check(e); err != nil {
		return fmt.Errorf("%s at %s: %w", e.Kind, e.At, err)
	}
	o.fold(e)
	if e.Kind == ticket.EventResumed && !o.paused() {
		o.resumed = e.At
	}
	return nil
}

// advance counts the time up to an instant: second by second if it is short, otherwise from one transition to the next.
func (o *timelineOracle) advance(to time.Time) {
	const short = 2 * time.Hour
	turns := o.emergencies.transitions(o.now, to)
	slices.SortFunc(turns, time.Time.Compare)
	for o.status != "" && o.now.Before(to) {
		until := to
		if to.Sub(o.now) <= short {
			until = o.now.Add(time.Second)
		} else if i := slices.IndexFunc(turns, func(at time.Time) bool { return at.After(o.now) }); i >= 0 {
			until = turns[i]
		}
		o.count(o.now, until)
		o.now = until
	}
	o.now = to
	if len(turns) > 0 {
		o.changed = turns[len(turns)-1]
	}
}

// paused reports whether an emergency pauses the clocks.
func (o *timelineOracle) paused() bool { return o.emergency || o.emergencies.closed(o.now) }

// count counts a period in which nothing changes.
func (o *timelineOracle) count(from, to time.Time) {
	if o.unheard {
		o.spans = append(o.spans, span{from, to, o.paused()})
	}
	if o.paused() {
		return
	}
	for name, p := range o.promises {
		if len(o.reasons(name)) == 0 {
			p.used += o.calendar.elapsed(p.counts, from, to)
		}
		if p.breached {
			p.since += to.Sub(from)
		}
	}
	if !o.unheard {
		o.silent += to.Sub(from)
	}
}

// startSilence counts silence from an instant in the past, but not from before the end of an emergency.
func (o *timelineOracle) startSilence(since time.Time) {
	if since.Before(o.resumed) {
		since = o.resumed
	}
	for _, s := range o.spans {
		if from := later(s.from, since); !s.paused && from.Before(s.to) {
			o.silent += s.to.Sub(from)
		}
	}
	o.unheard, o.spans, o.changed = false, nil, o.now
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// foldAsking adds an event that starts, restarts or ends the wait for the requester.
func (o *timelineOracle) foldAsking(e ticket.Event, was ticket.Status) {
	if !o.awaitsRequester() {
		o.unheard = false
		if e.Status != "" || e.Kind == ticket.EventCustomerReplied || e.Kind == ticket.EventRequesterChanged {
			o.asking, o.returned = nil, ""
		}
		if e.Kind == ticket.EventHandedBack {
			o.returned = was
		}
		return
	}
	if o.status != was || e.Kind == ticket.EventMailResent || e.Kind == ticket.EventRequesterChanged {
		o.asking = nil
	}
	o.asking, o.unheard, o.spans = append(o.asking, e.N), e.Asks, nil
	if !e.Asks {
		o.asking = nil
	}
}

// reasons returns why a clock is paused, sorted.
func (o *timelineOracle) reasons(name policy.ClockName) []policy.Reason {
	var set []policy.Reason
	if o.paused() {
		set = append(set, policy.ReasonEmergency)
	}
	for _, r := range o.policy.Clocks[name].Pauses {
		if string(r) == string(o.status) {
			set = append(set, r)
		}
	}
	return set
}

// threshold is an event that is due when a count reaches a goal.
type threshold struct {
	kind       ticket.EventKind
	clock      policy.ClockName
	step       int
	count      time.Duration
	goal       time.Duration
	byCalendar bool // the count is of calendar time and pauses only in emergencies
}

// thresholds returns what may become due in the current state.
func (o *timelineOracle) thresholds() []threshold {
	var all []threshold
	if o.status == "" || o.status == ticket.StatusClosed || o.paused() {
		return nil
	}
	for _, name := range policy.ClockNames() {
		p, rule := o.promises[name], o.policy.Clocks[name]
		all = append(all, o.escalation(name)...)
		if p.settled || p.breached || len(o.reasons(name)) > 0 {
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
	all = append(all, o.silence()...)
	if !o.snoozedUntil.IsZero() {
		all = append(all, threshold{kind: ticket.EventWoke, count: o.now.Sub(o.snoozedUntil), byCalendar: true})
	}
	return all
}

// escalation returns the steps that apply to a breached promise at the ticket's priority.
func (o *timelineOracle) escalation(name policy.ClockName) []threshold {
	p := o.promises[name]
	if !p.breached || p.ended {
		return nil
	}
	var all []threshold
	for i, step := range o.policy.Escalation {
		ours := (len(step.Clocks) == 0 || slices.Contains(step.Clocks, name)) && (len(step.Priorities) == 0 || slices.Contains(step.Priorities, o.priority))
		if ours && !p.fired[i+1] {
			all = append(all, threshold{kind: ticket.EventEscalated, clock: name, step: i + 1, count: p.since, goal: step.After, byCalendar: true})
		}
	}
	return all
}

func (o *timelineOracle) silence() []threshold {
	var all []threshold
	add := func(kind ticket.EventKind, goal time.Duration) {
		if goal > 0 && !o.unheard {
			all = append(all, threshold{kind: kind, count: o.silent, goal: goal, byCalendar: true})
		}
	}
	switch o.status {
	case ticket.StatusWaiting:
		if !o.nudged {
			add(ticket.EventNudged, o.policy.Silence.NudgeAfter)
		}
		add(ticket.EventResolved, o.policy.Silence.ResolveAfter)
	case ticket.StatusResolved:
		add(ticket.EventClosed, o.policy.Silence.CloseAfter)
	}
	return all
}

// check checks an event: a due event must come exactly when it is due, and anything else only when nothing is due.
func (o *timelineOracle) check(e ticket.Event) error {
	if e.Group != "" {
		return nil // a rule's choice; see assignmentOracle
	}
	if e.Kind == ticket.EventWoke && o.disturbed {
		return nil // together with the event that wakes the ticket
	}
	byItself := e.Command == 0
	if o.status != ticket.StatusClosed {
		by := e.At
		if isTransition(e) {
			by = e.At.Add(-time.Second) // others of the same instant may follow
		}
		if err := o.emergencies.missing(by, e.At); err != nil {
			return err
		}
	}
	if isTransition(e) {
		if err := o.overdue(e); err != nil {
			return err
		}
		return o.emergencies.check(e)
	}
	if e.Kind == ticket.EventQuestionDelivered || e.Kind == ticket.EventHandedBack {
		byItself = false // when it is learned
	}
	if e.Kind == ticket.EventMailResent && (e.Status != "") != (e.Asks && o.returned != "") || e.Kind == ticket.EventMailResent && e.Status != "" && e.Status != o.returned {
		return fmt.Errorf("sent again, the ticket is %q, and was %q when the mail bounced", e.Status, o.returned)
	}
	if e.Kind == ticket.EventEscalated && e.Priority != o.raises(e.EscalationStep) {
		return fmt.Errorf("step %d raises the priority to %q, want %q", e.EscalationStep, e.Priority, o.raises(e.EscalationStep))
	}
	found := false
	for _, t := range o.thresholds() {
		due := t.count >= t.goal
		switch {
		case byItself && t.kind == e.Kind && t.clock == e.Promise && t.step == e.EscalationStep:
			found = true
			if !due {
				return fmt.Errorf("too early: %s of %s", t.count, t.goal)
			}
			if !o.reachedNow(t) {
				return fmt.Errorf("too late: %s of %s, and not at the first instant", t.count, t.goal)
			}
		case due && !byItself:
			return fmt.Errorf("%s %s step %d was due before: %s of %s", t.kind, t.clock, t.step, t.count, t.goal)
		case due && !o.reachedNow(t):
			return fmt.Errorf("%s %s step %d is overdue: %s of %s", t.kind, t.clock, t.step, t.count, t.goal)
		}
	}
	if byItself && !found {
		return fmt.Errorf("nothing of %s, step %d, could fall due", e.Promise, e.EscalationStep)
	}
	return nil
}

// isTransition reports whether an event records a transition of the emergency schedule.
func isTransition(e ticket.Event) bool {
	return e.Command == 0 && (e.Kind == ticket.EventPaused || e.Kind == ticket.EventResumed || e.Kind == ticket.EventExtended)
}

// overdue returns an error for a due event before a transition that has not fired.
func (o *timelineOracle) overdue(e ticket.Event) error {
	for _, t := range o.thresholds() {
		if t.count >= t.goal && !o.reachedNow(t) {
			return fmt.Errorf("%s %s step %d was due before the transition: %s of %s", t.kind, t.clock, t.step, t.count, t.goal)
		}
	}
	return nil
}

// raises returns the priority that an escalation step sets, or "" if it does not change.
func (o *timelineOracle) raises(step int) policy.Priority {
	up := map[policy.Priority]policy.Priority{"low": "normal", "normal": "high", "high": "urgent"}
	if step > len(o.policy.Escalation) || !o.policy.Escalation[step-1].RaisePriority {
		return ""
	}
	return up[o.priority]
}

// reachedNow reports whether this is the first instant at which a goal is reached: a second ago there was a second left,
// or something has just changed what is due.
func (o *timelineOracle) reachedNow(t threshold) bool {
	if o.changed.Equal(o.now) {
		return true
	}
	if t.byCalendar {
		return t.count == t.goal
	}
	last := o.calendar.elapsed(o.promises[t.clock].counts, o.now.Add(-time.Second), o.now)
	return t.count == t.goal && last == time.Second
}

// decided reports whether a promise's target no longer changes: it was breached, or it is a met first response.
func (o *timelineOracle) decided(name policy.ClockName) bool {
	p := o.promises[name]
	return p.breached || name == policy.FirstResponse && p.settled
}

// foldSnooze records what an event means for a ticket's snooze.
func (o *timelineOracle) foldSnooze(e ticket.Event) {
	switch e.Kind {
	case ticket.EventSnoozed:
		o.snoozedUntil = e.Until
	case ticket.EventWoke:
		o.snoozedUntil, o.disturbed = time.Time{}, false
	case ticket.EventCustomerReplied, ticket.EventResolved, ticket.EventReopened, ticket.EventHandedBack:
		o.disturbed = !o.snoozedUntil.IsZero()
	case ticket.EventMailResent:
		o.disturbed = o.disturbed || e.Status == ticket.StatusResolved && !o.snoozedUntil.IsZero()
	}
}

// foldTransition adds a transition. Pauses need nothing, since the oracle reads the schedule itself.
func (o *timelineOracle) foldTransition(e ticket.Event) {
	by := o.emergencies.fold(e)
	for name, p := range o.promises {
		if !o.decided(name) {
			p.added += by
		}
	}
}

// fold adds what an event changes.
func (o *timelineOracle) fold(e ticket.Event) {
	first, resolution := o.promises[policy.FirstResponse], o.promises[policy.Resolution]
	if isTransition(e) {
		o.foldTransition(e)
		return
	}
	if e.Kind == ticket.EventSubmitted {
		o.emergencies.submitted = e.At
	}
	if e.Kind == ticket.EventSubmitted || e.Priority != "" {
		o.changed, o.priority = e.At, e.Priority
		for name, p := range o.promises {
			if !o.decided(name) {
				p.target = o.policy.Target(name, e.Priority)
			}
			if e.Kind == ticket.EventSubmitted {
				p.counts = o.policy.Clocks[name].Counts
			}
		}
	}
	o.foldSnooze(e)
	was := o.status
	if e.Status != "" {
		o.changed, o.status = e.At, e.Status
	}
	anew := e.Status != "" || e.Answers || e.Kind == ticket.EventProgressUpdated || (e.Kind == ticket.EventMailResent || e.Kind == ticket.EventRequesterChanged) && e.Asks
	if anew {
		o.silent, o.nudged = 0, false
	}
	if anew || !o.awaitsRequester() || e.Kind == ticket.EventNudged && e.Asks {
		o.foldAsking(e, was)
	}
	switch e.Kind {
	case ticket.EventReminded:
		o.promises[e.Promise].reminded = true
	case ticket.EventBreached:
		o.promises[e.Promise].breached = true
	case ticket.EventEscalated:
		o.promises[e.Promise].fired[e.EscalationStep] = true
	case ticket.EventNudged:
		o.nudged = true
	case ticket.EventPaused:
		o.changed, o.emergency = e.At, true
	case ticket.EventResumed:
		o.changed, o.emergency = e.At, false
	case ticket.EventPolicyAdopted:
		o.changed, o.policy = e.At, o.versions[e.Policy]
		o.calendar = calendarOracleOf(o.policy)
		for name, p := range o.promises {
			if !o.decided(name) {
				p.target = o.policy.Target(name, o.priority)
			}
			if !p.breached {
				p.counts = o.policy.Clocks[name].Counts
			}
		}
	case ticket.EventExtended:
		o.changed = e.At
		for name, p := range o.promises {
			if !o.decided(name) {
				p.added += o.extension(e.Command)
			}
		}
	case ticket.EventResolved:
		resolution.settled, resolution.met = true, e.At
	case ticket.EventReopened, ticket.EventHandedBack:
		resolution.settled, resolution.met = false, time.Time{}
	case ticket.EventQuestionDelivered:
		o.startSilence(e.Since)
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
		for _, p := range o.promises {
			p.ended = p.ended || p.breached
		}
	}
}
