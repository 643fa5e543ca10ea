package app

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// incomingStore stores incoming mails.
type incomingStore interface {
	IncomingMails(context.Context, desk.IncomingFilter) (page []desk.IncomingMail, more bool, err error)
	// Incoming returns a NotFound fault if there is no such mail.
	Incoming(context.Context, int64) (desk.IncomingMail, error)
	// ReleaseIncoming and DeleteIncoming return a Conflict if the mail is neither in quarantine nor recorded.
	ReleaseIncoming(ctx context.Context, by ticket.PersonID, id int64) error
	// DeleteIncoming returns the keys of the blobs that the caller deletes.
	DeleteIncoming(ctx context.Context, by ticket.PersonID, id int64) (keys []string, err error)
}

// blocklist stores the senders whose mails are recorded only.
type blocklist interface {
	BlockedSenders(context.Context) ([]desk.BlockedSender, error)
	Block(ctx context.Context, by ticket.PersonID, sender string, blocked bool) error
}

// rawMails opens and deletes the contents of mails.
type rawMails interface {
	Open(ctx context.Context, key string) (io.ReadCloser, int64, error)
	Delete(ctx context.Context, key string) error
}

// contentReader reads what is shown of a mail. What is malformed is no error.
type contentReader interface {
	Contents(context.Context, desk.IncomingMail) (desk.MailContents, error)
	// Redact replaces the links and addresses of others that the envelopes and subjects of mails contain.
	Redact(context.Context, []desk.IncomingMail) error
}

// IncomingReview is what staff see of incoming mail and decide about it. All staff may read and release mails; supervisors and
// administrators may also read their originals, delete them, block senders, and release those that may be harmful.
type IncomingReview struct {
	store  incomingStore
	list   blocklist
	blobs  rawMails
	reader contentReader
}

// NewIncomingReview returns an IncomingReview.
func NewIncomingReview(s incomingStore, l blocklist, b rawMails, r contentReader) *IncomingReview {
	return &IncomingReview{store: s, list: l, blobs: b, reader: r}
}

var (
	errMailGone    = fault.New(fault.NotFound, "this email has been deleted")
	errRelease     = fault.New(fault.Forbidden, "only supervisors can release this email: the scanner found something in it, or could not look")
	errBlockedForm = fault.Field("sender", "must be an email address, or a domain with an @ before it")
)

// List returns a page of incoming mails.
func (s *IncomingReview) List(ctx context.Context, viewer desk.Person, f desk.IncomingFilter) (page []desk.IncomingMail, more bool, err error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return nil, false, err
	}
	if page, more, err = s.store.IncomingMails(ctx, f); err != nil {
		return nil, false, err
	}
	return page, more, s.reader.Redact(ctx, page)
}

// Mail returns an incoming mail with what is shown of it. The contents of a deleted mail are empty.
func (s *IncomingReview) Mail(ctx context.Context, viewer desk.Person, id int64) (m desk.IncomingMail, c desk.MailContents, err error) {
	if err := authorise(viewer, staffOnly); err != nil {
		return m, c, err
	}
	if m, err = s.store.Incoming(ctx, id); err != nil {
		return m, c, err
	}
	if m.Blob != "" {
		if c, err = s.reader.Contents(ctx, m); err != nil {
			return m, c, err
		}
	}
	mail := []desk.IncomingMail{m}
	err = s.reader.Redact(ctx, mail)
	return mail[0], c, err
}

// Raw opens an incoming mail as it arrived, as a file, for supervisors and administrators: it may contain links and addresses that
// are for others alone.
func (s *IncomingReview) Raw(ctx context.Context, viewer desk.Person, id int64) (desk.FileContent, error) {
	if err := authorise(viewer, supervisorsOnly); err != nil {
		return desk.FileContent{}, err
	}
	m, err := s.store.Incoming(ctx, id)
	switch {
	case err != nil:
		return desk.FileContent{}, err
	case m.Blob == "":
		return desk.FileContent{}, errMailGone
	}
	r, size, err := s.blobs.Open(ctx, m.Blob)
	if fault.KindOf(err) == fault.NotFound { // the row says that it is there
		err = fault.Wrap(err, fault.Unavailable, "this email can't be read at the moment")
	}
	name := fmt.Sprintf("email-%d", id)
	return desk.FileContent{ReadCloser: r, Size: size, File: desk.File{ID: desk.FileID(name), Name: name + ".eml", Size: size, Type: "message/rfc822"}}, err
}

// Release has a mail processed again as one that a person wrote and whose sender is believed.
func (s *IncomingReview) Release(ctx context.Context, by desk.Person, id int64) error {
	if err := authorise(by, staffOnly); err != nil {
		return err
	}
	m, err := s.store.Incoming(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case m.Decidable() && m.Final() != "":
		return fault.NewConflict("email-final", "this email would return to where it is. %s", m.Final())
	case m.Decidable() && !m.MayRelease(by):
		return errRelease
	}
	return s.store.ReleaseIncoming(ctx, by.ID, id)
}

// Delete deletes the content of a mail. Who deleted it when remains.
func (s *IncomingReview) Delete(ctx context.Context, by desk.Person, id int64) error {
	if err := authorise(by, supervisorsOnly); err != nil {
		return err
	}
	keys, err := s.store.DeleteIncoming(ctx, by.ID, id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
	defer cancel()
	for _, key := range keys {
		_ = s.blobs.Delete(ctx, key) // the sweep of blobs that no row names deletes it otherwise
	}
	return nil
}

// Block blocks a sender, an address or a domain with an @ before it: further mails are recorded only.
func (s *IncomingReview) Block(ctx context.Context, by desk.Person, sender string) error {
	return s.change(ctx, by, sender, true)
}

// Unblock removes a sender from the blocklist.
func (s *IncomingReview) Unblock(ctx context.Context, by desk.Person, sender string) error {
	return s.change(ctx, by, sender, false)
}

func (s *IncomingReview) change(ctx context.Context, by desk.Person, sender string, blocked bool) error {
	if err := authorise(by, supervisorsOnly); err != nil {
		return err
	}
	sender = strings.ToLower(strings.TrimSpace(sender))
	domain, ofDomain := strings.CutPrefix(sender, "@")
	if !desk.ValidAddress(sender) && !(ofDomain && desk.ValidAddress("someone@"+domain)) {
		return errBlockedForm
	}
	return s.list.Block(ctx, by.ID, sender, blocked)
}

// Blocked returns the blocklist.
func (s *IncomingReview) Blocked(ctx context.Context, viewer desk.Person) ([]desk.BlockedSender, error) {
	if err := authorise(viewer, supervisorsOnly); err != nil {
		return nil, err
	}
	return s.list.BlockedSenders(ctx)
}
