package store

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/text"
)

// Files are attached by the statement that accepts their message, so that a message is never stored without them. The
// statements for messages without files don't mention the table.

// The parts that command.sql has for a command with files. It is accepted only if all of them are the author's and not
// attached yet.
const (
	offeredFiles = `mine AS MATERIALIZED (
    SELECT size FROM files WHERE id = ANY(@files::text[]) AND uploaded_by = @by AND message IS NULL ORDER BY id FOR UPDATE
), offered AS MATERIALIZED (
    SELECT count(*) = cardinality(@files::text[]) AND sum(size) <= @total AS fits FROM mine
),`
	attachFiles = `, attached AS (
    UPDATE files SET message = words.id, position = n.position
    FROM words, unnest(@files::text[]) WITH ORDINALITY AS n (id, position) WHERE files.id = n.id
)`
)

// The parts that submit.sql has for a batch with files: @files are those of all submissions, each with the number of its
// ticket in @files_of and its place in @positions. Of two submissions in a batch that name the same file, one gets it.
const (
	submittedFiles = `named AS MATERIALIZED (
    SELECT n.id, n.number, n.position, i.author
    FROM unnest(@files::text[], @files_of::text[], @positions::int[]) AS n (id, number, position)
    JOIN unnest(@numbers::text[], @authors::text[]) AS i (number, author) USING (number)
), free AS MATERIALIZED (
    SELECT id, uploaded_by, size FROM files WHERE id = ANY(@files::text[]) AND message IS NULL ORDER BY id FOR UPDATE
), offered AS MATERIALIZED (
    SELECT DISTINCT ON (id) id, number, position, size
    FROM named JOIN free USING (id) WHERE author = uploaded_by ORDER BY id, number
),`
	submittedFilesFit = `WHERE (SELECT count(*) FROM named n WHERE n.number = i.number) = (SELECT count(*) FROM offered o WHERE o.number = i.number)
      AND coalesce((SELECT sum(size) FROM offered o WHERE o.number = i.number), 0) <= @total`
	attachSubmittedFiles = `, attached AS (
    UPDATE files SET message = words.id, position = o.position FROM words JOIN offered o ON o.number = words.ticket
    WHERE files.id = o.id
)`
)

// addFiles adds the arguments of submitWithFilesSQL, and reports whether a submission of the batch has files.
func addFiles(args pgx.StrictNamedArgs, batch []*pendingSubmission, total int64) bool {
	var files []desk.FileID
	var of []string
	var positions []int
	for _, a := range batch {
		for i, id := range a.sub.Files {
			files, of, positions = append(files, id), append(of, string(a.sub.Number)), append(positions, i+1)
		}
	}
	if len(files) == 0 {
		return false
	}
	args["files"], args["files_of"], args["positions"], args["total"] = files, of, positions, total
	return true
}

// checkFiles returns an Invalid fault unless a message can have these files as far as their IDs and their number go.
func (s *Store) checkFiles(files []desk.FileID) error {
	if len(files) > s.fileLimits.Count {
		return fault.Field("files", "are more than %d", s.fileLimits.Count)
	}
	for i, id := range files {
		switch {
		case !id.Valid():
			return fault.Field("files", "contain %q, which is not the ID of a file", text.Shorten(string(id), 40))
		case slices.Contains(files[:i], id):
			return fault.Field("files", "contain %s twice", id)
		}
	}
	return nil
}

// notAttached returns an Invalid fault if a person can't send these files with a message.
func (s *Store) notAttached(ctx context.Context, by desk.Person, files []desk.FileID) error {
	if len(files) == 0 {
		return nil
	}
	rows, _ := s.pool.Query(ctx, `SELECT id, size FROM files WHERE id = ANY($1) AND uploaded_by = $2 AND message IS NULL`, files, by.ID)
	type free struct {
		ID   desk.FileID
		Size int64
	}
	mine, err := pgx.CollectRows(rows, pgx.RowToStructByName[free])
	if err != nil {
		return explain(err, "look for files")
	}
	var total int64
	for _, f := range mine {
		total += f.Size
	}
	for _, id := range files {
		if !slices.ContainsFunc(mine, func(f free) bool { return f.ID == id }) {
			return fault.Field("files", "contain %s, which you have not uploaded, have sent with a message already, or uploaded more than a day ago; upload it again", id)
		}
	}
	if total > s.fileLimits.Total {
		return fault.Field("files", "are larger than %d MiB together", s.fileLimits.Total>>20)
	}
	return nil
}
