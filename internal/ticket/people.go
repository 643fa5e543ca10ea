package ticket

import (
	"slices"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// MaxParticipants is the maximum number of participants of a ticket.
const MaxParticipants = 20

// Participant is a customer who reads a ticket and replies to it as its requester does, but neither confirms, withdraws nor
// rates it.
type Participant struct {
	ID PersonID `json:"id"`
	Reading
}

// Reading counts the entries of one customer's timeline. It is numbered from 1 without gaps, since a gap would reveal an
// internal note.
type Reading struct {
	Listed int `json:"listed,omitempty"` // number of its entries
	Public int `json:"public,omitempty"` // the latest of them with a message of someone else, or with which the person joined
	Own    int `json:"own,omitempty"`    // how many of them no other customer sees
}

// count adds an event to the timeline of a person, if it is listed there.
func (r *Reading) count(e Event, person PersonID) {
	if !e.ListedFor(person) {
		return
	}
	r.Listed++
	if !e.Kind.Public() || e.Only != "" {
		r.Own++
	}
	if e.HasMessage() && (e.By.Role != RoleCustomer || e.By.ID != person) {
		r.Public = r.Listed
	}
}

// Involves reports whether a person is the requester or a participant.
func (t *Ticket) Involves(person PersonID) bool {
	return person == t.Requester || t.participant(person) >= 0
}

// participant returns the index of a participant, and -1 for others.
func (t *Ticket) participant(person PersonID) int {
	return slices.IndexFunc(t.Participants, func(p Participant) bool { return p.ID == person })
}

// applyPeople changes who is in the ticket. A former requester stays as a participant. Slices are copied, since a ticket's
// earlier state may share them.
func (t *Ticket) applyPeople(e Event) {
	switch e.Kind {
	case EventParticipantAdded:
		t.Participants = append(slices.Clone(t.Participants), t.joining(e.Person))
	case EventParticipantRemoved:
		t.Participants = slices.DeleteFunc(slices.Clone(t.Participants), func(p Participant) bool { return p.ID == e.Person })
		if len(t.Participants) == 0 {
			t.Participants = nil
		}
	case EventRequesterChanged:
		next := t.joining(e.Person)
		former := Participant{ID: t.Requester, Reading: t.LatestMessages.Reading}
		t.Participants = slices.Clone(t.Participants)
		if i := t.participant(e.Person); i >= 0 {
			next, t.Participants[i] = t.Participants[i], former
		} else {
			t.Participants = append(t.Participants, former)
		}
		t.Requester, t.LatestMessages.Reading = next.ID, next.Reading
	case EventPersonMerged:
		t.merge(e.Person, e.Former)
	}
}

// merge puts a person in the place of a contact of the ticket. If both are of the ticket, the requester's place remains, and
// the person's timeline has the entries that only one of the two saw.
func (t *Ticket) merge(person, contact PersonID) {
	merged, _ := t.reading(contact)
	if own, both := t.reading(person); both {
		merged.Own += own.Own
		merged.Listed += own.Own
	}
	merged.Public = merged.Listed // as for someone who joins
	t.Participants = slices.Clone(t.Participants)
	if t.Requester == person || t.Requester == contact {
		t.Requester, t.LatestMessages.Reading = person, merged
		t.Participants = slices.DeleteFunc(t.Participants, func(p Participant) bool { return p.ID == person || p.ID == contact })
	} else {
		t.Participants = slices.DeleteFunc(t.Participants, func(p Participant) bool { return p.ID == person })
		t.Participants[t.participant(contact)] = Participant{ID: person, Reading: merged}
	}
	if len(t.Participants) == 0 {
		t.Participants = nil
	}
	w := &t.LatestMessages
	for _, m := range []*MessageRef{&w.Last, &w.Other} {
		if m.By == contact {
			m.By = person
		}
	}
	if w.Other.By == w.Last.By { // no member of staff wrote either, and who else did is of no use to customers
		w.Other = MessageRef{}
	}
}

// reading returns what is counted for a person, and false if they are not of the ticket.
func (t *Ticket) reading(person PersonID) (Reading, bool) {
	if person == t.Requester {
		return t.LatestMessages.Reading, true
	}
	i := t.participant(person)
	if i < 0 {
		return Reading{}, false
	}
	return t.Participants[i].Reading, true
}

// joining returns a person who joins the ticket and has seen nothing of it. Their timeline contains what everyone sees, and of
// their own entries only later ones; see Listed.
func (t *Ticket) joining(person PersonID) Participant {
	shared := t.LatestMessages.Listed - t.LatestMessages.Own
	return Participant{ID: person, Reading: Reading{Listed: shared, Public: shared}}
}

// Listed reports of each event of a timeline whether it is listed for a person of the ticket. Entries that only this person
// sees are not listed if they are older than their joining, and those of a contact in whose place they are, are.
func Listed(person PersonID, timeline []Event) []bool {
	listed := make([]bool, len(timeline))
	own, in := map[PersonID][]int{}, map[PersonID]bool{}
	for i, e := range timeline {
		switch {
		case e.Kind.Public() && e.Only != "":
			own[e.Only] = append(own[e.Only], i)
		case e.Kind.Public():
			listed[i] = true
		case e.Kind == EventRefused:
			own[e.By.ID] = append(own[e.By.ID], i)
		}
		switch e.Kind {
		case EventParticipantAdded:
			own[e.Person], in[e.Person] = nil, true
		case EventParticipantRemoved:
			own[e.Person], in[e.Person] = nil, false
		case EventRequesterChanged:
			if !in[e.Person] {
				own[e.Person] = nil
			}
			in[e.Person], in[e.Former] = true, true
		case EventPersonMerged:
			if !e.Both {
				own[e.Person] = nil
			}
			own[e.Person], in[e.Person] = append(own[e.Person], own[e.Former]...), true
			own[e.Former], in[e.Former] = nil, false
		}
	}
	for _, i := range own[person] {
		listed[i] = true
	}
	return listed
}

// FirstRequester returns who was the requester at the submission, given the current one and the timeline.
func FirstRequester(current PersonID, timeline []Event) PersonID {
	i := slices.IndexFunc(timeline, func(e Event) bool {
		return e.Kind == EventRequesterChanged || e.Kind == EventPersonMerged && e.Requester
	})
	if i < 0 {
		return current
	}
	return timeline[i].Former
}

// Merges returns the events of a timeline with which someone took a contact's place.
func Merges(timeline []Event) (merges []Event) {
	for _, e := range timeline {
		if e.Kind == EventPersonMerged {
			merges = append(merges, e)
		}
	}
	return merges
}

// Identified returns an event with the people as whom those in it are known after the merges of its timeline.
func (e Event) Identified(merges []Event) Event {
	if e.Kind == EventPersonMerged { // it says who was merged
		return e
	}
	for _, merge := range merges {
		for _, id := range []*PersonID{&e.By.ID, &e.Only, &e.Person, &e.Former} {
			if *id == merge.Former {
				*id = merge.Person
			}
		}
	}
	return e
}

func (s *decider) addParticipant(c Command) *fault.Error {
	if refusal := s.checkJoining(c.Person); refusal != nil {
		return refusal
	}
	if s.t.Involves(c.Person) {
		return fault.NewConflict(CodeNothing, "that person is already in the ticket")
	}
	s.emit(Event{Kind: EventParticipantAdded, Person: c.Person})
	s.mail(MailParticipantAdded, c.Person)
	return nil
}

// join lets the author of a reply in who is not of the ticket, but has answered an email from it.
func (s *decider) join(c Command) *fault.Error {
	if !c.joins() || s.t.Involves(c.By.ID) {
		return nil
	}
	if refusal := s.checkJoining(c.By.ID); refusal != nil {
		return refusal
	}
	s.emit(Event{Kind: EventParticipantAdded, Person: c.By.ID})
	return nil
}

// checkJoining refuses to let a person in who does not exist, or for whom there is no room.
func (s *decider) checkJoining(person PersonID) *fault.Error {
	switch {
	case person == "":
		return fault.NewConflict(CodeNoPerson, "there is no such person")
	case !s.t.Involves(person) && len(s.t.Participants) >= MaxParticipants:
		return fault.NewConflict(CodeTooManyParticipants, "a ticket has at most %d participants", MaxParticipants)
	}
	return nil
}

func (s *decider) removeParticipant(c Command) *fault.Error {
	if c.Person == s.t.Requester {
		return fault.NewConflict(CodeIsRequester, "the requester can't be removed; make someone else the requester first")
	}
	return s.emitRemoved(c.Person)
}

// leave removes the participant who asks for it.
func (s *decider) leave(c Command) *fault.Error {
	if c.By.ID == s.t.Requester {
		return fault.NewConflict(CodeIsRequester, "you are the requester of this ticket, so you can't leave it")
	}
	return s.emitRemoved(c.By.ID)
}

func (s *decider) emitRemoved(person PersonID) *fault.Error {
	if s.t.participant(person) < 0 {
		return fault.NewConflict(CodeNothing, "that person is not a participant of the ticket")
	}
	s.emit(Event{Kind: EventParticipantRemoved, Person: person})
	return nil
}

// changeRequester makes another person the requester. If the ticket awaits the requester, their full time to answer counts
// from the delivery of the mail to the new one, who has not been asked before.
func (s *decider) changeRequester(c Command) *fault.Error {
	if refusal := s.checkJoining(c.Person); refusal != nil {
		return refusal
	}
	if c.Person == s.t.Requester {
		return fault.NewConflict(CodeNothing, "that person is the requester already")
	}
	s.env.RequesterDisabled = false // acceptance does not take a disabled one
	s.emit(Event{Kind: EventRequesterChanged, Person: c.Person, Former: s.t.Requester, Asks: s.t.awaitsRequester()})
	s.mail(MailRequesterChanged, c.Person)
	return nil
}

// mergePerson puts a person in the place of a contact. No email is sent: for the people of the ticket nothing changes.
func (s *decider) mergePerson(c Command) *fault.Error {
	switch {
	case c.By.Role == RoleCustomer && c.Person != c.By.ID:
		return ErrRole
	case c.Person == "" || c.Merged == "" || c.Person == c.Merged:
		return fault.NewConflict(CodeNoPerson, "there is no such person")
	case !s.t.Involves(c.Merged):
		return fault.NewConflict(CodeNothing, "that contact is not in the ticket")
	}
	s.emit(Event{
		Kind: EventPersonMerged, Person: c.Person, Former: c.Merged, Requester: c.Merged == s.t.Requester, Both: s.t.Involves(c.Person),
	})
	return nil
}

// mailPeople adds a mail about the last event to the requester and to the participants who see the event.
func (s *decider) mailPeople(kind MailKind) {
	s.mail(kind, s.t.Requester)
	for _, p := range s.t.Participants {
		if s.events[len(s.events)-1].ListedFor(p.ID) {
			s.mail(kind, p.ID)
		}
	}
}

// mailOthers adds a mail about a customer's message, the last event, to the other customers of the ticket who see it.
func (s *decider) mailOthers(author PersonID) {
	said := s.events[len(s.events)-1]
	if author != s.t.Requester && said.ListedFor(s.t.Requester) {
		s.mail(MailParticipantReply, s.t.Requester)
	}
	for _, p := range s.t.Participants {
		if p.ID != author && said.ListedFor(p.ID) {
			s.mail(MailParticipantReply, p.ID)
		}
	}
}

// only returns the customer to whom alone a command's message is shown, and an empty ID for everyone of the ticket: the author, or
// the requester if staff wrote it.
func (s *decider) only(c Command) PersonID {
	switch {
	case !c.Alone:
		return ""
	case c.By.Role == RoleCustomer:
		return c.By.ID
	}
	return s.t.Requester
}
