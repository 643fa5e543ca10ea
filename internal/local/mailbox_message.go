package local

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // reads every usual character set
	"github.com/emersion/go-message/mail"
)

const maxParts = 100

// Message is a mail as shown: decoded to valid UTF-8, and untrusted. Message IDs have no angle brackets.
type Message struct {
	ID          int                 `json:"id"`       // from 1, in order of arrival
	From        string              `json:"from"`     // From header, or else the sender of the envelope
	To          []string            `json:"to"`       // recipients of the envelope
	ReplyTo     []string            `json:"reply_to"` // addresses of the header of that name
	Subject     string              `json:"subject"`
	Date        time.Time           `json:"date"` // zero if missing
	MessageID   string              `json:"message_id"`
	InReplyTo   string              `json:"in_reply_to"`
	References  []string            `json:"references"`
	Text        string              `json:"text"`
	HTML        string              `json:"html"`
	Attachments []string            `json:"attachments"` // names
	Headers     map[string][]string `json:"headers"`     // by canonical name
	ReceivedAt  time.Time           `json:"received_at"`
}

// parseMessage never fails: what cannot be parsed is shown as received.
func parseMessage(e envelope, raw []byte) Message {
	m := Message{
		From: e.from, To: e.to, ReceivedAt: e.received,
		ReplyTo: []string{}, References: []string{}, Attachments: []string{}, Headers: map[string][]string{},
	}
	if m.To == nil {
		m.To = []string{}
	}
	reader, err := mail.CreateReader(bytes.NewReader(raw))
	if reader == nil || (err != nil && !readable(err)) {
		m.Subject, m.Text = "(unreadable email)", clean(string(raw))
		return m
	}
	m.readHeader(reader.Header)
	m.readParts(reader)
	return m
}

// readable reports whether the mail can be shown despite err, an unknown character set or encoding.
func readable(err error) bool {
	return message.IsUnknownCharset(err) || message.IsUnknownEncoding(err)
}

func (m *Message) readHeader(h mail.Header) {
	for fields := h.Fields(); fields.Next(); {
		text, err := fields.Text()
		if err != nil {
			text = fields.Value()
		}
		m.Headers[fields.Key()] = append(m.Headers[fields.Key()], clean(text))
	}
	if from := m.Headers["From"]; len(from) > 0 {
		m.From = from[0]
	}
	if subject := m.Headers["Subject"]; len(subject) > 0 {
		m.Subject = subject[0]
	}
	replyTo, _ := h.AddressList("Reply-To") // none if they are malformed; they are among the headers
	for _, a := range replyTo {
		m.ReplyTo = append(m.ReplyTo, clean(a.Address))
	}
	m.Date, _ = h.Date() // zero when there is none to read
	m.MessageID = clean(firstID(h, "Message-Id"))
	m.InReplyTo = clean(firstID(h, "In-Reply-To"))
	for _, id := range idsOf(h, "References") {
		m.References = append(m.References, clean(id))
	}
}

func firstID(h mail.Header, field string) string {
	if ids := idsOf(h, field); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

// idsOf falls back to splitting at white space if the field is malformed.
func idsOf(h mail.Header, field string) []string {
	ids, err := h.MsgIDList(field)
	if err == nil {
		return ids
	}
	for id := range strings.FieldsSeq(h.Get(field)) {
		ids = append(ids, strings.Trim(id, "<>"))
	}
	return ids
}

// readParts reads the first text part, the first HTML part, and the names of attachments.
func (m *Message) readParts(reader *mail.Reader) {
	for range maxParts {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) || part == nil || (err != nil && !readable(err)) {
			return
		}
		switch header := part.Header.(type) {
		case *mail.AttachmentHeader:
			name, err := header.Filename()
			if err != nil || name == "" {
				name, _, _ = header.ContentType() // empty when it has none
			}
			m.Attachments = append(m.Attachments, clean(name))
		case *mail.InlineHeader:
			body, _ := io.ReadAll(part.Body) // as much as can be decoded
			kind, _, _ := header.ContentType()
			switch {
			case kind == "text/html" && m.HTML == "":
				m.HTML = clean(string(body))
			case kind != "text/html" && m.Text == "":
				m.Text = clean(string(body))
			}
		}
	}
}

// clean returns valid UTF-8 with LF line ends.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
}

// mentions reports whether a word, such as a ticket number, is in the subject, the text or a header.
func (m *Message) mentions(word string) bool {
	word = strings.ToLower(word)
	has := func(text string) bool { return strings.Contains(strings.ToLower(text), word) }
	if has(m.Subject) || has(m.Text) {
		return true
	}
	for _, values := range m.Headers {
		for _, value := range values {
			if has(value) {
				return true
			}
		}
	}
	return false
}

// reaches reports whether an address, or part of one, is among the recipients.
func (m *Message) reaches(address string) bool {
	for _, to := range m.To {
		if strings.Contains(strings.ToLower(to), strings.ToLower(address)) {
			return true
		}
	}
	return false
}
