package local

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/smtpreply"
)

const (
	maxMail       = 25 << 20 // bytes
	maxRecipients = 100
	maxLine       = 1 << 20     // bytes
	smtpTimeout   = time.Minute // for the client's next line
	receivedLine  = "X-Received-At: "
	recipientLine = "Delivered-To: "
	senderLine    = "Return-Path: " // the last line of an envelope
)

func newSMTP(m *Mailbox) *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{mailbox: m}, nil
	}))
	server.Domain = "localhost"
	server.MaxMessageBytes = maxMail
	server.MaxRecipients = maxRecipients
	server.MaxLineLength = maxLine
	server.ReadTimeout = smtpTimeout
	server.WriteTimeout = smtpTimeout
	server.EnableSMTPUTF8 = true
	server.ErrorLog = log.New(io.Discard, "", 0) // disconnects are not worth logging
	return server
}

// session is a client connection.
type session struct {
	mailbox *Mailbox
	envelope
	desk []string // recipients at the desk
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if refuse := s.mailbox.opts.OnRecipient; refuse != nil {
		if err := refuse(s.from, to); err != nil {
			return err
		}
	}
	if s.mailbox.opts.Desk.receives(to) {
		s.desk = append(s.desk, to)
	} else {
		s.to = append(s.to, to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return reply(fmt.Errorf("read a mail: %w", err))
	}
	if len(s.desk) > 0 {
		if err := s.mailbox.opts.Desk.deliver(s.from, s.desk, raw); err != nil || len(s.to) == 0 {
			return reply(err)
		}
	}
	e := envelope{from: s.from, to: slices.Clone(s.to), received: time.Now().UTC()}
	return reply(s.mailbox.keep(e, raw))
}

// reply returns the reply to a client, as an interface that is nil without an error.
func reply(err error) error {
	if err == nil {
		return nil
	}
	return smtpreply.For(err)
}

func (s *session) Reset() { s.envelope, s.desk = envelope{}, nil }

func (s *session) Logout() error { return nil }

// envelope is the SMTP envelope of a mail.
type envelope struct {
	from     string
	to       []string
	received time.Time
}

// header returns the envelope as the first lines of a stored mail.
func (e envelope) header() []byte {
	var b bytes.Buffer
	line := func(name, value string) {
		// A line break in an address could forge the following lines.
		b.WriteString(name + strings.NewReplacer("\r", "", "\n", "").Replace(value) + "\r\n")
	}
	line(receivedLine, e.received.Format(time.RFC3339Nano))
	for _, to := range e.to {
		line(recipientLine, to)
	}
	line(senderLine, "<"+e.from+">")
	return b.Bytes()
}

// cutEnvelope is the inverse of header. A file without an envelope is only a mail.
func cutEnvelope(text []byte) (e envelope, raw []byte) {
	rest := text
	for {
		line, after, found := bytes.Cut(rest, []byte("\r\n"))
		name, value, isField := strings.Cut(string(line), " ")
		if !found || !isField {
			return envelope{}, text
		}
		rest = after
		switch name + " " {
		case receivedLine:
			e.received, _ = time.Parse(time.RFC3339Nano, value) // zero if the file was edited
		case recipientLine:
			e.to = append(e.to, value)
		case senderLine:
			e.from = strings.Trim(value, "<>")
			return e, rest
		default:
			return envelope{}, text
		}
	}
}
