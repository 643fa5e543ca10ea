package inbound

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"

	"github.com/holesalemart/supportdesk/internal/attachment"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
	"github.com/holesalemart/supportdesk/internal/inbound/quote"
	"github.com/holesalemart/supportdesk/internal/markup"
	"github.com/holesalemart/supportdesk/internal/text"
)

// Limits of what is shown of a mail; the rest is in the mail itself.
const (
	maxHeaders    = 64 << 10 // bytes
	maxShownFiles = 100
	maxShownText  = 256 << 10 // bytes
	maxMailboxes  = 50        // of a header field
)

// Viewer reads what staff are shown of stored mails.
type Viewer struct {
	contents contents
	secrets  Secrets
	site     *redactedSite
}

// NewViewer returns a Viewer. The website is that to which the desk's emails link: what they contain for their recipient alone is not
// shown, since mails quote it.
func NewViewer(c contents, s Secrets, website string, a Addresses) *Viewer {
	return &Viewer{contents: c, secrets: s, site: newRedactedSite(website, a)}
}

func (v *Viewer) redactor(ctx context.Context) (redactor, error) {
	secrets, err := v.secrets(ctx)
	return redactor{secrets, v.site}, err
}

// Redact replaces the links and addresses of others that the envelopes and subjects of mails contain.
func (v *Viewer) Redact(ctx context.Context, mails []desk.IncomingMail) error {
	hidden, err := v.redactor(ctx)
	if err != nil {
		return err
	}
	for i := range mails {
		m := &mails[i]
		for _, text := range []*string{&m.ReturnPath, &m.Sender, &m.Subject, &m.Detail} {
			*text = hidden.redact(*text)
		}
		recipients := make([]string, len(m.Recipients))
		for j, to := range m.Recipients {
			recipients[j] = hidden.redact(to)
		}
		m.Recipients = recipients
	}
	return nil
}

// Contents reads what is shown of a mail. That the mail can't be read is no error but one of its problems: mails are in
// quarantine because of it.
func (v *Viewer) Contents(ctx context.Context, m desk.IncomingMail) (c desk.MailContents, err error) {
	open := func() (io.ReadCloser, error) {
		content, _, err := v.contents.Open(ctx, m.Blob)
		if fault.KindOf(err) == fault.NotFound { // its row says that it is there
			err = fault.Wrap(err, fault.Unavailable, "the email's content can't be read at the moment")
		}
		return content, err
	}
	hidden, err := v.redactor(ctx)
	if err != nil {
		return c, err
	}
	content, err := open()
	if err != nil {
		return c, err
	}
	defer func() { _ = content.Close() }() // only read from
	buffered := bufio.NewReaderSize(content, maxHeaders)
	head, err := buffered.Peek(maxHeaders)
	if err != nil && !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("read mail %d: %w", m.ID, err)
	}
	c.Headers = headers(head)
	err = show(ctx, &c, buffered, open)
	c.Subject, c.Headers, c.Text, c.HTML = hidden.redact(c.Subject), hidden.redact(c.Headers), hidden.redact(c.Text), hidden.redactHTML(c.HTML)
	for _, boxes := range [][]desk.Mailbox{c.From, c.To, c.Cc} {
		for i, b := range boxes {
			boxes[i] = desk.Mailbox{Name: hidden.redact(b.Name), Address: hidden.redact(b.Address)}
		}
	}
	return c, err
}

// headers returns the header of a mail, given its beginning, as valid UTF-8.
func headers(head []byte) string {
	head = bytes.ReplaceAll(head, []byte("\r\n"), []byte("\n"))
	if end := bytes.Index(head, []byte("\n\n")); end >= 0 {
		head = head[:end]
	}
	text := strings.ToValidUTF8(string(head), "\uFFFD")
	return strings.ReplaceAll(text, "\x00", "\uFFFD")
}

// show reads a mail into c. again opens the mail from its beginning.
func show(ctx context.Context, c *desk.MailContents, r io.Reader, again func() (io.ReadCloser, error)) (err error) {
	defer func() {
		if recover() != nil { // the processor logs it
			c.Problems, err = append(c.Problems, "This email can't be shown because of a defect in the program. Its headers and the original are below."), nil
		}
	}()
	var sizes []int64
	parsed, err := readMessage(ctx, r, again, func(_ message.File, content io.Reader) error {
		size, err := io.Copy(io.Discard, content)
		sizes = append(sizes, size)
		return err
	})
	switch {
	case errors.Is(err, message.ErrEmpty):
		c.Problems = append(c.Problems, "The email is empty.")
		return nil
	case err != nil:
		return err
	}
	c.Subject, c.Forward = parsed.Subject, quote.Forwards(parsed.Subject, parsed.Text)
	c.From, c.To, c.Cc, c.Date = mailboxes(parsed.From), mailboxes(parsed.To), mailboxes(parsed.Cc), parsed.Date
	c.Text, c.Problems = text.Truncate(parsed.Text, maxShownText), parsed.Problems
	c.Traits = traits(parsed)
	if parsed.HTML != "" {
		c.HTML = markup.SanitizeMail(quote.FoldHTML(parsed.HTML, quote.Options{Forward: c.Forward}))
	}
	for i, f := range parsed.Files {
		if i >= maxShownFiles {
			c.MoreFiles = len(parsed.Files) - maxShownFiles
			break
		}
		file := desk.IncomingFile{Name: attachment.CleanName(f.Name), Type: f.Type}
		if f.N < len(sizes) {
			file.Size = sizes[f.N]
		}
		c.Files = append(c.Files, file)
	}
	return nil
}

func mailboxes(all []mail.Address) []desk.Mailbox {
	var boxes []desk.Mailbox
	for _, a := range all[:min(len(all), maxMailboxes)] {
		boxes = append(boxes, desk.Mailbox{Name: a.Name, Address: a.Address})
	}
	return boxes
}
