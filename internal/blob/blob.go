// Package blob stores bytes, such as files and raw mails, in a folder or an S3 bucket, under random keys of its own. It
// is a thin layer over gocloud.dev/blob that adds what our callers rely on: a blob is durable when Put returns, no bigger
// than was allowed, and whole. It knows nothing of tickets, names or types of files; the database records whose a blob is.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	gocloud "gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // registers s3://
	"gocloud.dev/gcerrors"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// stallTimeout is how long the store may take for one piece of a blob, of at most a few MiB, before Put fails.
const stallTimeout = time.Minute

// Store is an open store. Its methods are safe for concurrent use.
type Store struct {
	bucket *gocloud.Bucket
	medium medium
	keys   keys
	stall  time.Duration
}

// medium is what a folder and an S3 bucket do differently.
type medium interface {
	// upload writes what it reads to a key, durably. It leaves nothing under the key if reading fails or ctx ends.
	upload(ctx context.Context, key string, r io.Reader) error
	// prefixes split the keys into parts that are listed one after the other.
	prefixes() []string
	// sweep removes the unfinished writes that nothing was added to since an instant, and returns how many.
	sweep(ctx context.Context, before time.Time) (int, error)
	// there returns an error if the store itself is missing.
	there(err error) error
}

// Open opens the store at a URL:
//
//	file:///var/lib/supportdesk/blobs
//	s3://bucket?region=eu-central-1&prefix=desk/
//	s3://bucket?endpoint=https://s3.example.com&region=us-east-1&use_path_style=true
//
// A folder is created if it is missing, readable by this user alone. S3's credentials come from the environment, as the
// AWS SDK has it; its parameters are those of gocloud.dev/blob/s3blob and gocloud.dev/aws, and whether it responds is
// Ping's to say.
func Open(ctx context.Context, address string) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the address of the store of files is not a URL")
	}
	s := &Store{stall: stallTimeout}
	switch u.Scheme {
	case "file":
		s.bucket, s.medium, err = openFolder(u)
	case "s3":
		s.bucket, s.medium, err = openS3(ctx, u)
	default:
		return nil, fault.New(fault.Invalid, "the store of files is at file:///folder or s3://bucket, not at %q", u.Scheme+"://")
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close releases the store. Blobs that are being read or written are cut short.
func (s *Store) Close() error {
	if err := s.bucket.Close(); err != nil {
		return fmt.Errorf("close the store of files: %w", err)
	}
	return nil
}

// Open returns a blob for reading, with its size in bytes. ctx bounds the reading, too. A missing blob is NotFound; a
// store that can't be read is Unavailable, also from Read.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := check(key); err != nil {
		return nil, 0, err
	}
	r, err := s.bucket.NewReader(ctx, key, &gocloud.ReaderOptions{BeforeRead: quiet})
	if err != nil {
		return nil, 0, s.explain(ctx, "open "+key, err)
	}
	return &reader{Reader: r, explain: func(err error) error { return s.explain(ctx, "read "+key, err) }}, r.Size(), nil
}

// reader explains the errors of the store's.
type reader struct {
	*gocloud.Reader
	explain func(error) error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.explain(err)
	}
	return n, err
}

// WriteTo hides the embedded reader's, whose errors are not explained.
func (r *reader) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{r}) }

// Delete removes a blob. One that is missing is as good as removed.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := check(key); err != nil {
		return err
	}
	err := s.bucket.Delete(ctx, key)
	if err == nil {
		return nil
	}
	if err = s.explain(ctx, "delete "+key, err); fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

// Ping reports whether the store can be written to now: it replaces one small object, which is no blob. ctx bounds it.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.medium.upload(ctx, probe, strings.NewReader("ok")); err != nil {
		return s.explain(ctx, "write a probe", err)
	}
	return nil
}

// probe is the key that Ping writes. It has not the shape of a blob's.
const probe = "probe"

// explain makes an error of the store a fault. context.Canceled stays what it is.
func (s *Store) explain(ctx context.Context, operation string, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s: %w", operation, context.Canceled)
	case gcerrors.Code(err) == gcerrors.NotFound && s.medium.there(err) == nil:
		return fault.Wrap(fmt.Errorf("%s: %w", operation, err), fault.NotFound, "there is no such file")
	default:
		return fault.Wrap(fmt.Errorf("%s: %w", operation, err), fault.Unavailable, "the store of files is not responding or is full")
	}
}
