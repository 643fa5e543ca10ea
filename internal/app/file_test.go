package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// stored returns the files in a folder of blobs, other than the store's probe.
func stored(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// newFiles returns Files over a folder, with a customer.
func newFiles(t *testing.T, dir string) (*sitetest.Fixture, *app.Files, desk.Person) {
	t.Helper()
	o := sitetest.Open(t, "files")
	blobs, err := blob.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	return o, app.NewFiles(o.Store, blobs, desk.FileLimits{}), o.Employ("clara", ticket.RoleCustomer, "Clara Customer")
}

func TestUpload_leavesNothingBehindWhenItFails(t *testing.T) {
	dir := t.TempDir()
	_, files, clara := newFiles(t, dir)
	before := len(stored(t, dir))
	broken := errors.New("the connection was lost")
	for name, content := range map[string]io.Reader{
		"too large": io.LimitReader(zeros{}, 10<<20+1), "empty": strings.NewReader(""),
		"aborted": io.MultiReader(strings.NewReader("half"), failing{broken}),
	} {
		if _, err := files.Upload(t.Context(), clara, desk.Upload{Name: "x", Content: content}); err == nil {
			t.Errorf("%s is accepted", name)
		} else if name == "aborted" && !errors.Is(err, broken) {
			t.Errorf("aborted: %v", err)
		}
	}
	if after := stored(t, dir); len(after) != before {
		t.Errorf("%d blobs are left: %v", len(after)-before, after)
	}
}

func TestSweep_removesWhatNoMessageHas(t *testing.T) {
	dir := t.TempDir()
	o, files, clara := newFiles(t, dir)
	o.Start(slog.New(slog.DiscardHandler))
	var ids []desk.FileID
	for _, name := range []string{"sent", "unsent", "young"} {
		f, err := files.Upload(t.Context(), clara, desk.Upload{Name: name, Content: bytes.NewReader(pagetest.PNG(t, 9, 9))})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, f.ID)
	}
	if _, err := o.Desk.Submit(t.Context(), clara, desk.Submission{Subject: "x", Files: ids[:1]}); err != nil {
		t.Fatal(err)
	}
	orphan, err := files.Upload(t.Context(), clara, desk.Upload{Name: "orphan", Content: strings.NewReader("x")})
	if err != nil {
		t.Fatal(err)
	}
	o.SQL(`UPDATE files SET uploaded_at = uploaded_at - interval '2 days' WHERE id = ANY($1)`, ids[:2])
	o.SQL(`DELETE FROM files WHERE id = $1`, orphan.ID)
	old := time.Now().Add(-48 * time.Hour)
	for _, path := range stored(t, dir) { // all but those of the young one are old
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if wait, err := files.Sweep(t.Context()); err != nil || wait <= 0 {
		t.Fatal(wait, err)
	}
	for i, want := range []fault.Kind{fault.Internal, fault.NotFound, fault.Internal} {
		content, err := files.Open(t.Context(), clara, ids[i])
		if fault.KindOf(err) != want || (want == fault.Internal && err != nil) {
			t.Errorf("file %d: %v", i, err)
		}
		if err == nil {
			if _, err := io.Copy(io.Discard, content); err != nil {
				t.Error(err)
			}
			_ = content.Close()
		}
	}
	if left := stored(t, dir); len(left) != 4 {
		t.Errorf("%d blobs are left, want the file and the preview of two: %v", len(left), left)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// unheard is a database that stores files and whose answer is lost.
type unheard struct{ *store.Store }

func (u unheard) AddFile(ctx context.Context, f desk.StoredFile) error {
	if err := u.Store.AddFile(ctx, f); err != nil {
		return err
	}
	return fault.New(fault.Unavailable, "the database is not responding")
}

// A row without bytes would be a file that people see and can't open.
func TestUpload_keepsBytesWhoseRowMayExist(t *testing.T) {
	dir := t.TempDir()
	o, _, clara := newFiles(t, dir)
	blobs, err := blob.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	files := app.NewFiles(unheard{o.Store}, blobs, desk.FileLimits{})
	if _, err := files.Upload(t.Context(), clara, desk.Upload{Name: "x", Content: strings.NewReader("some words")}); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("the upload ends with %v", err)
	}
	rows, err := o.FileBlobs(t.Context(), "", 10)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	r, _, err := blobs.Open(t.Context(), rows[0].Blob)
	if err != nil {
		t.Fatalf("the file has a row, and its bytes are lost: %v", err)
	}
	_ = r.Close()
}
