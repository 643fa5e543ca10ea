package blob

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	gocloud "gocloud.dev/blob"
)

// Entry is a blob that List found.
type Entry struct {
	Key       string
	Size      int64
	WrittenAt time.Time // by the store's clock
}

// List returns the blobs that were written before an instant, in no particular order, for sweeps: a blob that no row
// names may belong to a transaction that is about to commit, so that only old ones can be judged. Unfinished writes are
// none. It ends with the first error.
func (s *Store) List(ctx context.Context, before time.Time) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, prefix := range s.medium.prefixes() {
			for object, err := range objects(ctx, s.bucket, prefix) {
				if err != nil {
					yield(Entry{}, s.explain(ctx, "list", err))
					return
				}
				if wellFormed.MatchString(object.Key) && object.ModTime.Before(before) &&
					!yield(Entry{object.Key, object.Size, object.ModTime}, nil) {
					return
				}
			}
		}
	}
}

// objects returns everything under a prefix.
func objects(ctx context.Context, bucket *gocloud.Bucket, prefix string) iter.Seq2[*gocloud.ListObject, error] {
	return func(yield func(*gocloud.ListObject, error) bool) {
		for found := bucket.List(&gocloud.ListOptions{Prefix: prefix}); ; {
			object, err := found.Next(ctx)
			if errors.Is(err, io.EOF) || !yield(object, err) || err != nil {
				return
			}
		}
	}
}

// Sweep removes what unfinished writes left behind if nothing was added to it since an instant, and returns how many
// they were. The instant must be further back than a Put can take: a day is.
func (s *Store) Sweep(ctx context.Context, before time.Time) (int, error) {
	n, err := s.medium.sweep(ctx, before)
	if err != nil {
		return n, s.explain(ctx, "sweep", err)
	}
	return n, nil
}
