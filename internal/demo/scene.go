package demo

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// scene is a kind of story. Its length follows from the policy, so that it ends where it should under any usual one.
type scene func(*teller)

// times is a scene, so often in a hundred tickets.
type times struct {
	n     int
	scene scene
}

// living are stories that have not ended.
var living = []times{
	{6, fresh}, {4, triaged}, {5, taken}, {8, talking}, {2, long}, {3, reminded}, {2, justBroken}, {3, broken},
	{2, acknowledged}, {1, forgotten}, {4, waiting}, {4, nudged}, {4, resolved}, {2, resolvedBySilence}, {3, reopened},
}

// ended are stories that have.
var ended = []times{
	{13, quick}, {10, confirmed}, {10, closedBySilence}, {4, withdrawn}, {3, closedByStaff}, {4, keptWaiting}, {2, tooLate},
	{4, neverAnswered}, {3, reopenedAndClosed},
}

var (
	scenes  = shuffled(living, ended)
	endings = shuffled(ended)
)

// shuffled deals the scenes out evenly, so that any few dozen tickets in a row show most of them.
func shuffled(kinds ...[]times) []scene {
	var dealt []scene
	left := map[int]int{}
	for more := true; more; {
		more = false
		i := 0
		for _, kind := range kinds {
			for _, t := range kind {
				if left[i] < t.n {
					left[i]++
					dealt, more = append(dealt, t.scene), true
				}
				i++
			}
		}
	}
	return dealt
}

// part is a part, in percent, of the calendar time that the policy promises a resolution in.
func (s *teller) part(percent int) time.Duration {
	return s.policy.Clocks[policy.Resolution].Target * time.Duration(percent) / 100
}

// silence is how long the policy lets a requester be silent; usual times where it never ends a ticket.
func (s *teller) silence() policy.Silence {
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

func fresh(s *teller) {
	s.submit(s.between(0, s.part(25)))
	if s.chance(25) {
		s.chase(s.soon(2*hour, day))
	}
}

func triaged(s *teller) {
	s.submit(s.between(0, s.part(60)))
	s.reclassify(s.soon(minute, 4*hour))
	s.note(s.soon(minute, hour))
	if s.chance(70) { // told how things are, and still nobody's
		s.inform(s.soon(minute, hour))
	}
}

func taken(s *teller) {
	s.submit(s.between(s.part(3), s.part(60)))
	s.assign(s.soon(10*minute, 5*hour))
	if s.chance(30) {
		s.inform(s.soon(hour, 5*hour))
	}
}

func talking(s *teller) {
	s.submit(s.between(s.part(4), s.part(70)))
	s.assign(s.soon(5*minute, 3*hour))
	s.talk(1+s.rng.IntN(5), 20*minute, 9*hour)
}

func long(s *teller) {
	s.submit(s.between(s.part(50), s.part(75)))
	s.assign(s.soon(5*minute, hour))
	s.talk(11, 10*minute, 4*hour)
}

func reminded(s *teller) {
	s.submit(s.between(s.part(82), s.part(97)))
	if s.chance(70) {
		s.assign(s.soon(hour, day))
		s.talk(s.rng.IntN(4), hour, 20*hour)
	}
}

// justBroken has been told to the first rung, broken to the second as well.
func justBroken(s *teller) {
	s.submit(s.between(s.part(101), s.part(108)))
	s.assign(s.soon(hour, 2*day))
	s.note(s.soon(hour, day))
}

func broken(s *teller) {
	s.submit(s.between(s.part(115), s.part(180)))
	if s.chance(75) {
		s.assign(s.soon(hour, 2*day))
		s.talk(s.rng.IntN(3), hour, day)
	}
}

func acknowledged(s *teller) {
	broken(s)
	s.acknowledge(s.worked(0, s.part(14)))
}

func forgotten(s *teller) { s.submit(s.between(s.part(200), s.part(260))) }

func waiting(s *teller) {
	s.ending(0, s.silence().NudgeAfter*9/10, func(at time.Time) { s.asked(at) })
}

func nudged(s *teller) {
	silence := s.silence()
	s.ending(silence.NudgeAfter, silence.ResolveAfter*98/100, func(at time.Time) { s.asked(at) })
}

func resolvedBySilence(s *teller) {
	silence := s.silence()
	s.ending(silence.ResolveAfter, silence.ResolveAfter+silence.CloseAfter*95/100, func(at time.Time) { s.asked(at) })
}

func resolved(s *teller) {
	s.ending(0, s.silence().CloseAfter*95/100, func(at time.Time) { s.resolve(at) })
}

func reopened(s *teller) {
	s.ending(s.part(5), s.part(40), func(at time.Time) { s.resolve(at) })
	s.object(s.soon(hour, 20*hour))
	if s.chance(50) {
		s.reply(s.soon(hour, 5*hour))
	}
}

// ending tells a short conversation whose last word falls so long ago.
func (s *teller) ending(from, to time.Duration, last func(time.Time)) {
	at := s.worked(from, to)
	s.submit(s.between(s.now.Sub(at)+s.part(3), s.now.Sub(at)+s.part(45)))
	room := at.Sub(s.last()) / 4
	s.assign(s.soon(room/2, room))
	if s.state.Assignee != "" && s.chance(60) {
		s.reply(s.soon(room/2, room))
		if s.chance(50) {
			s.chase(s.soon(room/4, room/2))
		}
	}
	if at.Before(s.last()) {
		at = s.soon(minute, room)
	}
	last(at)
}

// past begins a story that has had the time to end.
func (s *teller) past(atLeast time.Duration) {
	s.submit(s.between(min(atLeast, weeks*6*day), weeks*7*day))
	s.assign(s.soon(10*minute, 20*hour))
}

func quick(s *teller) {
	s.past(s.part(30))
	if s.chance(30) {
		s.reply(s.soon(10*minute, 3*hour))
	}
	s.resolve(s.office(s.soon(10*minute, 6*hour)))
	s.confirm(s.soon(10*minute, 20*hour))
}

func confirmed(s *teller) {
	s.past(s.part(150))
	s.talk(1+s.rng.IntN(4), 30*minute, 20*hour)
	if s.chance(40) && s.ask(s.soon(hour, 5*hour)) {
		s.answer(s.soon(hour, 2*day))
	}
	s.resolve(s.office(s.soon(hour, day)))
	s.confirm(s.soon(10*minute, 3*day))
}

func closedBySilence(s *teller) {
	s.past(s.part(170))
	s.talk(1+s.rng.IntN(3), 30*minute, 20*hour)
	s.resolve(s.office(s.soon(hour, 2*day)))
}

func withdrawn(s *teller) {
	s.submit(s.between(s.part(10), weeks*7*day))
	if s.chance(40) {
		s.assign(s.soon(10*minute, 5*hour))
	}
	s.customer(s.soon(hour, 15*hour), ticket.VerbWithdraw, "")
}

func closedByStaff(s *teller) {
	s.past(s.part(60))
	s.note(s.soon(minute, hour))
	s.staff(s.soon(minute, hour), ticket.VerbClose, "")
}

// keptWaiting was answered in time and resolved after the promise had broken.
func keptWaiting(s *teller) {
	s.past(s.part(280))
	s.talk(3, hour, day)
	if s.chance(50) {
		s.acknowledge(s.office(s.ticket.Actions[0].At.Add(s.part(108))))
	}
	s.resolve(s.office(s.ticket.Actions[0].At.Add(s.part(105) + s.upTo(s.part(60)))))
	if s.chance(60) {
		s.confirm(s.soon(hour, 3*day))
	}
}

// tooLate got its first answer after that promise had broken, too.
func tooLate(s *teller) {
	s.submit(s.between(s.part(320), weeks*7*day))
	s.reply(s.ticket.Actions[0].At.Add(s.part(190) + s.upTo(s.part(30))))
	s.resolve(s.office(s.soon(hour, day)))
	s.confirm(s.soon(hour, 3*day))
}

func neverAnswered(s *teller) {
	s.past(s.part(190))
	s.ask(s.soon(hour, 10*hour))
}

func reopenedAndClosed(s *teller) {
	s.past(s.part(220))
	s.reply(s.soon(hour, 5*hour))
	s.resolve(s.office(s.soon(hour, day)))
	s.object(s.soon(hour, 2*day))
	s.reply(s.soon(hour, 5*hour))
	s.resolve(s.office(s.soon(hour, 2*day)))
	s.confirm(s.soon(hour, 2*day))
}
