package mail

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const disabledReason = "the recipient has been disabled"

// ticketMails reads ticket mails.
type ticketMails interface {
	// Letter returns the data and delivery status of a ticket's nth mail. Only a pending mail has data.
	TicketMail(ctx context.Context, number ticket.Number, n int) (desk.MailData, desk.DeliveryStatus, error)
}

type ticketSender interface {
	Send(ctx context.Context, data desk.MailData) error
}

// TicketMailSender is the transport of an outbox for ticket mails.
type TicketMailSender struct {
	mails  ticketMails
	sender ticketSender
}

// NewTicketMailSender returns a transport. Production uses a *Sender.
func NewTicketMailSender(m ticketMails, s ticketSender) *TicketMailSender {
	return &TicketMailSender{mails: m, sender: s}
}

// Load returns a mail for one attempt to send it.
func (t *TicketMailSender) Load(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
	data, status, err := t.mails.TicketMail(ctx, k.Ticket, int(k.N))
	d := outbox.Delivery{Status: status, Send: func(ctx context.Context) error { return t.sender.Send(ctx, data) }}
	if data.Disabled {
		d.Barred = disabledReason
	}
	return d, err
}

// announcementMails reads announcements.
type announcementMails interface {
	// Announcement returns an announcement, its delivery status and the number of attempts. Only a pending one has data.
	Announcement(ctx context.Context, id int64) (desk.Announcement, desk.DeliveryStatus, int, error)
}

type announcementSender interface {
	SendAnnouncement(ctx context.Context, a desk.Announcement) error
}

// AnnouncementSender is the transport of an outbox for announcements.
type AnnouncementSender struct {
	mails  announcementMails
	sender announcementSender
}

// NewAnnouncementSender returns a transport. Production uses a *Sender.
func NewAnnouncementSender(m announcementMails, s announcementSender) *AnnouncementSender {
	return &AnnouncementSender{mails: m, sender: s}
}

// Load returns a mail for one attempt to send it.
func (t *AnnouncementSender) Load(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
	a, status, tries, err := t.mails.Announcement(ctx, k.N)
	d := outbox.Delivery{
		Status: status, Tries: tries, Obsolete: len(a.Tickets) == 0,
		Send: func(ctx context.Context) error { return t.sender.SendAnnouncement(ctx, a) },
	}
	if a.Disabled {
		d.Barred = disabledReason
	}
	return d, err
}

// accountMails reads account mails.
type accountMails interface {
	Letter(ctx context.Context, id int64) (account.Mail, desk.DeliveryStatus, error)
}

type accountSender interface {
	SendAccount(ctx context.Context, mail account.Mail) error
}

// AccountMailSender is the transport of an outbox for account mails.
type AccountMailSender struct {
	mails  accountMails
	sender accountSender
}

// NewAccountMailSender returns a transport. Production uses a *Sender.
func NewAccountMailSender(m accountMails, s accountSender) *AccountMailSender {
	return &AccountMailSender{mails: m, sender: s}
}

// Load returns a mail for one attempt to send it.
func (t *AccountMailSender) Load(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
	mail, status, err := t.mails.Letter(ctx, k.N)
	return outbox.Delivery{
		Status: status, Tries: mail.Tries, Until: mail.Until,
		Send: func(ctx context.Context) error { return t.sender.SendAccount(ctx, mail) },
	}, err
}
