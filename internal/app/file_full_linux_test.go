package app_test

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/disktest"
	"github.com/holesalemart/supportdesk/internal/fault"
)

func TestUpload_ontoAFullDiskSaysSoAndWorksAgain(t *testing.T) {
	dir := t.TempDir()
	disktest.Mount(t, dir, "1m")
	_, files, clara := newFiles(t, filepath.Join(dir, "blobs"))
	_, err := files.Upload(t.Context(), clara, desk.Upload{Name: "large", Content: io.LimitReader(zeros{}, 3<<20)})
	if fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("on a full disk: %v", err)
	}
	f, err := files.Upload(t.Context(), clara, desk.Upload{Name: "small", Content: strings.NewReader("fits")})
	if err != nil {
		t.Fatalf("what was written in vain still takes the disk: %v", err)
	}
	content, err := files.Open(t.Context(), clara, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Close() }()
	if text, err := io.ReadAll(content); fmt.Sprint(string(text), err) != "fits<nil>" {
		t.Errorf("got %q, %v", text, err)
	}
}
