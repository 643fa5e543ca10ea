package request

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime/multipart"
	"net/url"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/text"
)

// maxParts limits the parts of a form besides its files.
const maxParts = 200

// FormReader reads a multipart form: first the fields up to the first file, so that the caller can find out whose form it
// is, and then its files, which are uploaded as they arrive, and the fields between them.
type FormReader struct {
	Fields url.Values // those that were read so far
	Sent   []SentFile // those that were uploaded so far

	parts *multipart.Reader
	file  *multipart.Part // the next file; nil: none
	room  int64           // bytes that fields may still have
	count int             // of fields
}

// SentFile is a file of a form that was uploaded.
type SentFile struct {
	desk.File
	SHA256 [sha256.Size]byte
}

// NewFormReader reads the fields of a form up to its first file. Fields can have room bytes together.
func NewFormReader(parts *multipart.Reader, room int64) (*FormReader, error) {
	f := &FormReader{Fields: url.Values{}, parts: parts, room: room}
	return f, f.next()
}

var errIncompleteForm = fault.New(fault.Invalid, "the form arrived incomplete; please send it again")

// next reads fields up to the next file or the end.
func (f *FormReader) next() error {
	f.file = nil
	for {
		part, err := f.parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return incomplete(err)
		case part.FileName() != "":
			f.file = part
			return nil
		}
		text, err := io.ReadAll(io.LimitReader(part, f.room+1))
		if err != nil {
			return incomplete(err)
		}
		f.count++
		if f.room -= int64(len(text)); f.room < 0 || f.count > maxParts {
			return fault.New(fault.TooLarge, "the form is too large")
		}
		if _, chooser := part.Header["Content-Type"]; chooser && len(text) == 0 {
			continue // a field for files in which none was chosen
		}
		f.Fields.Add(part.FormName(), string(text))
	}
}

// incomplete returns a fault for an error of reading a form, unless it is one.
func incomplete(err error) error {
	if fault.KindOf(err) != fault.Internal || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(err, fault.Invalid, "%s", errIncompleteForm.Message)
}

// CutShort returns an Invalid fault for the error of a body that ended half-way, and other errors as they are.
func CutShort(err error) error {
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	return fault.Wrap(err, fault.Invalid, "%s", errIncompleteForm.Message)
}

// Upload uploads the rest of the form's files as a person's, and adds their IDs to the field files. It stops with the first
// error, and at one file more than a message can have.
func (f *FormReader) Upload(ctx context.Context, files FileUploader, by desk.Person) error {
	for f.file != nil {
		if limit := files.Limits().Count; len(f.Sent) >= limit {
			return fault.Field("files", "are more than %d", limit)
		}
		hash := sha256.New()
		file, err := files.Upload(ctx, by, desk.Upload{Name: f.file.FileName(), Type: f.file.Header.Get("Content-Type"), Content: io.TeeReader(f.file, hash)})
		if err != nil {
			return CutShort(named(f.file.FileName(), err))
		}
		f.Sent = append(f.Sent, SentFile{file, [sha256.Size]byte(hash.Sum(nil))})
		f.Fields.Add("files", string(file.ID))
		if err := f.next(); err != nil {
			return err
		}
	}
	return nil
}

// named returns a fault about the field files, with the file's name, for a file that is too large or empty.
func named(name string, err error) error {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.TooLarge && e.Kind != fault.Invalid || len(e.Details) > 0 {
		return err
	}
	return &fault.Error{Kind: e.Kind, Message: e.Message, Cause: err, Details: []fault.Detail{{Field: "files", Message: "contain " + text.Shorten(name, 80) + ": " + e.Message}}}
}

// maxDrained is how much of a form that is refused half-way is read on, so that a browser that sends it all before it reads
// shows the response.
const maxDrained = 128 << 20

// Drain reads the rest of the form and drops it.
func (f *FormReader) Drain() {
	if f.file == nil {
		return
	}
	left := int64(maxDrained)
	for part := f.file; left > 0; {
		n, err := io.CopyN(io.Discard, part, left)
		if left -= n; err != nil && !errors.Is(err, io.EOF) {
			return
		}
		next, err := f.parts.NextPart()
		if err != nil {
			return
		}
		part = next
	}
}
