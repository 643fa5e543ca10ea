package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errNoFile error = fault.New(fault.NotFound, "there is no such file")

// SpendUpload takes one use out of a person's allowance of uploads. It returns a Limited fault if none is left.
func (s *Store) SpendUpload(ctx context.Context, by desk.Person) error {
	u, err := s.use(ctx, by, account.UploadLimit(by))
	if err != nil || u.key == nil {
		return err
	}
	tag, err := s.pool.Exec(ctx, spending("true"), u.args(pgx.StrictNamedArgs{}))
	if err != nil || tag.RowsAffected() == 1 {
		return explain(err, "spend an upload")
	}
	if err := s.spent(ctx, u); err != nil {
		return err
	}
	return errNotNow
}

// AddFile stores a file that was uploaded and is not attached to a message yet.
func (s *Store) AddFile(ctx context.Context, f desk.StoredFile) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO files (id, uploaded_by, name, size, type, sha256, blob, preview, width, height, content_id, inline, alt)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), nullif($9, 0), nullif($10, 0), nullif($11, ''), $12, $13)`,
		f.ID, f.By, f.Name, f.Size, f.Type, f.SHA256, f.Blob, f.Preview, f.Width, f.Height, f.ContentID, f.Inline, f.Alt)
	return explain(err, "store a file")
}

// shownMessage is whether a customer @viewer may see a message m: on a ticket of theirs, not internal, and shown by a
// public event or written by themselves. It agrees with the timeline of internal/app.
var shownMessage = `NOT m.internal AND EXISTS (SELECT FROM tickets t WHERE t.number = m.ticket AND ` + seenBy("t", "false", "@viewer") + `) AND ` + listedMessage("m")

// File returns a file that the viewer may see: one of a message that they may see, or one that they have uploaded and not
// sent yet. It returns NotFound otherwise. A deleted file is returned too, without the keys of blobs.
func (s *Store) File(ctx context.Context, viewer desk.Person, id desk.FileID) (desk.StoredFile, error) {
	if viewer.ID == "" || !id.Valid() {
		return desk.StoredFile{}, errNoFile
	}
	rows, _ := s.pool.Query(ctx, `
		SELECT `+fileColumns+`, f.uploaded_by AS uploader, f.sha256 AS sum, coalesce(f.blob, '') AS blob_key, coalesce(f.preview, '') AS preview_key,
			coalesce(m.ticket, '') AS ticket
		FROM files f LEFT JOIN messages m ON m.id = f.message LEFT JOIN people d ON d.id = f.deleted_by
		WHERE f.id = @id AND CASE WHEN f.message IS NULL THEN f.uploaded_by = @viewer ELSE @staff OR `+shownMessage+` END`,
		pgx.StrictNamedArgs{"id": id, "viewer": viewer.ID, "staff": viewer.Role.Staff(), "public": publicMessageEvents()})
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[storedFileRow])
	return row.stored(), explain(missing(err, errNoFile), "load file %s", id)
}

// DescribeFile sets the text that describes an image, of a file that the person has uploaded and not sent yet. It returns
// NotFound if there is none.
func (s *Store) DescribeFile(ctx context.Context, by desk.Person, id desk.FileID, alt string) error {
	return changeOne(ctx, s.pool, errNoFile, "describe a file",
		`UPDATE files SET alt = $3 WHERE id = $1 AND uploaded_by = $2 AND message IS NULL`, id, by.ID, alt)
}

// DiscardFile removes a file that the person has uploaded and not sent yet, and returns the keys of its blobs. It returns
// NotFound if there is none.
func (s *Store) DiscardFile(ctx context.Context, by desk.Person, id desk.FileID) (keys []string, err error) {
	rows, _ := s.pool.Query(ctx, `DELETE FROM files WHERE id = $1 AND uploaded_by = $2 AND message IS NULL RETURNING blob, preview`, id, by.ID)
	keys, err = collectKeys(rows)
	if err == nil && len(keys) == 0 {
		err = errNoFile
	}
	return keys, explain(err, "discard file %s", id)
}

// DeleteFile deletes a file of a message and returns the keys of its blobs, which the caller deletes. The row remains, with
// the file's name and who deleted it when. Repeating it changes nothing and returns no keys.
func (s *Store) DeleteFile(ctx context.Context, by desk.Person, id desk.FileID) (keys []string, err error) {
	rows, _ := s.pool.Query(ctx, `
		WITH file AS (
			SELECT f.id, f.blob, f.preview, m.ticket FROM files f JOIN messages m ON m.id = f.message
			WHERE f.id = $1 AND f.deleted_at IS NULL FOR UPDATE OF f
		), deleted AS (
			UPDATE files SET deleted_at = clock_timestamp(), deleted_by = $2, blob = NULL, preview = NULL, width = NULL, height = NULL
			FROM file WHERE files.id = file.id
		)
		SELECT blob, preview, ticket FROM file`, id, by.ID)
	var n ticket.Number
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (blobs, error) {
		var b blobs
		return b, row.Scan(&b.Blob, &b.Preview, &n)
	})
	if err == nil && len(found) > 0 {
		s.notifyChange(n, desk.ChangeStepped)
	}
	return keysOf(found), explain(err, "delete file %s", id)
}

// maxSwept is how many unattached files are removed at once.
const maxSwept = 500

// SweepFiles removes files that were uploaded before an instant and never sent, and returns the keys of their blobs. It
// removes at most maxSwept at once; full reports that there may be more.
func (s *Store) SweepFiles(ctx context.Context, before time.Time) (keys []string, full bool, err error) {
	rows, _ := s.pool.Query(ctx, `
		DELETE FROM files WHERE message IS NULL AND id IN (
			SELECT id FROM files WHERE message IS NULL AND uploaded_at < $1 ORDER BY uploaded_at LIMIT $2 FOR UPDATE SKIP LOCKED)
		RETURNING blob, preview`, before, maxSwept)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[blobs])
	return keysOf(found), len(found) == maxSwept, explain(err, "remove files that were not sent")
}

// NamedBlobs returns those of the keys that a row names. Every table that names blobs belongs here: the sweep deletes what is
// missing.
func (s *Store) NamedBlobs(ctx context.Context, keys []string) (named []string, err error) {
	rows, _ := s.pool.Query(ctx, `SELECT blob FROM files WHERE blob = ANY($1) UNION ALL SELECT preview FROM files WHERE preview = ANY($1)
		UNION ALL SELECT blob FROM incoming_mails WHERE blob = ANY($1)`, keys)
	named, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return named, explain(err, "look for what names blobs")
}

// FileBlobs returns up to limit files with an ID after another, in order, for a check of their blobs.
func (s *Store) FileBlobs(ctx context.Context, after desk.FileID, limit int) ([]desk.StoredFile, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT `+fileColumns+`, f.uploaded_by AS uploader, f.sha256 AS sum, coalesce(f.blob, '') AS blob_key, coalesce(f.preview, '') AS preview_key,
			coalesce(m.ticket, '') AS ticket
		FROM files f LEFT JOIN messages m ON m.id = f.message LEFT JOIN people d ON d.id = f.deleted_by
		WHERE f.id > $1 AND f.blob IS NOT NULL ORDER BY f.id LIMIT $2`, after, limit)
	files, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.StoredFile, error) {
		r, err := pgx.RowToStructByName[storedFileRow](row)
		return r.stored(), err
	})
	return files, explain(err, "list the blobs of files")
}

// blobs are the keys of a file's blobs; nil: none.
type blobs struct{ Blob, Preview *string }

func collectKeys(rows pgx.Rows) ([]string, error) {
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[blobs])
	return keysOf(found), err
}

func keysOf(found []blobs) (keys []string) {
	for _, b := range found {
		for _, key := range []*string{b.Blob, b.Preview} {
			if key != nil {
				keys = append(keys, *key)
			}
		}
	}
	return keys
}
