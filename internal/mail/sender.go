package mail

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Sender renders letters and hands them to the SMTP server, one mail a recipient, over connections that it keeps
// for a few seconds between mails. Safe for concurrent use: every mail under way has a connection of its own.
type Sender struct {
	renderer *Renderer
	dialer   *dialer
	idle     idle
}

// NewSender checks the configuration and the templates, and connects to nothing yet. Errors are those of
// NewRenderer.
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

// Send returns nil once the server has taken the mail. An *Undeliverable means that it never will. Limited means that
// the server asks for a later try, because of this mail if the cause is a *Deferral. Unavailable means that a later
// try may succeed: the server can't be reached, doesn't trust us, or fell silent. If it fell silent after it had the
// whole mail, that mail may have been taken, and a retry sends it again under the same Message-ID. Any other error is
// a defect. An ended ctx ends it at once, unless the server has the whole mail: then its answer is awaited, for ten
// minutes at most.
func (s *Sender) Send(ctx context.Context, l desk.MailData) error {
	p, err := compose(s.renderer, l, time.Now())
	if err != nil {
		return err
	}
	return s.send(ctx, p)
}

// SendAccount is Send for a mail of an account.
func (s *Sender) SendAccount(ctx context.Context, l account.Mail) error {
	p, err := composeAccount(s.renderer, l, time.Now())
	if err != nil {
		return err
	}
	return s.send(ctx, p)
}

// SendAnnouncement is Send for a mail of an announcement.
func (s *Sender) SendAnnouncement(ctx context.Context, a desk.Announcement) error {
	p, err := composeAnnouncement(s.renderer, a, time.Now())
	if err != nil {
		return err
	}
	return s.send(ctx, p)
}

func (s *Sender) send(ctx context.Context, p outgoing) error {
	if c := s.idle.take(); c != nil {
		f, err := s.hand(ctx, c, p)
		if err != nil {
			return err
		}
		if f == nil || !f.stale() || ctx.Err() != nil {
			return verdict(f)
		}
	}
	c, err := s.dialer.dial(ctx)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "the mail server cannot be reached")
	}
	f, err := s.hand(ctx, c, p)
	if err != nil {
		return err
	}
	return verdict(f)
}

// hand delivers a mail over a connection and keeps the connection if it still works.
func (s *Sender) hand(ctx context.Context, c *connection, p outgoing) (*failure, error) {
	if p.unicode && !c.unicode() {
		s.idle.keep(c)
		return nil, errUnicode
	}
	f := c.deliver(ctx, p)
	if f != nil {
		c.drop()
		return f, nil
	}
	s.idle.keep(c)
	return nil, nil
}

// Close takes leave of the server. Mails under way go on; their connections close after them.
func (s *Sender) Close() { s.idle.close() }

func verdict(f *failure) error {
	if f == nil {
		return nil
	}
	return f.verdict()
}
