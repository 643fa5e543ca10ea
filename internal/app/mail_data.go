package app

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// StoredMail is a stored mail about a ticket, with the ticket.
type StoredMail struct {
	Data     desk.MailData // the stored fields; the others are computed from the timeline
	Delivery desk.DeliveryStatus
	Person   ticket.PersonID // its recipient

	Requester ticket.PersonID
	Policy    int64
	About     int            // the event that it reports
	OwedBy    int            // the event that caused it: About or, for a mail that is sent again, a later one
	Owed      time.Time      // time of OwedBy
	Timeline  []ticket.Event // in order: up to OwedBy, and those at the time of submission or with a new requester
	Ticket    ticket.Ticket  // current state
}

// StoredAnnouncement is a stored mail of an announcement.
type StoredAnnouncement struct {
	Data         desk.Announcement // the stored fields
	Delivery     desk.DeliveryStatus
	Tries        int
	Person       ticket.PersonID // its recipient
	Unsent, Sent bool            // whether earlier mails to them about the emergency were superseded, and were sent
}

// RequesterTicket is a ticket of a requester that is neither resolved nor closed.
type RequesterTicket struct {
	Number  ticket.Number
	Subject string
	Policy  int64
	Ticket  ticket.Ticket
}

// mailDataStore holds mails and what their data are computed from. It returns a NotFound fault for a mail that does not exist.
type mailDataStore interface {
	Mail(ctx context.Context, n ticket.Number, mail int) (StoredMail, error)
	AnnouncementMail(ctx context.Context, id int64) (StoredAnnouncement, error)
	// RequesterTickets returns the oldest of a requester's tickets that are neither resolved nor closed, and their total
	// number. It leaves out tickets before their first step.
	RequesterTickets(ctx context.Context, requester ticket.PersonID, limit int) (tickets []RequesterTicket, total int, err error)
	PersonName(context.Context, ticket.PersonID) (string, error)

	// ReplyToken returns the token of the address at which a person replies to a mail. Like links, it ends when those that were
	// made at an instant or earlier are revoked.
	ReplyToken(ctx context.Context, to desk.ReplyTo, from time.Time) (string, error)

	// ConversationLink, FileLink and EscalationLink sign the links in mails. A link is valid for a fixed time after from.
	ConversationLink(ctx context.Context, n ticket.Number, customer ticket.PersonID, from time.Time) (token string, err error)
	FileLink(ctx context.Context, id desk.FileID, customer ticket.PersonID, from time.Time) (token string, err error)
	EscalationLink(ctx context.Context, n ticket.Number, person ticket.PersonID, from time.Time) (token string, err error)

	// Notices returns the emergencies in force or planned.
	Notices(context.Context) ([]desk.Emergency, error)
	Schedule(context.Context) (ticket.EmergencySchedule, error)
	publishedPolicies
}

// Mails loads the data of mails.
type Mails struct {
	store mailDataStore
	files fileOpener // nil: files are links
	most  int64      // bytes of the files that are attached to one mail
}

// NewMails returns Mails over a store. Files are links in them.
func NewMails(s mailDataStore) *Mails { return &Mails{store: s} }

// Attaching returns Mails that attach files which are at most so many bytes together.
func (m *Mails) Attaching(files *Files, most int64) *Mails {
	return &Mails{store: m.store, files: files, most: most}
}

// LoadMail returns the data of a mail about a ticket, and its delivery status. The data show the ticket after the mail's
// event, even if the mail is sent much later. Those of a receipt include the emergencies in force at the submission. LoadMail
// returns a NotFound fault if the mail does not exist.
func (m *Mails) LoadMail(ctx context.Context, n ticket.Number, mail int) (desk.MailData, desk.DeliveryStatus, error) {
	stored, err := m.store.Mail(ctx, n, mail)
	if err != nil {
		return desk.MailData{}, "", err
	}
	data, err := m.data(ctx, stored)
	return data, stored.Delivery, err
}

func (m *Mails) data(ctx context.Context, stored StoredMail) (data desk.MailData, err error) {
	data = stored.Data
	data.Sent = time.Now()
	if data.Policy, err = m.store.Policy(ctx, stored.Policy); err != nil {
		return desk.MailData{}, err
	}
	about, owing, event := stored.fold(data.Policy)
	data.Participant = !data.Kind.ToStaff() && stored.Person != about.Requester
	data.Alone, data.Shared = event.Only != "", len(stored.Ticket.Participants) > 0
	data.At, data.Cause, data.Status, data.Priority = event.At, event.Cause, about.Status, about.Priority
	data.Silence = silence(owing, data.Policy.Silence)
	emergencies, err := m.store.Notices(ctx)
	if err != nil {
		return desk.MailData{}, err
	}
	data.Notices = desk.NoticesAt(emergencies, data.Sent)
	if data.Clock != "" {
		data.DueAt, _ = about.Promise(data.Clock).Due()
		data.Since = about.Promise(data.Clock).EscalatingFrom
	}
	if err := m.setDeadlines(ctx, &data, about, stored.Ticket); err != nil {
		return desk.MailData{}, err
	}
	// Links are valid from the event on, so that another attempt sends an identical mail.
	switch {
	case data.Kind == ticket.MailEscalation:
		data.Token, err = m.store.EscalationLink(ctx, data.Number, stored.Person, stored.Owed)
	case !data.Kind.ToStaff():
		data.Token, err = m.store.ConversationLink(ctx, data.Number, stored.Person, stored.Owed)
	}
	if err == nil && !data.Kind.ToStaff() && data.Kind != ticket.MailReceipt { // a receipt is about what its recipient wrote
		err = m.addFiles(ctx, data.Files, stored)
	}
	if err == nil {
		err = m.setReplyTokens(ctx, &data, stored)
	}
	if err == nil && about.Assignee != "" {
		data.Assignee, err = m.store.PersonName(ctx, about.Assignee)
	}
	return data, err
}

// setReplyTokens sets the tokens of the addresses at which the recipient of a mail replies.
func (m *Mails) setReplyTokens(ctx context.Context, data *desk.MailData, stored StoredMail) (err error) {
	to := desk.ReplyTo{Number: data.Number, Person: stored.Person, Alone: data.Alone}
	if data.ReplyToken, err = m.store.ReplyToken(ctx, to, stored.Owed); err == nil && data.Kind.ToStaff() {
		to.Public = true
		data.PublicReplyToken, err = m.store.ReplyToken(ctx, to, stored.Owed)
	}
	return err
}

// setDeadlines sets the deadlines of a mail, given its ticket after the mail's event and now.
func (m *Mails) setDeadlines(ctx context.Context, data *desk.MailData, atEvent, atSending ticket.Ticket) error {
	d := mailDeadlines{
		policy: data.Policy, toStaff: data.Kind.ToStaff(), inForce: strictest(data.Notices),
		eventAt: data.At, sentAt: data.Sent, atEvent: atEvent, atSending: atSending,
	}
	if d.needsSchedule() {
		var err error
		if d.schedule, err = m.store.Schedule(ctx); err != nil {
			return err
		}
	}
	first, resolution, err := d.compute()
	if err != nil {
		return err
	}
	data.FirstResponseDue, data.FirstResponseLate, data.Expected.FirstResponse = first.due, first.missed, first.expected
	data.ResolutionDue, data.ResolutionLate, data.Expected.Resolution = resolution.due, resolution.missed, resolution.expected
	return nil
}

// fold applies the timeline to a draft. It returns the ticket after the event that the mail reports, the ticket after the
// event that caused the mail, and the event that the mail reports.
func (m StoredMail) fold(p *policy.Policy) (about, owing ticket.Ticket, event ticket.Event) {
	about = ticket.Draft(m.Data.Number, ticket.FirstRequester(m.Requester, m.Timeline), m.Policy, p)
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

// onReceipt reports whether the mail is a receipt that includes the effect of a later event: that of an emergency in force
// at the submission.
func (m StoredMail) onReceipt(e ticket.Event) bool {
	return m.Data.Kind == ticket.MailReceipt && (e.Kind == ticket.EventPaused || e.Kind == ticket.EventExtended) && e.At.Equal(m.Timeline[0].At)
}

// silence returns the time from the delivery of the mail to the resolution or closure of the ticket by silence. It returns
// zero if that never happens or an emergency delays it.
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

// maxListedTickets is the maximum number of tickets that an announcement lists.
const maxListedTickets = 20

// Announcement returns the data of an announcement's mail, its delivery status and the number of attempts to send it. The
// terms are those announced, but the tickets are in their current state, so that a late mail has valid deadlines. For a mail
// that is not owed only the stored fields are set. Announcement returns a NotFound fault if the mail does not exist.
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

// affectedTickets returns the oldest tickets of a requester that are neither resolved nor closed, with the effect of an
// emergency on their deadlines, and the number of further ones.
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
