package inbound

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
	"github.com/holesalemart/supportdesk/internal/inbound/trust"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/text"
)

// contents opens contents in the blob store.
type contents interface {
	Open(ctx context.Context, key string) (io.ReadCloser, int64, error)
}

// uploader stores files.
type uploader interface {
	Add(ctx context.Context, by desk.Person, u desk.Upload) (desk.File, error)
	Limits() desk.FileLimits
}

// checker verifies the sender of a mail.
type checker interface {
	Results(ctx context.Context, m trust.Mail) (trust.Result, error)
}

// Scan looks for viruses and spam in a mail. It returns the name of what it found, and "" if that is nothing. Its error is TooLarge
// for a mail that is too large to be scanned.
type Scan func(ctx context.Context, m desk.IncomingMail, content io.Reader) (threat string, err error)

// ReaderOptions configure a Reader.
type ReaderOptions struct {
	Addresses Addresses
	Own       []string // further addresses that the desk sends from
	Forms     []string // addresses from which forms on websites send, for the person in Reply-To
	Website   string   // URL of the website to which the desk's emails link
	Secrets   Secrets
	Scan      Scan // nil: mails are not scanned
}

// Secrets returns the secrets by which what the desk's emails prove is recognized.
type Secrets func(context.Context) (link.Secrets, error)

// Reader reads stored mails.
type Reader struct {
	contents contents
	files    uploader
	sender   checker
	options  ReaderOptions
	site     *redactedSite
}

// NewReader returns a Reader.
func NewReader(c contents, f uploader, sender checker, o ReaderOptions) *Reader {
	return &Reader{contents: c, files: f, sender: sender, options: o, site: newRedactedSite(o.Website, o.Addresses)}
}

// Read reads a mail without its files. Its error is Unavailable if a neighbour did not answer, and Invalid if there is no
// mail to be read.
func (r *Reader) Read(ctx context.Context, m desk.IncomingMail) (desk.ReadMail, error) {
	read := desk.ReadMail{IncomingMail: m, Kind: desk.KindPerson}
	read.Trust, read.TrustDetail = desk.TrustUnknown, ""
	if err := r.scan(ctx, &read); err != nil {
		return read, err
	}
	parsed, err := r.parse(ctx, m, func(message.File, io.Reader) error { return nil })
	if errors.Is(err, message.ErrEmpty) {
		return read, fault.Wrap(err, fault.Invalid, "the email is empty")
	}
	if err != nil {
		return read, err
	}
	mail := automatic.Mail{
		Message: parsed, ReturnPath: m.ReturnPath, EnvelopeEmpty: m.ReturnPath == "" && m.Source != desk.SourceIMAP, Ours: r.ours(), Forms: r.options.Forms,
	}
	verdict := automatic.Classify(mail)
	read.From = writer(parsed, verdict)
	read.Subject, read.MessageID, read.References = parsed.Subject, parsed.MessageID, references(parsed)
	read.Addressed = addressed(m.Envelope, parsed)
	read.Text, read.HTML, read.Files, read.Problems = parsed.Text, parsed.HTML, attachments(parsed.Files), parsed.Problems
	read.Traits = traits(parsed)
	read.Kind, read.Reason = kinds[verdict.Kind], verdict.Reason
	read.About, read.Bounces = verdict.OriginalMessageIDs, bounced(verdict)
	if err := r.setForwarded(ctx, &read); err != nil {
		return read, err
	}
	if err := r.verify(ctx, &read, verdict.Form); err != nil {
		return read, err
	}
	answer := automatic.DefaultLimits().Suppress(mail, verdict, automatic.History{})
	// A receipt goes to the address in From. If that is neither the return path nor believed, it may be of someone else.
	read.NoAnswer = !answer.Allowed || read.Trust != desk.TrustPass && !strings.EqualFold(answer.To, read.From.Address)
	return read, nil
}

// MayAnswer reports whether a receipt may be sent for a mail, after those that its sender was sent before.
func (r *Reader) MayAnswer(m desk.ReadMail, before desk.Answered) bool {
	return !m.NoAnswer && automatic.DefaultLimits().Allow(automatic.History(before))
}

var kinds = map[automatic.Kind]desk.IncomingKind{
	automatic.Person: desk.KindPerson, automatic.AutoReply: desk.KindAutoReply, automatic.Bounce: desk.KindBounce,
	automatic.Complaint: desk.KindComplaint, automatic.List: desk.KindList, automatic.Loop: desk.KindLoop,
}

// parse reads the stored content of a mail and passes its files to sink.
func (r *Reader) parse(ctx context.Context, m desk.IncomingMail, sink func(message.File, io.Reader) error) (message.Message, error) {
	content, err := r.open(ctx, m)
	if err != nil {
		return message.Message{}, err
	}
	defer func() { _ = content.Close() }() // only read from
	return readMessage(ctx, content, func() (io.ReadCloser, error) { return r.open(ctx, m) }, sink)
}

// readMessage reads a mail. A winmail.dat that is damaged is one of its files, too, after those that could be read of it: for that
// the mail is read again.
func readMessage(ctx context.Context, raw io.Reader, again func() (io.ReadCloser, error), sink func(message.File, io.Reader) error) (message.Message, error) {
	m, err := message.Read(ctx, raw, sink)
	if err != nil || !m.Damaged {
		return m, err
	}
	content, err := again()
	if err != nil {
		return m, err
	}
	defer func() { _ = content.Close() }() // only read from
	_, err = message.ReadWhole(ctx, content, func(f message.File, body io.Reader) error {
		if !f.Outlook {
			return nil
		}
		f.N = len(m.Files)
		m.Files = append(m.Files, f)
		return sink(f, body)
	})
	return m, err
}

func (r *Reader) open(ctx context.Context, m desk.IncomingMail) (io.ReadCloser, error) {
	content, _, err := r.contents.Open(ctx, m.Blob)
	if fault.KindOf(err) == fault.NotFound { // its row says that it is there
		err = fault.Wrap(err, fault.Unavailable, "the email's content is missing")
	}
	return content, err
}

func (r *Reader) scan(ctx context.Context, m *desk.ReadMail) error {
	if r.options.Scan == nil || m.Released() {
		return nil
	}
	content, err := r.open(ctx, m.IncomingMail)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // only read from
	m.Threat, err = r.options.Scan(ctx, m.IncomingMail, content)
	if m.Unscanned = fault.KindOf(err) == fault.TooLarge; m.Unscanned {
		return nil
	}
	if err != nil {
		return fmt.Errorf("scan mail: %w", err)
	}
	return nil
}

var levels = map[trust.Verdict]desk.Trust{
	trust.Authentic: desk.TrustPass, trust.Forged: desk.TrustFail, trust.Ambiguous: desk.TrustAmbiguous,
}

// verify sets whether the sender is believed. A form proves nothing about the address that was entered there, but a mail in its name may be
// forged, too.
func (r *Reader) verify(ctx context.Context, m *desk.ReadMail, form string) error {
	content, err := r.open(ctx, m.IncomingMail)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // only read from
	result, err := r.sender.Results(ctx, trust.Mail{
		Raw: content, ClientIP: m.Server(), Helo: m.Helo, EnvelopeFrom: m.ReturnPath, From: cmp.Or(form, m.From.Address),
	})
	if err != nil {
		return fmt.Errorf("verify sender: %w", err)
	}
	if level, decided := levels[result.Verdict]; decided {
		m.Trust = level
	}
	m.TrustDetail, m.Unverified = result.Reason, result.Retry
	if form != "" && m.Trust == desk.TrustPass {
		m.Trust, m.TrustDetail = desk.TrustUnknown, "The form at "+form+" sent it for an address that was entered there."
	}
	return nil
}

func (r *Reader) ours() []string {
	ours := slices.Clone(r.options.Own)
	for address := range r.options.Addresses {
		ours = append(ours, address)
	}
	return ours
}

// writer returns who wrote a mail, with an empty address if there is no valid one.
func writer(m message.Message, v automatic.Verdict) desk.Mailbox {
	authors := slices.Clone(m.From)
	if v.Writer != "" {
		authors = slices.Concat(authors, m.ReplyTo, []mail.Address{{Address: v.Writer}})
	}
	for _, from := range authors {
		if desk.ValidAddress(from.Address) && (v.Writer == "" || strings.EqualFold(from.Address, v.Writer)) {
			return desk.Mailbox{Name: from.Name, Address: from.Address}
		}
	}
	return desk.Mailbox{}
}

// references returns the Message-IDs that a mail refers to, the nearest first.
func references(m message.Message) []string {
	var ids []string
	add := func(id string) {
		if id != "" && !slices.Contains(ids, id) && len(ids) < maxReferences {
			ids = append(ids, id)
		}
	}
	for _, id := range m.InReplyTo {
		add(id)
	}
	for _, id := range slices.Backward(m.References) {
		add(id)
	}
	return ids
}

const (
	maxReferences = 50
	maxAddressed  = 100
)

// recipientHeaders are the header fields that name the recipients of a mail, besides To and Cc.
var recipientHeaders = []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Forwarded-To"}

// addressed returns the addresses to which a mail was written or delivered, in lower case.
func addressed(e desk.Envelope, m message.Message) []string {
	var all []string
	add := func(address string) {
		address = strings.ToLower(strings.Trim(strings.TrimSpace(address), "<>"))
		if address != "" && !slices.Contains(all, address) && len(all) < maxAddressed {
			all = append(all, address)
		}
	}
	for _, to := range e.Recipients {
		add(to)
	}
	for _, to := range append(slices.Clone(m.To), m.Cc...) {
		add(to.Address)
	}
	for _, name := range recipientHeaders {
		for _, value := range m.Header.Values(name) {
			add(value)
		}
	}
	return all
}

func bounced(v automatic.Verdict) []desk.BouncedRecipient {
	var all []desk.BouncedRecipient
	for _, b := range v.Bounces {
		if b.Action == automatic.Failed {
			all = append(all, desk.BouncedRecipient{Address: b.Address, Hard: b.Hard, Reason: strings.TrimSpace(b.Status + " " + b.Diagnostic)})
		}
	}
	return all
}

func attachments(files []message.File) []desk.MailAttachment {
	all := make([]desk.MailAttachment, 0, len(files))
	for _, f := range files {
		all = append(all, desk.MailAttachment{
			Name: f.Name, Description: text.Shorten(f.Description, desk.MaxAlt), ContentID: f.ContentID, Inline: f.Inline, Mail: isAttachedMail(f),
		})
	}
	return all
}

func traits(m message.Message) desk.MailTraits {
	t := desk.MailTraits{Encrypted: m.Encrypted, Signed: m.Signed}
	if method := desk.CalendarMethod(strings.ToLower(m.Calendar)); slices.Contains(desk.CalendarMethods(), method) {
		t.Calendar = method
	}
	return t
}
