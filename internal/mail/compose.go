package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/text"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// outgoing is a mail ready to be sent by SMTP.
type outgoing struct {
	from, to  string // addr-specs in angle brackets
	message   []byte
	needsUTF8 bool // the recipient's address is not ASCII, so the server must support SMTPUTF8
}

// compose renders a mail and returns it with its headers and files. It returns an *Undeliverable for an invalid address.
func (r *Renderer) compose(box desk.Mailbox, h headers, files []desk.MailFile, render func(now time.Time) (Message, error)) (outgoing, error) {
	to, err := parseMailbox(box)
	if err != nil {
		return outgoing{}, err
	}
	m, from, err := r.newMessage()
	if err != nil {
		return outgoing{}, err
	}
	now := time.Now()
	content, err := render(now)
	if err != nil {
		return outgoing{}, err
	}
	m.ToMailAddress(&to)
	m.SetDateWithValue(now)
	h.set(m)
	m.SetGenHeader(gomail.HeaderSubject, encodeHeader(content.Subject))
	m.SetBodyString(gomail.TypeTextPlain, content.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, content.HTML)
	for _, f := range files {
		if err := m.AttachReader(oneLine(f.Name, 0), bytes.NewReader(f.Content), gomail.WithFileContentType(gomail.ContentType(f.Type))); err != nil {
			return outgoing{}, fmt.Errorf("attach a file: %w", err)
		}
	}
	var written bytes.Buffer
	if _, err := m.WriteTo(&written); err != nil {
		return outgoing{}, fmt.Errorf("write mail: %w", err)
	}
	message, err := r.cfg.DKIM.sign(written.Bytes())
	if err != nil {
		return outgoing{}, err
	}
	return outgoing{from: from, to: envelope(to), message: message, needsUTF8: !ascii(to.Address)}, nil
}

// newMessage returns a message with the header From, and the sender for the envelope.
func (r *Renderer) newMessage() (m *gomail.Msg, sender string, err error) {
	from, err := parseMailbox(r.cfg.From)
	if err != nil {
		return nil, "", fmt.Errorf("write sender's address: %w", err)
	}
	m = gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&from)
	m.SetGenHeader(automatic.DeskHeader, from.Address) // by which a desk recognizes its own mails when they come back
	return m, envelope(from), nil
}

// headers are the headers that differ between mails.
type headers struct {
	messageID             string
	inReplyTo, references string // of the thread; may be empty
	replyTo               string // address; empty: answers are not read
	answers               bool   // the mail answers a message of its recipient
}

// set sets the headers, and those that ask other systems for no automatic reply (RFC 3834).
func (h headers) set(m *gomail.Msg) {
	m.SetGenHeader(gomail.HeaderMessageID, h.messageID)
	if h.references != "" {
		m.SetGenHeader(gomail.HeaderInReplyTo, h.inReplyTo)
		m.SetGenHeader(gomail.HeaderReferences, h.references)
	}
	if h.replyTo != "" {
		m.SetGenHeader(gomail.Header(gomail.HeaderReplyTo), "<"+h.replyTo+">")
	}
	automatic := "auto-generated"
	if h.answers {
		automatic = "auto-replied"
		m.SetGenHeader(gomail.HeaderPrecedence, "auto_reply")
	}
	m.SetGenHeader("Auto-Submitted", automatic)
	m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	m.SetGenHeader(gomail.HeaderContentLang, "en")
	// There is no List-Unsubscribe: every mail is about the recipient's own ticket or account, or about an emergency that moves
	// the dates they were promised. Nothing is sent that people subscribe to.
}

func envelope(address mail.Address) string {
	address.Name = ""
	return address.String()
}

const (
	maxPlainWord = 60 // bytes; a longer word can't be folded and is encoded
	wordBytes    = 45 // of text in an encoded word of 72 characters; RFC 2047 allows 75
)

// encodeHeader encodes a line of UTF-8 as header text. It writes leading plain words as they are, and from the first that
// needs encoding on all the rest as encoded words, with spaces where the line may be folded. A word with "=?" needs
// encoding: mail programs would decode what a person typed, to characters that oneLine removes.
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
		word := text.Truncate(rest, wordBytes)
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(word))+"?=")
		rest = rest[len(word):]
	}
	return words
}

// MessageID returns the Message-ID of a ticket's nth mail, such as <hm-7q2k9xm4td.3.m0123456789abcdef@example.com>. It is the
// same each time the mail is sent, so that mail servers can drop duplicates. After a database is restored from a backup, n may
// repeat; the epoch, unless it is 0, makes the Message-ID different. The last part proves that the desk made it, so that an
// answer that refers to it belongs to the ticket; it is missing in mails that were stored before there was one.
func MessageID(number ticket.Number, n int, epoch int64, mac, domain string) string {
	parts := []string{strings.ToLower(string(number)), strconv.Itoa(n)}
	if epoch != 0 {
		parts = append(parts, strconv.FormatInt(epoch, 10))
	}
	if mac != "" {
		parts = append(parts, mac)
	}
	return "<" + strings.Join(parts, ".") + "@" + domain + ">"
}

// AnnouncementID returns the Message-ID of an announcement, which is the same each time it is sent.
func AnnouncementID(id int64, domain string) string {
	return fmt.Sprintf("<announcement.%d@%s>", id, domain)
}

// AccountID returns the Message-ID of an account mail, which is the same each time it is sent.
func AccountID(id int64, domain string) string {
	return fmt.Sprintf("<account.%d@%s>", id, domain)
}

// maxReferences is the maximum number of Message-IDs in References. RFC 5322 suggests to keep the first and the last.
const maxReferences = 20

// thread returns the values of In-Reply-To and References, both empty for the first mail of a conversation to its recipient. All
// of them are of mails that the recipient has: a Message-ID proves who received the mail.
func thread(data desk.MailData, domain string) (inReplyTo, references string) {
	var ids []string
	for _, m := range data.Thread {
		id := MessageID(data.Number, m.N, m.Epoch, m.MAC, domain)
		if m.ID != "" {
			if id = "<" + m.ID + ">"; !validMessageID(id) {
				continue
			}
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return "", ""
	}
	if len(ids) > maxReferences {
		ids = slices.Delete(ids, 1, 1+len(ids)-maxReferences)
	}
	return ids[len(ids)-1], strings.Join(ids, " ")
}

// validMessageID reports whether a Message-ID that others made can stand in a header as it is.
func validMessageID(id string) bool {
	return len(id) <= 250 && ascii(id) && strings.Count(id, "@") == 1 && !strings.ContainsFunc(id[1:len(id)-1], func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune("<>()", r)
	})
}
