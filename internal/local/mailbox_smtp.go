package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	maxMail       = 25 << 20 // bytes
	maxRecipients = 100
	smtpPatience  = time.Minute // for a client's next line
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
	server.ReadTimeout = smtpPatience
	server.WriteTimeout = smtpPatience
	server.EnableSMTPUTF8 = true
	server.ErrorLog = log.New(io.Discard, "", 0) // a client that hangs up is no news here
	return server
}

// session is one client's connection.
type session struct {
	mailbox *Mailbox
	envelope
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
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return refusal(fmt.Errorf("read a mail: %w", err))
	}
	e := envelope{from: s.from, to: slices.Clone(s.to), received: time.Now().UTC()}
	return refusal(s.mailbox.keep(e, raw))
}

// refusal is err as SMTP answers it. An *smtp.SMTPError, such as for a mail that is too large, is about the mail itself
// and stays what it is. Any other fault is ours and passes: the answer is temporary, so that the sender keeps the mail
// and tries again. Left to itself the server answers 554.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	if refused, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return refused
	}
	temporary := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: err.Error()}
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			temporary.Code, temporary.EnhancedCode = 452, smtp.EnhancedCode{4, 3, 1}
		}
	}
	return temporary
}

func (s *session) Reset() { s.envelope = envelope{} }

func (s *session) Logout() error { return nil }

// envelope is what SMTP says of a mail and the mail itself does not.
type envelope struct {
	from     string
	to       []string
	received time.Time
}

// header is the envelope as the first lines of a kept mail.
func (e envelope) header() []byte {
	var b bytes.Buffer
	line := func(name, value string) {
		// An address with a line break could forge the lines below.
		b.WriteString(name + strings.NewReplacer("\r", "", "\n", "").Replace(value) + "\r\n")
	}
	line(receivedLine, e.received.Format(time.RFC3339Nano))
	for _, to := range e.to {
		line(recipientLine, to)
	}
	line(senderLine, "<"+e.from+">")
	return b.Bytes()
}

// cutEnvelope is the inverse of header. A file without an envelope is all mail.
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
			e.received, _ = time.Parse(time.RFC3339Nano, value) // zero when someone edited the file
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
