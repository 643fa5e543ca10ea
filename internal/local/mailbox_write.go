package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"
)

// Desk is the server that receives the desk's mail. Mails to its address are passed to it instead of being stored.
type Desk struct {
	Server  string // host:port of its SMTP server
	Address string // also with an extension after a plus sign
}

// receives reports whether mails to an address are for the desk.
func (d Desk) receives(address string) bool {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	local, _, _ = strings.Cut(local, "+")
	return d.Server != "" && local+"@"+domain == strings.ToLower(d.Address)
}

// deliver passes a mail to the desk. Its error is an *smtp.SMTPError if the desk refused it.
func (d Desk) deliver(from string, to []string, raw []byte) error {
	client, err := smtp.Dial(d.Server)
	if err != nil {
		return fmt.Errorf("connect to the desk: %w", err)
	}
	defer func() { _ = client.Close() }()
	if err := client.SendMail(from, to, bytes.NewReader(raw)); err != nil {
		return fmt.Errorf("pass a mail to the desk: %w", err)
	}
	return nil
}

const (
	maxForm   = 1 << 20 // bytes
	maxQuoted = 200     // lines
)

// draft is the form with which a person writes to the desk.
type draft struct {
	From, To, Subject, Text string
	Answers                 int    // ID of the mail that it answers; 0: none
	Problem                 string // why it was not sent; empty: it is new
}

// draftView is the page of a draft.
type draftView struct {
	draft
	Sent bool
}

// answerTo returns the draft of an answer to a mail.
func answerTo(m Message) draft {
	d := draft{To: m.From, Subject: m.Subject, Answers: m.ID}
	if len(m.ReplyTo) > 0 {
		d.To = m.ReplyTo[0]
	} else if parsed, err := netmail.ParseAddress(m.From); err == nil {
		d.To = parsed.Address
	}
	if len(m.To) > 0 {
		d.From = m.To[0]
	}
	if !strings.HasPrefix(strings.ToLower(d.Subject), "re:") {
		d.Subject = "Re: " + d.Subject
	}
	return d
}

// compose shows the form of a new mail to the desk.
func (m *Mailbox) compose(w http.ResponseWriter, _ *http.Request) {
	render(w, "write.html", draftView{draft: draft{To: m.opts.Desk.Address}})
}

// write sends what a form contains to the desk.
func (m *Mailbox) write(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form could not be read", http.StatusBadRequest)
		return
	}
	d := draft{From: r.PostFormValue("from"), To: r.PostFormValue("to"), Subject: r.PostFormValue("subject"), Text: r.PostFormValue("text")}
	answered, answers := m.messageFor(r)
	if answers {
		d.Answers = answered.ID
	}
	if err := m.sendDraft(d, answered); err != nil {
		d.Problem = err.Error()
		renderWith(w, http.StatusUnprocessableEntity, "write.html", draftView{draft: d})
		return
	}
	http.Redirect(w, r, "/dev/mail/sent", http.StatusSeeOther)
}

// sent shows that a mail was sent.
func (m *Mailbox) sent(w http.ResponseWriter, _ *http.Request) {
	render(w, "write.html", draftView{Sent: true})
}

// sendDraft sends a draft, with the headers and the quotation of an answer if it answers a mail.
func (m *Mailbox) sendDraft(d draft, answered Message) error {
	from, err := netmail.ParseAddress(d.From)
	if err != nil {
		return errors.New("the sender is not an email address")
	}
	if !m.opts.Desk.receives(d.To) {
		return fmt.Errorf("emails can be sent to the desk only, at %s", m.opts.Desk.Address)
	}
	raw, err := d.message(from, answered)
	if err != nil {
		return err
	}
	return m.opts.Desk.deliver(from.Address, []string{d.To}, raw)
}

// message returns the mail.
func (d draft) message(from *netmail.Address, answered Message) ([]byte, error) {
	var h mail.Header
	h.SetDate(time.Now())
	h.SetAddressList("From", []*mail.Address{from})
	h.SetAddressList("To", []*mail.Address{{Address: d.To}})
	h.SetSubject(d.Subject)
	h.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	if err := h.GenerateMessageIDWithHostname("mailbox.example"); err != nil {
		return nil, fmt.Errorf("write an email: %w", err)
	}
	text := d.Text
	if answered.MessageID != "" {
		h.SetMsgIDList("In-Reply-To", []string{answered.MessageID})
		h.SetMsgIDList("References", append(answered.References, answered.MessageID))
		text += "\r\n\r\n" + quoted(answered)
	}
	var raw bytes.Buffer
	w, err := mail.CreateSingleInlineWriter(&raw, h)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("write an email: %w", err)
	}
	return raw.Bytes(), nil
}

// quoted returns the text of a mail as mail programs quote it.
func quoted(m Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "On %s, %s wrote:\r\n", m.ReceivedAt.UTC().Format("Mon, 2 Jan 2006 at 15:04"), m.From)
	lines := strings.Split(strings.TrimSpace(m.Text), "\n")
	for _, line := range lines[:min(len(lines), maxQuoted)] {
		b.WriteString("> " + strings.TrimRight(line, "\r") + "\r\n")
	}
	return b.String()
}
