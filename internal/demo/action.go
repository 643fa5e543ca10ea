package demo

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The actions of a ticket. Staff act at the first instant from at on during opening hours.

func (s *builder) submit(at time.Time) {
	s.state = ticket.Draft(s.ticket.Number, s.requester.ID, 1, s.policy)
	category := s.topic.category
	if !slices.Contains(s.policy.Categories, category) {
		category = s.policy.Categories[0]
	}
	priority := policy.PriorityNormal
	if s.policy.CustomersChoosePriority {
		priority = pick(s, policy.Priorities())
	}
	matter := s.rng.IntN(len(s.topic.subjects))
	subject, body := s.topic.subjects[matter], s.topic.openings[matter%len(s.topic.openings)]
	if s.ticket.Follows != "" {
		subject, body = "Again: "+subject, "This is about my ticket "+string(s.ticket.Follows)+", which is closed.\n\n"+body
	}
	s.do(desk.ImportAction{
		By: s.requester, At: at, Verb: ticket.VerbSubmit, Priority: priority, Category: category,
		Subject: s.fill.Replace(subject), Body: s.fill.Replace(body),
	})
}

func (s *builder) staff(at time.Time, verb ticket.Verb, body string) bool {
	return s.do(desk.ImportAction{By: s.agent, At: s.workingTime(at), Verb: verb, Body: s.fill.Replace(body)})
}

func (s *builder) customer(at time.Time, verb ticket.Verb, body string) {
	s.do(desk.ImportAction{By: s.requester, At: s.daytime(at), Verb: verb, Body: s.fill.Replace(body)})
}

// assign assigns the ticket to its agent, by themselves or by the supervisor.
func (s *builder) assign(at time.Time) {
	by := s.agent
	if s.percentChance(35) {
		by = s.cast.Supervisor
	}
	s.do(desk.ImportAction{By: by, At: s.workingTime(at), Verb: ticket.VerbAssign, Agent: s.agent})
	if s.percentChance(45) {
		s.reclassify(s.soon(minute, 10*minute))
	}
}

func (s *builder) reclassify(at time.Time) {
	d := desk.ImportAction{By: s.agent, At: s.workingTime(at), Verb: ticket.VerbReclassify}
	switch n := s.rng.IntN(100); {
	case n < 35:
		d.Priority = policy.PriorityLow
	case n < 75:
		d.Priority = policy.PriorityHigh
	case n < 90:
		d.Priority = policy.PriorityUrgent
	default:
		d.Category = pick(s, s.policy.Categories)
	}
	s.do(d)
}

// reply uses the topic's answers first and then general ones.
func (s *builder) reply(at time.Time) {
	for _, answer := range s.topic.answers {
		if !s.used[answer] {
			s.used[answer] = true
			s.staff(at, ticket.VerbAgentReply, answer)
			return
		}
	}
	s.staff(at, ticket.VerbAgentReply, s.pickUnused(replies))
}

func (s *builder) note(at time.Time) { s.staff(at, ticket.VerbNote, s.pickUnused(notes)) }
func (s *builder) chase(at time.Time) {
	s.customer(at, ticket.VerbCustomerReply, s.pickUnused(chasers))
}
func (s *builder) inform(at time.Time) {
	s.staff(at, ticket.VerbProgressUpdate, s.pickUnused(s.topic.news))
}

func (s *builder) ask(at time.Time) bool {
	return s.staff(at, ticket.VerbRequestInformation, s.topic.question)
}

// askAt requests information at an instant, regardless of opening hours.
func (s *builder) askAt(at time.Time) {
	s.do(desk.ImportAction{By: s.agent, At: at, Verb: ticket.VerbRequestInformation, Body: s.fill.Replace(s.topic.question)})
}

func (s *builder) answer(at time.Time) { s.customer(at, ticket.VerbCustomerReply, s.topic.detail) }

func (s *builder) resolve(at time.Time) {
	s.do(desk.ImportAction{By: s.agent, At: at, Verb: ticket.VerbResolve, Body: s.fill.Replace(pick(s, s.topic.fixes))})
}

func (s *builder) object(at time.Time) { s.customer(at, ticket.VerbCustomerReply, pick(s, objections)) }

func (s *builder) confirm(at time.Time) { s.customer(at, ticket.VerbClose, "") }

func (s *builder) acknowledge(at time.Time) {
	s.do(desk.ImportAction{By: s.cast.Supervisor, At: at, Verb: ticket.VerbAcknowledge, Body: pick(s, acknowledgements)})
}

// talk adds messages of the agent and the requester in turn.
func (s *builder) talk(messages int, from, to time.Duration) {
	for i := range messages {
		switch at := s.soon(from, to); {
		case i%2 == 1:
			s.chase(at)
		case i > 0 && !s.used[s.topic.news[0]] && s.percentChance(25):
			s.inform(at)
		default:
			s.reply(at)
		}
		if s.percentChance(12) {
			s.note(s.soon(minute, hour))
		}
	}
}
