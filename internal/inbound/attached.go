package inbound

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
	"github.com/holesalemart/supportdesk/internal/text"
)

// taker stores the files of a mail that become files of a message.
type taker struct {
	reader   *Reader
	redactor redactor
	by       desk.Person
	limits   desk.FileLimits

	taken []desk.FileID
	total int64    // bytes of the files taken
	left  []string // sentences on those that were not
}

const inOriginal = " Our support can open it in the original email."

// take stores a file. Of a mail that the desk has sent, which may be for its recipient alone, there is only a remark.
func (t *taker) take(ctx context.Context, media string, a desk.MailAttachment, content io.Reader) error {
	name := text.Truncate(a.Name, maxNoteName)
	if name == "" {
		name = "A file without a name"
	}
	if len(t.taken) >= t.limits.Count || t.total >= t.limits.Total {
		t.left = append(t.left, name+" is one file too many."+inOriginal)
		return nil
	}
	room := min(t.limits.Size, t.limits.Total-t.total)
	content, ours, err := t.examined(ctx, media, a.Name, content, room)
	switch {
	case err != nil:
		return err
	case ours:
		t.left = append(t.left, "An email that we sent was attached and is left out, since it may be for its recipient alone."+inOriginal)
		return nil
	}
	stored, err := t.reader.files.Add(ctx, t.by, desk.Upload{
		Name: a.Name, Alt: a.Description, Content: io.LimitReader(content, room+1), ContentID: a.ContentID, Inline: a.Inline,
	})
	switch kind := fault.KindOf(err); {
	case err == nil && stored.Size <= room:
		t.total += stored.Size
		t.taken = append(t.taken, stored.ID)
	case err == nil, kind == fault.TooLarge:
		t.left = append(t.left, name+" is too large."+inOriginal)
	case kind == fault.Invalid:
		t.left = append(t.left, name+" is empty.")
	default:
		return err
	}
	return nil
}

// mailNames end the names of files that are mails, as programs save them.
var mailNames = []string{".eml", ".emlx", ".msg", ".mht", ".mhtml", ".mbox"}

// compound begins the files of Outlook and of older office programs.
var compound = []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

// examined returns the content of a file, and whether it is a mail with something that the desk's emails contain for their recipient
// alone. It reads mails of at most size bytes: a larger one can't be taken.
func (t *taker) examined(ctx context.Context, media, name string, content io.Reader, size int64) (io.Reader, bool, error) {
	in := bufio.NewReaderSize(content, 4096)
	start, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	if !isMail(media, name, start) {
		return in, false, nil
	}
	raw, err := io.ReadAll(io.LimitReader(in, size+1))
	if err != nil {
		return nil, false, err
	}
	ours := false
	if int64(len(raw)) <= size {
		ours, err = t.ofDesk(ctx, raw, 0)
	}
	return io.MultiReader(bytes.NewReader(raw), in), ours, err
}

// isMail reports whether a file is to be read as a mail, given how it begins.
func isMail(media, name string, start []byte) bool {
	return strings.HasPrefix(media, "message/") || slices.Contains(mailNames, strings.ToLower(path.Ext(name))) ||
		bytes.HasPrefix(start, compound) || beginsLikeMail(start)
}

// beginsLikeMail reports whether a file begins with fields of a mail's header.
func beginsLikeMail(start []byte) bool {
	n := 0
	for line := range bytes.Lines(start) {
		name, _, is := bytes.Cut(line, []byte(":"))
		if !is || bytes.ContainsAny(name, " \t") {
			continue
		}
		switch strings.ToLower(string(name)) {
		case "received", "message-id", "from", "to", "date", "subject", "mime-version", "return-path", "content-type", "x-mozilla-status":
			n++
		}
	}
	return n >= 3
}

const (
	maxAttached = 8       // mails within one another
	chunk       = 1 << 20 // bytes of a file that are searched at once
	overlap     = 4 << 10 // bytes that are searched with the next, too
)

// ofDesk reports whether a file is a mail of the desk, or contains something of one.
func (t *taker) ofDesk(ctx context.Context, raw []byte, depth int) (bool, error) {
	if bytes.HasPrefix(raw, compound) {
		return t.contains(bytes.ReplaceAll(raw, []byte{0}, nil)), nil // its text is in UTF-16
	}
	if depth == maxAttached || t.contains(raw) {
		return true, nil
	}
	inner := false
	m, err := message.Read(ctx, bytes.NewReader(raw), func(f message.File, content io.Reader) error {
		if inner {
			return nil
		}
		file, err := io.ReadAll(content)
		if err == nil && isMail(f.Type, f.Name, file[:min(len(file), 4096)]) {
			inner, err = t.ofDesk(ctx, file, depth+1)
			return err
		}
		inner = t.contains(file)
		return err
	})
	if err != nil {
		if errors.Is(err, message.ErrEmpty) {
			err = nil
		}
		return inner, err
	}
	sentBy := m.Header.Get(automatic.DeskHeader)
	own := slices.ContainsFunc(t.reader.ours(), func(address string) bool { return strings.EqualFold(address, sentBy) })
	return inner || own || t.redactor.secret(m.Text) || t.redactor.secretHTML(m.HTML), nil
}

// contains reports whether a file contains something secret without being decoded.
func (t *taker) contains(raw []byte) bool {
	for len(raw) > 0 {
		part := raw[:min(len(raw), chunk)]
		if t.redactor.secret(string(part)) {
			return true
		}
		raw = raw[len(part):]
		if len(raw) > 0 && len(part) == chunk {
			if t.redactor.secret(string(part[len(part)-overlap:]) + string(raw[:min(len(raw), overlap)])) {
				return true
			}
		}
	}
	return false
}
