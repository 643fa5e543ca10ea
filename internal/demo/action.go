package demo

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// What people do, in their own words. Staff do it at the first instant from at on at which somebody works.

func (s *teller) submit(at time.Time) {
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
	s.tell(desk.ImportAction{
		By: s.requester, At: at, Verb: ticket.VerbSubmit, Priority: priority, Category: category,
		Subject: s.fill.Replace(subject), Body: s.fill.Replace(body),
	})
}

func (s *teller) staff(at time.Time, verb ticket.Verb, body string) bool {
	return s.tell(desk.ImportAction{By: s.agent, At: s.office(at), Verb: verb, Body: s.fill.Replace(body)})
}

func (s *teller) customer(at time.Time, verb ticket.Verb, body string) {
	s.tell(desk.ImportAction{By: s.requester, At: s.awake(at), Verb: verb, Body: s.fill.Replace(body)})
}

// assign gives the ticket to its agent: by themselves, or by the supervisor.
func (s *teller) assign(at time.Time) {
	by := s.agent
	if s.chance(35) {
		by = s.cast.Supervisor
	}
	s.tell(desk.ImportAction{By: by, At: s.office(at), Verb: ticket.VerbAssign, Agent: s.agent})
	if s.chance(45) {
		s.reclassify(s.soon(minute, 10*minute))
	}
}

func (s *teller) reclassify(at time.Time) {
	d := desk.ImportAction{By: s.agent, At: s.office(at), Verb: ticket.VerbReclassify}
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
	s.tell(d)
}

// reply gives the topic's answers first, and then whatever agents say.
func (s *teller) reply(at time.Time) {
	for _, answer := range s.topic.answers {
		if !s.said[answer] {
			s.said[answer] = true
			s.staff(at, ticket.VerbAgentReply, answer)
			return
		}
	}
	s.staff(at, ticket.VerbAgentReply, s.say(replies))
}

func (s *teller) note(at time.Time)   { s.staff(at, ticket.VerbNote, s.say(notes)) }
func (s *teller) chase(at time.Time)  { s.customer(at, ticket.VerbCustomerReply, s.say(chasers)) }
func (s *teller) inform(at time.Time) { s.staff(at, ticket.VerbProgressUpdate, s.say(s.topic.news)) }

func (s *teller) ask(at time.Time) bool {
	return s.staff(at, ticket.VerbRequestInformation, s.topic.question)
}

// asked asks at an instant, whether somebody usually works then or not.
func (s *teller) asked(at time.Time) {
	s.tell(desk.ImportAction{By: s.agent, At: at, Verb: ticket.VerbRequestInformation, Body: s.fill.Replace(s.topic.question)})
}

func (s *teller) answer(at time.Time) { s.customer(at, ticket.VerbCustomerReply, s.topic.detail) }

func (s *teller) resolve(at time.Time) {
	s.tell(desk.ImportAction{By: s.agent, At: at, Verb: ticket.VerbResolve, Body: s.fill.Replace(pick(s, s.topic.fixes))})
}

func (s *teller) object(at time.Time) { s.customer(at, ticket.VerbCustomerReply, pick(s, objections)) }

func (s *teller) confirm(at time.Time) { s.customer(at, ticket.VerbClose, "") }

func (s *teller) acknowledge(at time.Time) {
	s.tell(desk.ImportAction{By: s.cast.Supervisor, At: at, Verb: ticket.VerbAcknowledge, Body: pick(s, acknowledgements)})
}

// talk is a conversation of so many messages, the requester's and the agent's by turns.
func (s *teller) talk(messages int, from, to time.Duration) {
	for i := range messages {
		switch at := s.soon(from, to); {
		case i%2 == 1:
			s.chase(at)
		case i > 0 && !s.said[s.topic.news[0]] && s.chance(25):
			s.inform(at)
		default:
			s.reply(at)
		}
		if s.chance(12) {
			s.note(s.soon(minute, hour))
		}
	}
}
