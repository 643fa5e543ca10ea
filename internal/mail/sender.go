// Package mail renders mails and sends them to an SMTP server. It sets the headers that keep the mails of a ticket in one
// thread, and returns whether a mail was sent, rejected for good, or is to be tried again. Its transports load and send
// deliveries of an outbox: mails of tickets, of announcements and of accounts. It knows no SQL, Temporal or HTTP.
//
// No error of this package contains names, addresses or text that people wrote, because errors are recorded in Temporal.
// What a server replied about a rejected mail is separate, in Undeliverable.Reason.
package mail

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Sender renders mails and sends them to the SMTP server. It keeps connections open for a few seconds between mails.
// A Sender is safe for concurrent use; each mail under way has a connection of its own.
type Sender struct {
	renderer *Renderer
	dialer   *dialer
	idle     idle
}

// NewSender checks the configuration and the templates. It does not connect. Its errors are those of NewRenderer.
func NewSender(cfg Config) (*Sender, error) {
	renderer, err := NewRenderer(cfg)
	if err != nil {
		return nil, err
	}
	dialer, err := newDialer(renderer.cfg)
	if err != nil {
		return nil, err
	}
	return &Sender{renderer: renderer, dialer: dialer}, nil
}

// Send sends a ticket mail and returns nil once the server has accepted it. It returns an *Undeliverable if no retry can
// succeed, a Limited fault if the server asks for a later try (with a *Deferral as its cause if that is about this mail),
// and an Unavailable fault if the server can't be reached, rejects our credentials or does not reply. If the server did
// not reply to the whole mail, it may have accepted it, and a retry sends it again with the same Message-ID. Any other
// error is a defect. Send returns when ctx ends, unless the server has the whole mail: then it waits for the reply, ten
// minutes at most.
func (s *Sender) Send(ctx context.Context, data desk.MailData) error {
	domain := s.renderer.cfg.Domain
	h := headers{messageID: MessageID(data.Number, data.N, data.Epoch, data.MAC, domain), answers: data.Kind == ticket.MailReceipt}
	h.inReplyTo, h.references = thread(data, domain)
	var err error
	if h.replyTo, err = s.renderer.cfg.replyAddress(data.ReplyToken); err != nil {
		return err
	}
	return s.send(ctx, data.To, h, attached(data.Files), func(time.Time) (Message, error) { return s.renderer.Render(data) })
}

// SendAccount sends an account mail. Its errors are those of Send. Account mails form no thread, because a mail program that
// collapses a thread would hide the valid link.
func (s *Sender) SendAccount(ctx context.Context, mail account.Mail) error {
	h := headers{messageID: AccountID(mail.ID, s.renderer.cfg.Domain)}
	return s.send(ctx, mail.To, h, nil, func(now time.Time) (Message, error) { return s.renderer.RenderAccount(mail, now) })
}

// SendAnnouncement sends an announcement. Its errors are those of Send.
func (s *Sender) SendAnnouncement(ctx context.Context, a desk.Announcement) error {
	h := headers{messageID: AnnouncementID(a.ID, s.renderer.cfg.Domain)}
	return s.send(ctx, a.To, h, nil, func(time.Time) (Message, error) { return s.renderer.RenderAnnouncement(a) })
}

func (s *Sender) send(ctx context.Context, to desk.Mailbox, h headers, files []desk.MailFile, render func(now time.Time) (Message, error)) error {
	p, err := s.renderer.compose(to, h, files, render)
	if err != nil {
		return err
	}
	if c := s.idle.get(); c != nil {
		f, err := s.sendOver(ctx, c, p)
		if err != nil {
			return err
		}
		if f == nil || !f.stale() || ctx.Err() != nil {
			return f.deliveryError()
		}
	}
	c, err := s.dialer.dial(ctx)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "the mail server cannot be reached")
	}
	f, err := s.sendOver(ctx, c, p)
	if err != nil {
		return err
	}
	return f.deliveryError()
}

// sendOver sends a mail over a connection, and puts the connection into the pool if it still works.
func (s *Sender) sendOver(ctx context.Context, c *connection, p outgoing) (*failure, error) {
	if p.needsUTF8 && !c.supportsUTF8() {
		s.idle.put(c)
		return nil, errUnicode
	}
	f := c.deliver(ctx, p)
	if f != nil {
		c.drop()
		return f, nil
	}
	s.idle.put(c)
	return nil, nil
}

// Close closes idle connections. Mails under way are finished, and their connections closed after them.
func (s *Sender) Close() { s.idle.close() }
