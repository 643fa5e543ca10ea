package app

import (
	"bytes"
	"context"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/attachment"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Upload stores a file, which its uploader can then send with a message, and makes the preview of an image. Its type is
// that of its content. Upload returns an Invalid fault for an empty file, TooLarge beyond the limit, Limited if the person has
// uploaded too much recently, and Unavailable if the file can't be stored. An error of u.Content is returned as it is.
func (f *Files) Upload(ctx context.Context, by desk.Person, u desk.Upload) (desk.File, error) {
	if err := checkAlt(u.Alt); err != nil {
		return desk.File{}, err
	}
	if err := f.store.SpendUpload(ctx, by); err != nil {
		return desk.File{}, err
	}
	return f.Add(ctx, by, u)
}

// Add stores a file of an email as Upload does. It takes nothing out of the person's allowance of uploads: those of tickets and
// messages limit emails, which are read again after each failure.
func (f *Files) Add(ctx context.Context, by desk.Person, u desk.Upload) (desk.File, error) {
	if err := checkAlt(u.Alt); err != nil {
		return desk.File{}, err
	}
	put, err := f.blobs.Put(ctx, u.Content, f.limits.Size)
	if fault.KindOf(err) == fault.TooLarge {
		return desk.File{}, fault.Wrap(err, fault.TooLarge, "a file can have at most %d MiB", f.limits.Size>>20)
	}
	if err != nil {
		return desk.File{}, err
	}
	stored := desk.StoredFile{By: by.ID, SHA256: put.SHA256[:], Blob: put.Key}
	stored.ID, stored.Name, stored.Size, stored.Alt = desk.NewFileID(), attachment.CleanName(u.Name), put.Size, u.Alt
	stored.ContentID, stored.Inline = u.ContentID, u.Inline
	if put.Size == 0 {
		err = fault.New(fault.Invalid, "the file is empty")
	} else {
		err = f.examine(ctx, &stored, u.Type)
	}
	if err == nil {
		// If the database did not answer, the row may exist, so the blobs stay. The sweep deletes them if it does not.
		if err = f.store.AddFile(ctx, stored); err == nil {
			return stored.File, nil
		} else if !fault.Refused(err) {
			return desk.File{}, err
		}
	}
	f.drop(ctx, stored.Blob, stored.Preview)
	return desk.File{}, err
}

// examine sets the type of a stored file, and makes its preview if it is an image that can have one.
func (f *Files) examine(ctx context.Context, stored *desk.StoredFile, declared string) error {
	r, _, err := f.blobs.Open(ctx, stored.Blob)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // only read from
	head, err := io.ReadAll(io.LimitReader(r, attachment.HeadSize))
	if err != nil {
		return err
	}
	media := attachment.Detect(head, declared, stored.Name)
	if stored.Type = string(media); !media.HasPreview() {
		return nil
	}
	return f.addPreview(ctx, stored, io.MultiReader(bytes.NewReader(head), r))
}

// addPreview stores the preview of an image. An image that can't be decoded, or is too large to be, has none.
func (f *Files) addPreview(ctx context.Context, stored *desk.StoredFile, content io.Reader) error {
	preview, err := attachment.NewPreview(ctx, content)
	switch kind := fault.KindOf(err); {
	case kind == fault.Invalid || kind == fault.TooLarge:
		return nil
	case err != nil:
		return err
	}
	put, err := f.blobs.Put(ctx, bytes.NewReader(preview.Bytes), int64(len(preview.Bytes)))
	if err != nil {
		return err
	}
	stored.Preview, stored.Width, stored.Height = put.Key, preview.Width, preview.Height
	return nil
}

// checkAlt returns an Invalid fault unless a text can describe an image.
func checkAlt(alt string) error {
	switch {
	case utf8.RuneCountInString(alt) > desk.MaxAlt:
		return fault.Field("alt", "is longer than %d characters", desk.MaxAlt)
	case !utf8.ValidString(alt) || strings.ContainsRune(alt, 0):
		return fault.Field("alt", "is not text")
	}
	return nil
}
