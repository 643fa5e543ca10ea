package app

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// StoredMail is a ticket's mail as it is stored, with the ticket that it is about.
type StoredMail struct {
	Data     desk.MailData // what is stored of it; the rest follows from the timeline
	Delivery desk.DeliveryStatus
	Person   ticket.PersonID // its recipient

	Requester ticket.PersonID
	Policy    int64
	About     int            // the event whose words it carries
	OwedBy    int            // the event that owes it; of a mail that is sent again, a later one
	Owed      time.Time      // the instant of OwedBy
	Timeline  []ticket.Event // in order: up to OwedBy, and those of the submission's instant
	Ticket    ticket.Ticket  // as it is now
}

// StoredAnnouncement is an announcement's mail as it is stored.
type StoredAnnouncement struct {
	Data         desk.Announcement // what is stored of it
	Delivery     desk.DeliveryStatus
	Tries        int
	Person       ticket.PersonID // its recipient
	Unsent, Sent bool            // an earlier mail to them about the emergency was superseded unsent, or sent
}

// RequesterTicket is one of a requester's tickets that are owed something.
type RequesterTicket struct {
	Number  ticket.Number
	Subject string
	Policy  int64
	Ticket  ticket.Ticket
}

// mailStore holds the mails that are owed. It returns a NotFound fault for one that does not exist.
type mailStore interface {
	Mail(ctx context.Context, n ticket.Number, mail int) (StoredMail, error)
	AnnouncementMail(ctx context.Context, id int64) (StoredAnnouncement, error)
	// RequesterTickets returns the oldest of a requester's tickets that are owed something, and how many there are in all.
	// One that no step has taken yet is left out.
	RequesterTickets(ctx context.Context, requester ticket.PersonID, limit int) (tickets []RequesterTicket, total int, err error)
	PersonName(context.Context, ticket.PersonID) (string, error)
}

// linkSigner signs the links in mails. A link works for a fixed time from an instant on.
type linkSigner interface {
	ConversationLink(ctx context.Context, n ticket.Number, requester ticket.PersonID, from time.Time) (token string, err error)
	EscalationLink(ctx context.Context, n ticket.Number, person ticket.PersonID, from time.Time) (token string, err error)
}

// scheduleReader reads the emergencies in force or planned, and the schedule of all.
type scheduleReader interface {
	Notices(context.Context) ([]desk.Emergency, error)
	Schedule(context.Context) (ticket.EmergencySchedule, error)
}

type mailDataStore interface {
	mailStore
	linkSigner
	scheduleReader
	publishedPolicies
}

// Mails works out what mails say.
type Mails struct{ store mailDataStore }

// NewMails returns it on a store.
func NewMails(s mailDataStore) *Mails { return &Mails{s} }

// Letter returns what a mail's words are made from, and what became of it already. It shows the ticket as its event left
// it, however late it is sent: a receipt states what was promised, by the emergencies of its instant too. It is NotFound
// if there is no such mail.
func (m *Mails) Letter(ctx context.Context, n ticket.Number, mail int) (desk.MailData, desk.DeliveryStatus, error) {
	stored, err := m.store.Mail(ctx, n, mail)
	if err != nil {
		return desk.MailData{}, "", err
	}
	l, err := m.data(ctx, stored)
	return l, stored.Delivery, err
}

func (m *Mails) data(ctx context.Context, stored StoredMail) (l desk.MailData, err error) {
	l = stored.Data
	l.Sent = time.Now()
	if l.Policy, err = m.store.Policy(ctx, stored.Policy); err != nil {
		return desk.MailData{}, err
	}
	about, owing, event := stored.fold(l.Policy)
	l.At, l.Cause, l.Status, l.Priority = event.At, event.Cause, about.Status, about.Priority
	l.Silence = silence(owing, l.Policy.Silence)
	emergencies, err := m.store.Notices(ctx)
	if err != nil {
		return desk.MailData{}, err
	}
	l.Notices = desk.NoticesAt(emergencies, l.Sent)
	if l.Clock != "" {
		l.DueAt, _ = about.Promise(l.Clock).Due()
		l.Since = about.Promise(l.Clock).EscalatingFrom
	}
	if err := m.date(ctx, &l, about, stored.Ticket); err != nil {
		return desk.MailData{}, err
	}
	// Links count from the event, so that a mail which is tried again is the same mail.
	switch {
	case l.Kind == ticket.MailEscalation:
		l.Token, err = m.store.EscalationLink(ctx, l.Number, stored.Person, stored.Owed)
	case !l.Kind.ToStaff():
		l.Token, err = m.store.ConversationLink(ctx, l.Number, stored.Person, stored.Owed)
	}
	if err == nil && about.Assignee != "" {
		l.Assignee, err = m.store.PersonName(ctx, about.Assignee)
	}
	return l, err
}

// fold applies the timeline to a draft. It returns the ticket as the event left it that the mail is about, and as the one
// did that owes the mail. What an emergency did at the submission's instant belongs to the receipt.
func (m StoredMail) fold(p *policy.Policy) (about, owing ticket.Ticket, event ticket.Event) {
	about = ticket.Draft(m.Data.Number, m.Requester, m.Policy, p)
	owing = about
	for _, e := range m.Timeline {
		if e.N > m.OwedBy && !m.onReceipt(e) {
			continue
		}
		if owing = ticket.Apply(owing, e); e.N <= m.About || m.About == m.OwedBy {
			about = owing
		}
	}
	return about, owing, m.Timeline[m.About-1]
}

// receipts reports whether a receipt speaks of a later event.
func (m StoredMail) onReceipt(e ticket.Event) bool {
	return m.Data.Kind == ticket.MailReceipt && (e.Kind == ticket.EventPaused || e.Kind == ticket.EventExtended) && e.At.Equal(m.Timeline[0].At)
}

// silence is how long the requester may stay silent, from when the mail reaches them, before that ends the ticket's
// present status; zero when it never does, or when an emergency holds it up.
func silence(t ticket.Ticket, s policy.Silence) time.Duration {
	after := s.CloseAfter
	if t.Status == ticket.StatusWaiting {
		after = s.ResolveAfter
	}
	if !t.AwaitsDelivery() || after == 0 || t.InEmergency() {
		return 0
	}
	return max(after-t.SilenceBefore, 0)
}

// maxListedTickets is how many of a requester's tickets an announcement lists.
const maxListedTickets = 20

// Announcement returns what the words of an announcement's mail are made from, and what became of it already, after how
// many tries. What is announced is as it was announced, and the tickets are as they are now: a mail that comes late states
// deadlines that hold. Only one that is owed is loaded. It is NotFound if there is no such mail.
func (m *Mails) Announcement(ctx context.Context, id int64) (desk.Announcement, desk.DeliveryStatus, int, error) {
	stored, err := m.store.AnnouncementMail(ctx, id)
	a := stored.Data
	if err != nil || stored.Delivery != desk.DeliveryOwed {
		return a, stored.Delivery, stored.Tries, err
	}
	if stored.Unsent && !stored.Sent {
		a.Announces = a.Announces.First(a.EmergencyTerms)
	}
	if _, a.Policy, _, err = m.store.PolicyInForce(ctx); err == nil {
		a.Tickets, a.More, err = m.affectedTickets(ctx, stored.Person, a.Emergency)
	}
	if err == nil && len(a.Tickets) == 1 && a.More == 0 {
		a.Token, err = m.store.ConversationLink(ctx, a.Tickets[0].Number, stored.Person, a.At)
	}
	return a, stored.Delivery, stored.Tries, err
}

// moved returns a requester's tickets that are owed something, the oldest first, with what an emergency did to their
// deadlines, and how many there are beyond.
func (m *Mails) affectedTickets(ctx context.Context, requester ticket.PersonID, id ticket.EmergencyID) (affected []desk.AffectedTicket, more int, err error) {
	schedule, err := m.store.Schedule(ctx)
	if err != nil {
		return nil, 0, err
	}
	tickets, total, err := m.store.RequesterTickets(ctx, requester, maxListedTickets)
	if err != nil {
		return nil, 0, err
	}
	for _, t := range tickets {
		p, err := m.store.Policy(ctx, t.Policy)
		if err != nil {
			return nil, 0, err
		}
		expected, err := ticket.Expected(t.Ticket, ticket.Environment{Policy: p, Schedule: schedule})
		if err != nil {
			return nil, 0, err
		}
		one := desk.AffectedTicket{Number: t.Number, Subject: t.Subject}
		one.FirstResponse, one.Resolution = desk.Moves(t.Ticket, expected, id)
		affected = append(affected, one)
	}
	return affected, total - len(tickets), nil
}
