package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Blob describes stored bytes.
type Blob struct {
	Key    string
	Size   int64
	SHA256 [sha256.Size]byte
}

// Put stores what it reads under a new key; when it returns, the blob survives a loss of power. It keeps a few MiB in
// memory at most, whatever the size. More than limit bytes are TooLarge, a store that can't take them is Unavailable,
// and an error of r is returned as it is. After an error there is no blob, or at worst one that no one knows of, which
// List finds: if this process was killed, or S3's last response was lost.
func (s *Store) Put(ctx context.Context, r io.Reader, limit int64) (Blob, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(s.stall, func() { cancel(errStalled) })
	defer stalled.Stop()

	key, from := s.keys.next(), &source{r: r, limit: limit, hash: sha256.New(), stalled: stalled, stall: s.stall}
	err := s.medium.upload(ctx, key, from)
	switch {
	case from.err != nil:
		return Blob{}, from.err
	case errors.Is(context.Cause(ctx), errStalled):
		return Blob{}, fault.Wrap(fmt.Errorf("write %s: %w", key, errStalled), fault.Unavailable, "the store of files is not responding")
	case err != nil:
		return Blob{}, s.explain(ctx, "write "+key, err)
	}
	return Blob{Key: key, Size: from.size, SHA256: [sha256.Size]byte(from.hash.Sum(nil))}, nil
}

var errStalled = errors.New("the store accepts nothing more")

// source reads a blob to be: it counts and hashes the bytes, stops past the limit, and keeps the reader's error apart
// from the store's. The time that its reader takes does not count as the store's.
type source struct {
	r       io.Reader
	limit   int64
	hash    hash.Hash
	size    int64
	err     error // of r, or TooLarge
	stalled *time.Timer
	stall   time.Duration
}

func (s *source) Read(p []byte) (int, error) {
	s.stalled.Stop()
	defer s.stalled.Reset(s.stall)
	n, err := s.r.Read(p)
	s.size += int64(n)
	s.hash.Write(p[:n])
	switch {
	case s.size > s.limit:
		s.err = fault.New(fault.TooLarge, "a file may have %d bytes at most", s.limit)
	case err != nil && !errors.Is(err, io.EOF):
		s.err = fmt.Errorf("read what is to be stored: %w", err)
	default:
		return n, err
	}
	return 0, s.err
}
