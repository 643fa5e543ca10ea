package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// outgoing is a mail ready for SMTP.
type outgoing struct {
	from, to string // addr-specs in angle brackets
	message  []byte
	unicode  bool // the recipient's address is not ASCII: the server must speak SMTPUTF8
}

// compose writes a letter out with its headers. An address that can't be written gives an *Undeliverable.
func compose(r *Renderer, l desk.MailData, now time.Time) (outgoing, error) {
	h := headers{messageID: MessageID(l.Number, l.N, l.Epoch, r.cfg.Domain), answers: l.Kind == ticket.MailReceipt}
	h.inReplyTo, h.references = thread(l, r.cfg.Domain)
	return pack(r, l.To, now, h, func() (Message, error) { return r.Render(l) })
}

// pack makes a mail from its headers and its words.
func pack(r *Renderer, box desk.Mailbox, now time.Time, h headers, render func() (Message, error)) (outgoing, error) {
	to, err := writable(box)
	if err != nil {
		return outgoing{}, err
	}
	m, from, err := r.newMessage()
	if err != nil {
		return outgoing{}, err
	}
	words, err := render()
	if err != nil {
		return outgoing{}, err
	}
	m.ToMailAddress(&to)
	m.SetDateWithValue(now)
	h.set(m)
	m.SetGenHeader(gomail.HeaderSubject, encodeHeader(words.Subject))
	m.SetBodyString(gomail.TypeTextPlain, words.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, words.HTML)
	var written bytes.Buffer
	if _, err := m.WriteTo(&written); err != nil {
		return outgoing{}, fmt.Errorf("write mail: %w", err)
	}
	return outgoing{from: from, to: envelope(to), message: written.Bytes(), unicode: !ascii(to.Address)}, nil
}

// newMessage returns a message that says whom every mail is from, and that address for the envelope.
func (r *Renderer) newMessage() (m *gomail.Msg, sender string, err error) {
	from, err := writable(r.cfg.From)
	if err != nil {
		return nil, "", fmt.Errorf("write sender's address: %w", err)
	}
	m = gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&from)
	if r.cfg.ReplyTo.Address != "" {
		answers, err := writable(r.cfg.ReplyTo)
		if err != nil {
			return nil, "", fmt.Errorf("write address for replies: %w", err)
		}
		m.ReplyToMailAddress(&answers)
	}
	return m, envelope(from), nil
}

// headers are those in which one mail differs from another.
type headers struct {
	messageID             string
	inReplyTo, references string // keep a thread together; may be empty
	answers               bool   // it is sent because its recipient has just written
}

// set also tells other machines not to answer this one (RFC 3834).
func (h headers) set(m *gomail.Msg) {
	m.SetGenHeader(gomail.HeaderMessageID, h.messageID)
	if h.references != "" {
		m.SetGenHeader(gomail.HeaderInReplyTo, h.inReplyTo)
		m.SetGenHeader(gomail.HeaderReferences, h.references)
	}
	automatic := "auto-generated"
	if h.answers {
		automatic = "auto-replied"
		m.SetGenHeader(gomail.HeaderPrecedence, "auto_reply")
	}
	m.SetGenHeader("Auto-Submitted", automatic)
	m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	m.SetGenHeader(gomail.HeaderContentLang, "en")
}

func envelope(address mail.Address) string {
	address.Name = ""
	return address.String()
}

const (
	maxPlainWord = 60 // a longer one can't be folded and is encoded
	wordBytes    = 45 // makes an encoded word of 72 characters; RFC 2047 allows 75
)

// encodeHeader writes one line of UTF-8 as header text: plain words first, and from the first that can't stand as it
// is all the rest in encoded words, with spaces where the line may be folded. "=?" is such a case: a reader would
// decode what somebody typed, and find there what oneLine has taken out.
func encodeHeader(line string) string {
	words := strings.Split(line, " ")
	for i, word := range words {
		if !ascii(word) || len(word) > maxPlainWord || strings.Contains(word, "=?") {
			return strings.Join(append(words[:i:i], encodedWords(strings.Join(words[i:], " "))...), " ")
		}
	}
	return line
}

func encodedWords(rest string) []string {
	var words []string
	for rest != "" {
		cut := min(wordBytes, len(rest))
		for cut < len(rest) && !utf8.RuneStart(rest[cut]) {
			cut--
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(rest[:cut]))+"?=")
		rest = rest[cut:]
	}
	return words
}
