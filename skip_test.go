package supportdesk_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var skips = regexp.MustCompile(`\b(t|b|tb|f)\.Skip(f|Now)?\(|testing\.Short\(`)

// A test that skips itself in a way of its own would be skipped in CI, too, and nothing would say so.
func TestTests_areSkippedInOnePlace(t *testing.T) {
	looked := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == ".git" || path == "bin"):
			return fs.SkipDir
		case filepath.Ext(path) != ".go" || strings.HasPrefix(path, filepath.Join("internal", "skiptest")):
			return nil
		}
		text, err := os.ReadFile(path)
		if found := skips.Find(text); found != nil {
			t.Errorf("%s calls %s…): internal/skiptest is there for that", path, found)
		}
		looked++
		return err
	})
	if err != nil || looked < 100 {
		t.Errorf("%d files were looked at: %v", looked, err)
	}
}
