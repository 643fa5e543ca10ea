package supportdesk_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var skips = regexp.MustCompile(`\b(t|b|tb|f)\.Skip(f|Now)?\(|testing\.Short\(`)

// A test that skips itself in a way of its own would be skipped in CI, too, and nothing would say so.
func TestTests_areSkippedInOnePlace(t *testing.T) {
	const files = `{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}
{{end}}{{range .TestGoFiles}}{{$dir}}/{{.}}
{{end}}{{range .XTestGoFiles}}{{$dir}}/{{.}}
{{end}}`
	out, err := exec.Command("go", "list", "-f", files, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for file := range strings.FieldsSeq(string(out)) {
		if strings.HasSuffix(file, "/internal/skiptest/skiptest.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
		}
		if found := skips.Find(text); found != nil {
			t.Errorf("%s calls %s…): internal/skiptest is there for that", file, found)
		}
	}
}
