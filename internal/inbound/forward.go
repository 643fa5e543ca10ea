package inbound

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

// setForwarded sets the mail that a mail forwards, within its text or attached. One of the desk itself is none.
func (r *Reader) setForwarded(ctx context.Context, m *desk.ReadMail) error {
	if f, is := quote.Forwarded(m.Text); is && (f.Marked || quote.Forwards(m.Subject, m.Text)) {
		r.forwards(m, desk.ReadMail{From: desk.Mailbox{Name: f.From.Name, Address: f.From.Address}, Subject: f.Subject, Text: f.Text})
		m.Above = f.Above
		return nil
	}
	if !slices.ContainsFunc(m.Files, func(f desk.MailAttachment) bool { return f.Mail }) {
		return nil
	}
	inner, err := r.parseAttached(ctx, m.IncomingMail, func(message.File, io.Reader) error { return nil })
	if err != nil || len(inner.From) != 1 {
		return err
	}
	r.forwards(m, desk.ReadMail{
		From: desk.Mailbox{Name: inner.From[0].Name, Address: inner.From[0].Address}, Subject: inner.Subject, Text: inner.Text,
		Files: attachments(inner.Files), Attached: true,
	})
	return nil
}

func (r *Reader) forwards(m *desk.ReadMail, f desk.ReadMail) {
	own := slices.ContainsFunc(r.ours(), func(address string) bool { return strings.EqualFold(address, f.From.Address) })
	if own || !desk.ValidAddress(f.From.Address) {
		return
	}
	f.IncomingMail = m.IncomingMail
	if f.Subject == "" {
		f.Subject = m.Subject
	}
	f.Subject = quote.BareSubject(f.Subject)
	m.Forwarded = &f
}

// parseAttached reads the first mail that is attached to a stored one, and passes its files to sink. It returns an empty mail if
// there is none.
func (r *Reader) parseAttached(ctx context.Context, m desk.IncomingMail, sink func(message.File, io.Reader) error) (inner message.Message, err error) {
	found := false
	_, err = r.parse(ctx, m, func(f message.File, content io.Reader) error {
		if found || !isAttachedMail(f) {
			return nil
		}
		found = true
		var unread error
		if inner, unread = message.Read(ctx, content, sink); unread != nil {
			inner = message.Message{} // it is only a file then
		}
		return ctx.Err()
	})
	return inner, err
}

func isAttachedMail(f message.File) bool {
	return f.Type == "message/rfc822" || f.Type == "message/global"
}

// Forward returns the mail that a member of staff forwards as the message of its author, and what they wrote to it themselves, with
// the files of their mail: whose these are can't be known. All files are uploaded by the person who forwards.
func (r *Reader) Forward(ctx context.Context, m desk.ReadMail, by desk.Person) (forwarded, note desk.MailMessage, err error) {
	if m.Forwarded.Attached {
		if note, err = r.Message(ctx, m, by); err != nil {
			return forwarded, note, err
		}
		forwarded, err = r.Message(ctx, *m.Forwarded, by)
		return forwarded, note, err
	}
	s, err := r.say(ctx, m, by)
	if err != nil {
		return forwarded, note, err
	}
	return s.redacted(m.Forwarded.Subject, m.Forwarded.Text), s.message(m.Subject, m.Above), nil
}
