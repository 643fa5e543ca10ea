package imap

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	window        = 100      // mails whose sizes are asked for at once
	maxHeader     = 64 << 10 // bytes in which the headers of the last delivery are looked for
	maxRecipients = 20
	maxBreaks     = 4 // of connections at one mail, before it is taken to be the cause
)

// errTransfer means that the connection broke while a mail was read.
var errTransfer = errors.New("read a mail")

// readNew reads all mails after the position.
func (s *session) readNew(ctx context.Context) error {
	for {
		uids, err := s.newUIDs()
		if err != nil {
			return err
		}
		if len(uids) == 0 {
			return s.positions.AdvanceMailbox(ctx, s.options.Mailbox.Name, s.owner, s.position, true)
		}
		sizes, err := s.sizes(uids)
		if err != nil {
			return err
		}
		for i, uid := range uids {
			if err := s.readMail(ctx, uid, sizes[uid], uids[i+1:]); err != nil {
				return err
			}
		}
	}
}

// newUIDs returns the lowest UIDs after the position, up to window.
func (s *session) newUIDs() (uids []goimap.UID, err error) {
	var after goimap.UIDSet
	after.AddRange(goimap.UID(s.position.UID)+1, 0)
	var found goimap.UIDSet
	err = s.within(commandTime, func() error {
		data, err := s.client.UIDSearch(&goimap.SearchCriteria{UID: []goimap.UIDSet{after}}, nil).Wait()
		if err == nil {
			found, _ = data.All.(goimap.UIDSet)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for mails: %w", err)
	}
	slices.SortFunc(found, func(a, b goimap.UIDRange) int { return cmp.Compare(a.Start, b.Start) })
	for _, r := range found { // the last mail is found in any case, as "n:*" includes it
		for uid := uint64(max(uint32(r.Start), s.position.UID+1)); uid <= uint64(r.Stop); uid++ {
			if uids = append(uids, goimap.UID(uid)); len(uids) == window {
				return uids, nil
			}
		}
	}
	return uids, nil
}

// sizes returns the sizes of mails. Mails that are gone are missing.
func (s *session) sizes(uids []goimap.UID) (sizes map[goimap.UID]int64, err error) {
	sizes = map[goimap.UID]int64{}
	err = s.within(commandTime, func() error {
		all, err := s.client.Fetch(goimap.UIDSetNum(uids...), &goimap.FetchOptions{UID: true, RFC822Size: true}).Collect()
		for _, m := range all {
			sizes[m.UID] = m.RFC822Size
		}
		if refused(err) { // each is asked for on its own
			return nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the sizes of mails: %w", err)
	}
	return sizes, nil
}

// refused reports whether the server responded that it does not do as it was asked.
func refused(err error) bool {
	answer, ok := errors.AsType[*goimap.Error](err)
	return ok && (answer.Type == goimap.StatusResponseTypeNo || answer.Type == goimap.StatusResponseTypeBad)
}

// readMail stores a mail and then records its UID. A mail that can't be stored is skipped, so that the next ones are read.
func (s *session) readMail(ctx context.Context, uid goimap.UID, size int64, next []goimap.UID) error {
	at := desk.MailboxPosition{Validity: s.position.Validity, UID: uint32(uid)}
	if size > s.options.Limit {
		return s.skip(ctx, at, size, "too large")
	}
	// A server may end the connection at a mail that it can't read, and would again if it were asked for its headers.
	if s.breaking == at && s.breaks >= maxBreaks && s.returnsAny(next) {
		return s.leave(ctx, at, desk.SkippedMail{Mailbox: s.options.Mailbox.Name, Size: size, Reason: notReturned})
	}
	err := s.within(mailTime, func() error { return s.receive(ctx, uid) })
	switch {
	case err == nil:
	case fault.KindOf(err) == fault.TooLarge:
		return s.skip(ctx, at, size, "too large")
	case fault.KindOf(err) == fault.Invalid:
		return s.skip(ctx, at, size, "it can’t be stored")
	case refused(err) && s.returnsAny(next):
		return s.skip(ctx, at, size, notReturned)
	default:
		if errors.Is(err, errTransfer) && ctx.Err() == nil {
			s.broken(at)
		}
		return err
	}
	if err := s.positions.AdvanceMailbox(ctx, s.options.Mailbox.Name, s.owner, at, false); err != nil {
		return err
	}
	s.position = at
	return nil
}

const notReturned = "the mail server doesn’t return it"

// broken counts a connection that broke at a mail.
func (r *Reader) broken(at desk.MailboxPosition) {
	if r.breaking != at {
		r.breaking, r.breaks = at, 0
	}
	r.breaks++
}

// returnsAny reports whether the server returns any of some mails. If it does not, a mail that it refused is not to blame, or
// keeps no other one from being read.
func (s *session) returnsAny(uids []goimap.UID) bool {
	return slices.ContainsFunc(uids, func(uid goimap.UID) bool {
		section := &goimap.FetchItemBodySection{Peek: true, Partial: &goimap.SectionPartial{Size: 1}}
		var all []*imapclient.FetchMessageBuffer
		err := s.within(commandTime, func() (err error) {
			all, err = s.client.Fetch(goimap.UIDSetNum(uid), &goimap.FetchOptions{UID: true, BodySection: []*goimap.FetchItemBodySection{section}}).Collect()
			return err
		})
		return err == nil && len(all) > 0
	})
}

// receive stores a mail. A mail that is gone is no error.
func (s *session) receive(ctx context.Context, uid goimap.UID) error {
	section := &goimap.FetchItemBodySection{Peek: true}
	command := s.client.Fetch(goimap.UIDSetNum(uid), &goimap.FetchOptions{UID: true, BodySection: []*goimap.FetchItemBodySection{section}})
	var failure error
	for message := command.Next(); message != nil; message = command.Next() {
		for item := message.Next(); item != nil; item = message.Next() {
			body, ok := item.(imapclient.FetchItemDataBodySection)
			if !ok || body.Literal == nil {
				continue
			}
			content := &whole{from: body.Literal, left: body.Literal.Size()}
			failure = s.store(ctx, content)
			if content.broken() {
				// The client has taken its connection back, and to end the command would read from it beside the client.
				return fmt.Errorf("%w: %w", errTransfer, content.err)
			}
		}
	}
	if err := command.Close(); err != nil && failure == nil {
		failure = fmt.Errorf("%w: %w", errTransfer, err)
	}
	return failure
}

// store passes a mail on.
func (s *session) store(ctx context.Context, content io.Reader) error {
	buffered := bufio.NewReaderSize(content, maxHeader)
	header, _ := buffered.Peek(maxHeader) // an error is returned by reading, too
	id, err := s.receiver.Receive(ctx, s.envelope(header), buffered)
	if err != nil {
		return err
	}
	s.options.Log.Info("mail received", "mail", id, "source", desk.SourceIMAP)
	return nil
}

// whole reads all of a mail or fails: a connection that ends early looks like the end of the mail. After an error it reads nothing
// more from the connection, on which the client goes on.
type whole struct {
	from io.Reader
	left int64 // bytes
	err  error
}

func (w *whole) Read(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.from.Read(p)
	w.left -= int64(n)
	if errors.Is(err, io.EOF) && w.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	w.err = err
	return n, err
}

// broken reports whether the connection failed before all of the mail was read.
func (w *whole) broken() bool { return w.err != nil && w.left > 0 }

// envelope reads the envelope from the headers that the server added at delivery.
func (s *session) envelope(header []byte) desk.Envelope {
	e := desk.Envelope{Source: desk.SourceIMAP, Mailbox: s.options.Mailbox.Name}
	returned := false
	for line := range bytes.Lines(header) {
		name, value, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), ":")
		if name == "" {
			break
		}
		value = strings.Trim(strings.TrimSpace(value), "<>")
		switch strings.ToLower(name) {
		case "return-path":
			if !returned { // one below it was added by an earlier server, or by the sender
				e.ReturnPath, returned = value, true
			}
		case "delivered-to", "x-original-to":
			if s.options.Own(value) && !slices.Contains(e.Recipients, value) && len(e.Recipients) < maxRecipients {
				e.Recipients = append(e.Recipients, value)
			}
		}
	}
	if len(e.Recipients) == 0 && s.options.Mailbox.Recipient != "" {
		e.Recipients = []string{s.options.Mailbox.Recipient}
	}
	return e
}

// skip leaves a mail in the mailbox, and records what staff need to find it there.
func (s *session) skip(ctx context.Context, at desk.MailboxPosition, size int64, reason string) error {
	m := desk.SkippedMail{Mailbox: s.options.Mailbox.Name, Size: size, Reason: reason}
	err := s.within(commandTime, func() error {
		all, err := s.client.Fetch(goimap.UIDSetNum(goimap.UID(at.UID)), &goimap.FetchOptions{UID: true, Envelope: true}).Collect()
		for _, one := range all {
			if one.Envelope == nil {
				continue
			}
			m.Subject = one.Envelope.Subject
			if len(one.Envelope.From) > 0 {
				m.Sender = one.Envelope.From[0].Addr()
			}
		}
		if refused(err) {
			return nil // what it says is not known, then
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("ask for the headers of a mail: %w", err)
	}
	return s.leave(ctx, at, m)
}

// leave records that a mail stays in the mailbox.
func (s *session) leave(ctx context.Context, at desk.MailboxPosition, m desk.SkippedMail) error {
	if err := s.positions.SkipMail(ctx, s.owner, at, m); err != nil {
		return err
	}
	s.options.Log.Warn("a mail was left in its mailbox", "uid", at.UID, "size", m.Size, "reason", m.Reason)
	s.position = at
	return nil
}
