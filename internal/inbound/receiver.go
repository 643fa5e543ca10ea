// Package inbound accepts mails, by SMTP, LMTP, IMAP or HTTP, and processes them afterwards. A mail is accepted once its
// content is in the blob store and its row in the database: before that the sender keeps it, and after that nothing that
// happens to the reader loses it. What becomes of a mail is decided elsewhere.
package inbound

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// blobs stores contents.
type blobs interface {
	Put(ctx context.Context, r io.Reader, limit int64) (blob.Blob, error)
	Delete(ctx context.Context, key string) error
}

// rows stores mails.
type rows interface {
	AddIncoming(ctx context.Context, m desk.IncomingMail) (id int64, err error)
}

// rowTimeout bounds the wait for the database, within what mail servers wait for an answer.
const rowTimeout = 30 * time.Second

// Receiver stores incoming mails.
type Receiver struct {
	blobs blobs
	rows  rows
	limit int64
}

// NewReceiver returns a Receiver that accepts mails of at most limit bytes.
func NewReceiver(b blobs, r rows, limit int64) *Receiver {
	return &Receiver{blobs: b, rows: r, limit: limit}
}

// Receive stores a mail. When it returns without an error, the mail is stored durably. After an error it may be stored, too,
// if the database did not answer; the same mail again is then recognized as a duplicate. The error is TooLarge for a mail
// over the limit.
func (r *Receiver) Receive(ctx context.Context, e desk.Envelope, content io.Reader) (int64, error) {
	print := newFingerprint()
	stored, err := r.blobs.Put(ctx, io.TeeReader(content, print), r.limit)
	if err != nil {
		return 0, fmt.Errorf("store a mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, rowTimeout)
	defer cancel()
	day := time.Now()
	if e.Source == desk.SourceIMAP {
		day = time.Time{}
	}
	m := desk.IncomingMail{Envelope: e, Blob: stored.Key, Size: stored.Size, Fingerprint: print.Sum(day), Answers: print.Answers()}
	id, err := r.rows.AddIncoming(ctx, m)
	if err != nil {
		r.discard(ctx, stored.Key, err)
		return 0, fmt.Errorf("store a mail: %w", err)
	}
	return id, nil
}

// discard deletes the content of a mail that the database refused. If the database did not answer, the row may exist, so the
// content stays, and the sweep of blobs without a row deletes it if it does not.
func (r *Receiver) discard(ctx context.Context, key string, err error) {
	if fault.Refused(err) {
		_ = r.blobs.Delete(context.WithoutCancel(ctx), key) // the sweep deletes it otherwise
	}
}
