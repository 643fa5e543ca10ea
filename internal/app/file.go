package app

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/holesalemart/supportdesk/internal/attachment"
	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// fileStore stores what is known of files beside their bytes. It returns a NotFound fault for a file that the person may
// not see or change.
type fileStore interface {
	// SpendUpload returns a Limited fault if the person has uploaded too much recently.
	SpendUpload(context.Context, desk.Person) error
	AddFile(context.Context, desk.StoredFile) error
	File(ctx context.Context, viewer desk.Person, id desk.FileID) (desk.StoredFile, error)
	DescribeFile(ctx context.Context, by desk.Person, id desk.FileID, alt string) error
	fileRemover
}

// fileRemover removes files, and returns the keys of the blobs that their callers delete.
type fileRemover interface {
	DiscardFile(ctx context.Context, by desk.Person, id desk.FileID) (keys []string, err error)
	DeleteFile(ctx context.Context, by desk.Person, id desk.FileID) (keys []string, err error)
	SweepFiles(ctx context.Context, before time.Time) (keys []string, full bool, err error)
	// NamedBlobs returns those of the keys that a row of any table names.
	NamedBlobs(ctx context.Context, keys []string) ([]string, error)
}

// blobStore stores bytes; see blob.Store.
type blobStore interface {
	Put(ctx context.Context, r io.Reader, limit int64) (blob.Blob, error)
	Open(ctx context.Context, key string) (io.ReadCloser, int64, error)
	Delete(ctx context.Context, key string) error
	List(ctx context.Context, before time.Time) iter.Seq2[blob.Entry, error]
	Sweep(ctx context.Context, before time.Time) (int, error)
}

// Files uploads, serves and deletes files of messages.
type Files struct {
	store  fileStore
	blobs  blobStore
	limits desk.FileLimits
}

// NewFiles returns Files over a store and a store of bytes. The zero limits are desk.DefaultFileLimits.
func NewFiles(s fileStore, b blobStore, limits desk.FileLimits) *Files {
	if limits == (desk.FileLimits{}) {
		limits = desk.DefaultFileLimits
	}
	return &Files{store: s, blobs: b, limits: limits}
}

// Limits returns the limits of a message's files.
func (f *Files) Limits() desk.FileLimits { return f.limits }

var (
	errFileGone     = fault.New(fault.NotFound, "this file has been deleted")
	errNoPreview    = fault.New(fault.NotFound, "this file has no preview")
	errNotDeletable = fault.New(fault.Forbidden, "only staff can delete a file that was sent with a message")
)

// Open opens a file that the viewer may see. It returns a NotFound fault for any other, and for one that was deleted.
func (f *Files) Open(ctx context.Context, viewer desk.Person, id desk.FileID) (desk.FileContent, error) {
	stored, err := f.store.File(ctx, viewer, id)
	if err != nil {
		return desk.FileContent{}, err
	}
	if stored.Deleted != nil {
		return desk.FileContent{}, errFileGone
	}
	return f.content(ctx, stored, stored.Blob)
}

// Preview opens the preview of a file, as Open does the file. It returns a NotFound fault if there is none.
func (f *Files) Preview(ctx context.Context, viewer desk.Person, id desk.FileID) (desk.FileContent, error) {
	stored, err := f.store.File(ctx, viewer, id)
	switch {
	case err != nil:
		return desk.FileContent{}, err
	case stored.Preview == "":
		return desk.FileContent{}, errNoPreview
	}
	content, err := f.content(ctx, stored, stored.Preview)
	if err != nil {
		return content, err
	}
	buffered := bufio.NewReaderSize(content, attachment.HeadSize)
	head, err := buffered.Peek(attachment.HeadSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return desk.FileContent{}, errors.Join(err, content.Close())
	}
	content.File.Type = string(attachment.Detect(head, "", "")) // of the preview: another than the file's
	content.ReadCloser = struct {
		io.Reader
		io.Closer
	}{buffered, content.ReadCloser}
	return content, nil
}

func (f *Files) content(ctx context.Context, stored desk.StoredFile, key string) (desk.FileContent, error) {
	r, size, err := f.blobs.Open(ctx, key)
	if fault.KindOf(err) == fault.NotFound { // the row says that it is there
		err = fault.Wrap(err, fault.Unavailable, "this file can't be read at the moment")
	}
	return desk.FileContent{ReadCloser: r, File: stored.File, Size: size}, err
}

// Describe sets the text that describes an image which the person has uploaded and not sent yet. It returns an Invalid fault
// if the text is too long.
func (f *Files) Describe(ctx context.Context, by desk.Person, id desk.FileID, alt string) error {
	if err := checkAlt(alt); err != nil {
		return err
	}
	return f.store.DescribeFile(ctx, by, id, alt)
}

// Delete deletes a file and returns what is known of it: its uploader may discard it until it is sent, without a trace; staff may delete it afterwards,
// which leaves its name and who deleted it when. It returns a Forbidden fault to others who may see the file, and a NotFound
// fault to everyone else. Deleting a file twice is no error.
func (f *Files) Delete(ctx context.Context, by desk.Person, id desk.FileID) (desk.File, error) {
	stored, err := f.store.File(ctx, by, id)
	if err != nil {
		return desk.File{}, err
	}
	var keys []string
	switch {
	case stored.Ticket == "":
		keys, err = f.store.DiscardFile(ctx, by, id)
	case !by.Role.Staff():
		return desk.File{}, errNotDeletable
	default:
		keys, err = f.store.DeleteFile(ctx, by, id)
	}
	if err != nil {
		return desk.File{}, err
	}
	f.drop(ctx, keys...)
	return stored.File, nil
}

// drop deletes blobs that no row names. What it can't delete is deleted by the sweep.
func (f *Files) drop(ctx context.Context, keys ...string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
	defer cancel()
	for _, key := range keys {
		if key != "" {
			_ = f.blobs.Delete(ctx, key)
		}
	}
}

const dropTimeout = 30 * time.Second
