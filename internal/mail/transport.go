package mail

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const disabled = "the recipient has been disabled"

type ticketMails interface {
	// Letter loads the nth mail of a ticket, and what became of it already. Only one that is owed is loaded.
	Letter(ctx context.Context, number ticket.Number, n int) (desk.MailData, desk.DeliveryStatus, error)
}

type ticketSender interface {
	Send(ctx context.Context, l desk.MailData) error
}

// TicketMailSender sends tickets' mails for an outbox.
type TicketMailSender struct {
	mails  ticketMails
	sender ticketSender
}

// NewTicketMailSender returns a transport; the sender is a *Sender outside of tests.
func NewTicketMailSender(m ticketMails, s ticketSender) *TicketMailSender {
	return &TicketMailSender{mails: m, sender: s}
}

// Load loads a mail for one try.
func (t *TicketMailSender) Load(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
	l, status, err := t.mails.Letter(ctx, k.Ticket, int(k.N))
	d := outbox.Delivery{Status: status, Send: func(ctx context.Context) error { return t.sender.Send(ctx, l) }}
	if l.Disabled {
		d.Barred = disabled
	}
	return d, err
}

type announcementMails interface {
	// Announcement loads a mail, and what became of it already. Only one that is owed is loaded.
	Announcement(ctx context.Context, id int64) (desk.Announcement, desk.DeliveryStatus, int, error)
}

type announcementSender interface {
	SendAnnouncement(ctx context.Context, a desk.Announcement) error
}

// AnnouncementSender sends announcements' mails for an outbox.
type AnnouncementSender struct {
	mails  announcementMails
	sender announcementSender
}

// NewAnnouncementSender returns a transport; the sender is a *Sender outside of tests.
func NewAnnouncementSender(m announcementMails, s announcementSender) *AnnouncementSender {
	return &AnnouncementSender{mails: m, sender: s}
}

// Load loads a mail for one try.
func (t *AnnouncementSender) Load(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
	a, status, tries, err := t.mails.Announcement(ctx, k.N)
	d := outbox.Delivery{
		Status: status, Tries: tries, Obsolete: len(a.Tickets) == 0,
		Send: func(ctx context.Context) error { return t.sender.SendAnnouncement(ctx, a) },
	}
	if a.Disabled {
		d.Barred = disabled
	}
	return d, err
}

type accountMails interface {
	Letter(ctx context.Context, id int64) (account.Mail, desk.DeliveryStatus, error)
}

type accountSender interface {
	SendAccount(ctx context.Context, l account.Mail) error
}

// AccountMailSender sends accounts' mails for an outbox.
type AccountMailSender struct {
	mails  accountMails
	sender accountSender
}

// NewAccountMailSender returns a transport; the sender is a *Sender outside of tests.
func NewAccountMailSender(m accountMails, s accountSender) *AccountMailSender {
	return &AccountMailSender{mails: m, sender: s}
}

// Load loads a mail for one try.
func (t *AccountMailSender) Load(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
	l, status, err := t.mails.Letter(ctx, k.N)
	return outbox.Delivery{
		Status: status, Tries: l.Tries, Until: l.Until,
		Send: func(ctx context.Context) error { return t.sender.SendAccount(ctx, l) },
	}, err
}
