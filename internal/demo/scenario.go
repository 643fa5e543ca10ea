package demo

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// scenario generates the course of a ticket. Its durations follow from the policy, so that the ticket reaches the
// intended state.
type scenario func(*builder)

// weighted is a scenario and its share of a hundred tickets.
type weighted struct {
	n        int
	scenario scenario
}

// openScenarios leave the ticket open.
var openScenarios = []weighted{
	{6, fresh}, {4, triaged}, {5, taken}, {8, talking}, {2, long}, {3, reminded}, {2, justBreached}, {3, breached},
	{2, acknowledged}, {1, neglected}, {4, waiting}, {4, nudged}, {4, resolved}, {2, resolvedBySilence}, {3, reopened},
}

// closedScenarios end with the ticket closed.
var closedScenarios = []weighted{
	{13, quick}, {10, confirmed}, {10, closedBySilence}, {4, withdrawn}, {3, closedByStaff}, {4, resolvedLate}, {2, respondedLate},
	{4, neverAnswered}, {3, reopenedAndClosed},
}

var (
	scenarios  = interleave(openScenarios, closedScenarios)
	closedOnly = interleave(closedScenarios)
)

// interleave distributes the scenarios evenly, so that any few dozen consecutive tickets show most of them.
func interleave(kinds ...[]weighted) []scenario {
	var all []scenario
	left := map[int]int{}
	for more := true; more; {
		more = false
		i := 0
		for _, kind := range kinds {
			for _, t := range kind {
				if left[i] < t.n {
					left[i]++
					all, more = append(all, t.scenario), true
				}
				i++
			}
		}
	}
	return all
}

// percentOfTarget returns a percentage of the resolution target, in calendar time.
func (s *builder) percentOfTarget(percent int) time.Duration {
	return s.policy.Clocks[policy.Resolution].Target * time.Duration(percent) / 100
}

// silence returns the policy's silence rules, with defaults for those that are off.
func (s *builder) silence() policy.Silence {
	silence := s.policy.Silence
	if silence.NudgeAfter == 0 {
		silence.NudgeAfter = 3 * day
	}
	if silence.ResolveAfter == 0 {
		silence.ResolveAfter = 7 * day
	}
	if silence.CloseAfter == 0 {
		silence.CloseAfter = 5 * day
	}
	return silence
}

func fresh(s *builder) {
	s.submit(s.between(0, s.percentOfTarget(25)))
	if s.percentChance(25) {
		s.chase(s.soon(2*hour, day))
	}
}

func triaged(s *builder) {
	s.submit(s.between(0, s.percentOfTarget(60)))
	s.reclassify(s.soon(minute, 4*hour))
	s.note(s.soon(minute, hour))
	if s.percentChance(70) { // a progress update without an assignee
		s.inform(s.soon(minute, hour))
	}
}

func taken(s *builder) {
	s.submit(s.between(s.percentOfTarget(3), s.percentOfTarget(60)))
	s.assign(s.soon(10*minute, 5*hour))
	if s.percentChance(30) {
		s.inform(s.soon(hour, 5*hour))
	}
}

func talking(s *builder) {
	s.submit(s.between(s.percentOfTarget(4), s.percentOfTarget(70)))
	s.assign(s.soon(5*minute, 3*hour))
	s.talk(1+s.rng.IntN(5), 20*minute, 9*hour)
}

func long(s *builder) {
	s.submit(s.between(s.percentOfTarget(50), s.percentOfTarget(75)))
	s.assign(s.soon(5*minute, hour))
	s.talk(11, 10*minute, 4*hour)
}

func reminded(s *builder) {
	s.submit(s.between(s.percentOfTarget(82), s.percentOfTarget(97)))
	if s.percentChance(70) {
		s.assign(s.soon(hour, day))
		s.talk(s.rng.IntN(4), hour, 20*hour)
	}
}

// justBreached reaches the first escalation step; breached reaches the second, too.
func justBreached(s *builder) {
	s.submit(s.between(s.percentOfTarget(101), s.percentOfTarget(108)))
	s.assign(s.soon(hour, 2*day))
	s.note(s.soon(hour, day))
}

func breached(s *builder) {
	s.submit(s.between(s.percentOfTarget(115), s.percentOfTarget(180)))
	if s.percentChance(75) {
		s.assign(s.soon(hour, 2*day))
		s.talk(s.rng.IntN(3), hour, day)
	}
}

func acknowledged(s *builder) {
	breached(s)
	s.acknowledge(s.workingTimeAgo(0, s.percentOfTarget(14)))
}

func neglected(s *builder) { s.submit(s.between(s.percentOfTarget(200), s.percentOfTarget(260))) }

func waiting(s *builder) {
	s.closing(0, s.silence().NudgeAfter*9/10, func(at time.Time) { s.askAt(at) })
}

func nudged(s *builder) {
	silence := s.silence()
	s.closing(silence.NudgeAfter, silence.ResolveAfter*98/100, func(at time.Time) { s.askAt(at) })
}

func resolvedBySilence(s *builder) {
	silence := s.silence()
	s.closing(silence.ResolveAfter, silence.ResolveAfter+silence.CloseAfter*95/100, func(at time.Time) { s.askAt(at) })
}

func resolved(s *builder) {
	s.closing(0, s.silence().CloseAfter*95/100, func(at time.Time) { s.resolve(at) })
}

func reopened(s *builder) {
	s.closing(s.percentOfTarget(5), s.percentOfTarget(40), func(at time.Time) { s.resolve(at) })
	s.object(s.soon(hour, 20*hour))
	if s.percentChance(50) {
		s.reply(s.soon(hour, 5*hour))
	}
}

// closing generates a short conversation whose last message is as old as given.
func (s *builder) closing(from, to time.Duration, last func(time.Time)) {
	at := s.workingTimeAgo(from, to)
	s.submit(s.between(s.now.Sub(at)+s.percentOfTarget(3), s.now.Sub(at)+s.percentOfTarget(45)))
	room := at.Sub(s.last()) / 4
	s.assign(s.soon(room/2, room))
	if s.state.Assignee != "" && s.percentChance(60) {
		s.reply(s.soon(room/2, room))
		if s.percentChance(50) {
			s.chase(s.soon(room/4, room/2))
		}
	}
	if at.Before(s.last()) {
		at = s.soon(minute, room)
	}
	last(at)
}

// longAgo starts a ticket that has had time to be closed.
func (s *builder) longAgo(atLeast time.Duration) {
	s.submit(s.between(min(atLeast, weeks*6*day), weeks*7*day))
	s.assign(s.soon(10*minute, 20*hour))
}

func quick(s *builder) {
	s.longAgo(s.percentOfTarget(30))
	if s.percentChance(30) {
		s.reply(s.soon(10*minute, 3*hour))
	}
	s.resolve(s.workingTime(s.soon(10*minute, 6*hour)))
	s.confirm(s.soon(10*minute, 20*hour))
}

func confirmed(s *builder) {
	s.longAgo(s.percentOfTarget(150))
	s.talk(1+s.rng.IntN(4), 30*minute, 20*hour)
	if s.percentChance(40) && s.ask(s.soon(hour, 5*hour)) {
		s.answer(s.soon(hour, 2*day))
	}
	s.resolve(s.workingTime(s.soon(hour, day)))
	s.confirm(s.soon(10*minute, 3*day))
}

func closedBySilence(s *builder) {
	s.longAgo(s.percentOfTarget(170))
	s.talk(1+s.rng.IntN(3), 30*minute, 20*hour)
	s.resolve(s.workingTime(s.soon(hour, 2*day)))
}

func withdrawn(s *builder) {
	s.submit(s.between(s.percentOfTarget(10), weeks*7*day))
	if s.percentChance(40) {
		s.assign(s.soon(10*minute, 5*hour))
	}
	s.customer(s.soon(hour, 15*hour), ticket.VerbWithdraw, "")
}

func closedByStaff(s *builder) {
	s.longAgo(s.percentOfTarget(60))
	s.note(s.soon(minute, hour))
	s.staff(s.soon(minute, hour), ticket.VerbClose, "")
}

// resolvedLate gets a first response in time and a late resolution.
func resolvedLate(s *builder) {
	s.longAgo(s.percentOfTarget(280))
	s.talk(3, hour, day)
	if s.percentChance(50) {
		s.acknowledge(s.workingTime(s.ticket.Actions[0].At.Add(s.percentOfTarget(108))))
	}
	s.resolve(s.workingTime(s.ticket.Actions[0].At.Add(s.percentOfTarget(105) + s.randomUpTo(s.percentOfTarget(60)))))
	if s.percentChance(60) {
		s.confirm(s.soon(hour, 3*day))
	}
}

// respondedLate gets a late first response, too.
func respondedLate(s *builder) {
	s.submit(s.between(s.percentOfTarget(320), weeks*7*day))
	s.reply(s.ticket.Actions[0].At.Add(s.percentOfTarget(190) + s.randomUpTo(s.percentOfTarget(30))))
	s.resolve(s.workingTime(s.soon(hour, day)))
	s.confirm(s.soon(hour, 3*day))
}

func neverAnswered(s *builder) {
	s.longAgo(s.percentOfTarget(190))
	s.ask(s.soon(hour, 10*hour))
}

func reopenedAndClosed(s *builder) {
	s.longAgo(s.percentOfTarget(220))
	s.reply(s.soon(hour, 5*hour))
	s.resolve(s.workingTime(s.soon(hour, day)))
	s.object(s.soon(hour, 2*day))
	s.reply(s.soon(hour, 5*hour))
	s.resolve(s.workingTime(s.soon(hour, 2*day)))
	s.confirm(s.soon(hour, 2*day))
}
