package store

import (
	"encoding/json"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fileColumns selects a fileRow from files f and people d, who deleted it.
const fileColumns = `f.id, f.name, f.size, f.type, coalesce(f.width, 0) AS width, coalesce(f.height, 0) AS height, f.alt, f.inline,
	coalesce(f.content_id, '') AS content_id, f.deleted_at, coalesce(d.id, '') AS deleted_by, coalesce(d.name, '') AS deleted_name,
	coalesce(d.handle, '') AS deleted_handle, coalesce(d.role, '') AS deleted_role`

// filesOf returns the expression for the files of a message as JSON, which readFiles reads; null if there are none.
func filesOf(message string) string {
	return `(SELECT jsonb_agg(to_jsonb(all_files) ORDER BY position) FROM (SELECT ` + fileColumns + `, f.position
		FROM files f LEFT JOIN people d ON d.id = f.deleted_by WHERE f.message = ` + message + `) all_files)`
}

type fileRow struct {
	ID            desk.FileID     `json:"id"`
	Name          string          `json:"name"`
	Size          int64           `json:"size"`
	Type          string          `json:"type"`
	Width         int             `json:"width"`
	Height        int             `json:"height"`
	Alt           string          `json:"alt"`
	Inline        bool            `json:"inline"`
	ContentID     string          `json:"content_id"`
	DeletedAt     *time.Time      `json:"deleted_at"`
	DeletedBy     ticket.PersonID `json:"deleted_by"`
	DeletedName   string          `json:"deleted_name"`
	DeletedHandle string          `json:"deleted_handle"`
	DeletedRole   ticket.Role     `json:"deleted_role"`
}

func (r fileRow) file(n ticket.Number) desk.File {
	f := desk.File{
		ID: r.ID, Ticket: n, Name: r.Name, Size: r.Size, Type: r.Type, Width: r.Width, Height: r.Height, Alt: r.Alt, Inline: r.Inline, ContentID: r.ContentID,
	}
	if r.DeletedAt != nil {
		f.Deleted = &desk.FileDeletion{
			At: r.DeletedAt.UTC(), By: desk.Ref{ID: r.DeletedBy, Name: r.DeletedName, Handle: r.DeletedHandle, Role: r.DeletedRole},
		}
	}
	return f
}

// storedFileRow is a file's row with its blobs.
type storedFileRow struct {
	fileRow
	Uploader   ticket.PersonID
	Sum        []byte
	BlobKey    string
	PreviewKey string
	Ticket     ticket.Number
}

func (r storedFileRow) stored() desk.StoredFile {
	return desk.StoredFile{File: r.file(r.Ticket), By: r.Uploader, SHA256: r.Sum, Blob: r.BlobKey, Preview: r.PreviewKey}
}

// readFiles reads the JSON of filesOf.
func readFiles(text []byte, n ticket.Number) ([]desk.File, error) {
	if text == nil {
		return nil, nil
	}
	var rows []fileRow
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, err
	}
	files := make([]desk.File, len(rows))
	for i, r := range rows {
		files[i] = r.file(n)
	}
	return files, nil
}
