package supportdesk_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the documents for developers name can be opened: files that exist, and tests that run.
func TestDocs_nameFilesAndTestsThatExist(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(`)
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range declared.FindAllStringSubmatch(string(text), -1) {
			tests[name[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file := regexp.MustCompile("`([a-z][\\w-]*(?:/[\\w.-]+)+)`")
	name := regexp.MustCompile(`(-run )?\b((?:Test|Benchmark|Fuzz)[A-Z]\w+)(…?)`)
	for _, document := range []string{"CONTRIBUTING.md", "docs/architecture.md", "docs/glossary.md"} {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		files, names := file.FindAllStringSubmatch(string(text), -1), name.FindAllStringSubmatch(string(text), -1)
		if len(files) == 0 {
			t.Errorf("%s names no file: the test proves nothing about it", document)
		}
		for _, m := range files {
			if _, err := os.Stat(strings.TrimSuffix(m[1], "/...")); err != nil {
				t.Errorf("%s names %s, which is not there", document, m[1])
			}
		}
		for _, m := range names {
			begins := m[1] != "" || m[3] != "" // of a command, or cut short
			if !tests[m[2]] && (!begins || !anyHasPrefix(tests, m[2])) {
				t.Errorf("%s names %s, which is no test", document, m[2])
			}
		}
	}
}

func anyHasPrefix(names map[string]bool, prefix string) bool {
	for name := range names {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
