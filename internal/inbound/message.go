package inbound

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
	"github.com/holesalemart/supportdesk/internal/inbound/quote"
	"github.com/holesalemart/supportdesk/internal/markup"
	"github.com/holesalemart/supportdesk/internal/text"
)

// said is a mail that becomes a message. Its files are stored.
type said struct {
	message.Message
	redactor redactor
	files    taker
}

// say reads a mail and stores its files as those of a person.
func (r *Reader) say(ctx context.Context, m desk.ReadMail, by desk.Person) (s said, err error) {
	if s.redactor, err = r.redactor(ctx); err != nil {
		return s, err
	}
	s.files = taker{reader: r, redactor: s.redactor, by: by, limits: r.files.Limits()}
	parse := r.parse
	if m.Attached {
		parse = r.parseAttached
	}
	s.Message, err = parse(ctx, m.IncomingMail, func(f message.File, content io.Reader) error {
		var a desk.MailAttachment
		if f.N < len(m.Files) { // what is known of a file only once the whole mail was read
			a = m.Files[f.N]
		}
		return s.files.take(ctx, f.Type, a, content)
	})
	return s, err
}

func (r *Reader) redactor(ctx context.Context) (redactor, error) {
	secrets, err := r.options.Secrets(ctx)
	return redactor{secrets, r.site}, err
}

// Message returns a mail as a message of a person, and stores its files.
func (r *Reader) Message(ctx context.Context, m desk.ReadMail, by desk.Person) (desk.MailMessage, error) {
	s, err := r.say(ctx, m, by)
	if err != nil {
		return desk.MailMessage{}, err
	}
	result := s.message(m.Subject, s.Text)
	result.Forward = quote.Forwards(s.Subject, s.Text)
	if s.HTML != "" {
		result.HTML = s.redactor.redactHTML(markup.SanitizeMail(quote.FoldHTML(s.HTML, quote.Options{Forward: result.Forward})))
	}
	return result, nil
}

// Answer returns what a member of staff wrote in a mail to the requester, without what they quote, and stores its files. It has the
// formatting of the mail's HTML where that says the same.
func (r *Reader) Answer(ctx context.Context, m desk.ReadMail, by desk.Person) (desk.MailMessage, error) {
	s, err := r.say(ctx, m, by)
	if err != nil {
		return desk.MailMessage{}, err
	}
	return s.answer(m.Subject), nil
}

// answer returns what the author of the mail wrote as a message to the requester, in which nothing is secret unless it is QuotesUs.
func (s *said) answer(title string) desk.MailMessage {
	own := written(s.Text)
	m := s.message(title, own)
	if formatted, is := formattedAs(own, s.HTML); is {
		m.Body, m.Format = formatted, desk.FormatMarkdown
	}
	m.QuotesUs = s.redactor.ours(own) || s.redactor.ours(m.Body)
	return m
}

// message returns a text as a message with the files of the mail.
func (s *said) message(title, text string) desk.MailMessage {
	m := s.redacted(title, text)
	m.Files, m.LeftOut = s.files.taken, append(m.LeftOut, s.files.remarks()...)
	return m
}

// redacted returns a text as a message without files.
func (s *said) redacted(title, words string) (m desk.MailMessage) {
	title = s.redactor.redact(title)
	m.Subject, m.BareSubject, m.Format = subject(title), subject(quote.BareSubject(title)), desk.FormatText
	m.Body = strings.TrimSpace(strings.ReplaceAll(s.redactor.redact(words), "\r\n", "\n"))
	if len(m.Body) > desk.MaxBody {
		m.Body = text.Truncate(m.Body, desk.MaxBody)
		m.LeftOut = []desk.LeftOut{{What: "The rest of the text", Why: fmt.Sprintf("a message has at most %d KiB", desk.MaxBody>>10)}}
	}
	return m
}

// written returns what the author of a text wrote, without what they quote.
func written(text string) string {
	var b strings.Builder
	for _, s := range quote.SplitText(text, quote.Options{}) {
		if s.Kind == quote.Written {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// formattedAs returns the HTML of a mail as Markdown, without what is folded in it. It is false unless that says the same as a text, the
// mail's without quotations: so no quotation gets through that was found in either.
func formattedAs(text, page string) (markdown string, same bool) {
	if page == "" {
		return "", false
	}
	markdown = markup.FromHTML(withoutFolded(markup.SanitizeMail(quote.FoldHTML(page, quote.Options{}))))
	return markdown, len(markdown) <= desk.MaxBody && spoken(markup.PlainText(markdown)) == spoken(text)
}

// withoutFolded returns sanitized HTML, in which elements are well nested, without what is folded.
func withoutFolded(sanitized string) string {
	var b strings.Builder
	depth, from := 0, 0
	for _, at := range foldTag.FindAllStringIndex(sanitized, -1) {
		if depth == 0 {
			b.WriteString(sanitized[from:at[0]])
		}
		if from = at[1]; sanitized[at[0]+1] == '/' {
			depth--
		} else {
			depth++
		}
	}
	if depth == 0 {
		b.WriteString(sanitized[from:])
	}
	return b.String()
}

var (
	foldTag    = regexp.MustCompile(`</?details[^>]*>`)
	linkTarget = regexp.MustCompile(`(?i)(?:https?://|mailto:|tel:)[^\s<>]*`) // of a link, which mail programs put into the text beside the link's own
)

// spoken returns the letters and digits of a text, without the targets of links.
func spoken(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, linkTarget.ReplaceAllString(text, ""))
}

// noSubject is the subject of a ticket by a mail without one.
const noSubject = "(no subject)"

// subject returns the subject of a ticket. That of a mail that is forwarded within a text was not read as a header.
func subject(s string) string {
	s = text.Line(s)
	if !desk.Visible(s) {
		return noSubject
	}
	return text.Shorten(s, desk.MaxSubject)
}
