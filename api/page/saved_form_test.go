package page_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api/page"
)

// TestStamp_findsEachFormOfEachTemplate, however its attributes are written.
func TestStamp_findsEachFormOfEachTemplate(t *testing.T) {
	other, action := regexp.MustCompile(`\{\{else\}\}[^{]*\{\{end\}\}`), regexp.MustCompile(`\{\{[^}]*\}\}`)
	posts := regexp.MustCompile(`(?i)method\s*=\s*["']?post`)
	files, err := fs.Glob(os.DirFS(".."), "*/templates/*.html")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d templates, %v", len(files), err)
	}
	for _, name := range files {
		text, err := fs.ReadFile(os.DirFS(".."), name)
		if err != nil {
			t.Fatal(err)
		}
		for form := range strings.SplitSeq(action.ReplaceAllString(other.ReplaceAllString(string(text), ""), ""), "<form") {
			form, _, _ = strings.Cut(form, "</form>")
			if tag := "<form" + form; posts.MatchString(form) && !page.FormBegins.MatchString(tag) {
				t.Errorf("%s: a form that is not stamped: %.200s", name, tag)
			}
		}
	}
	for _, tag := range []string{`<form method="post">`, `<form title="a > b" method="post">`, `<form method="post" title="a > b">`} {
		if got := page.FormBegins.FindString(tag + `<p title=">">`); got != tag {
			t.Errorf("%s is found as %q", tag, got)
		}
	}
	for _, tag := range []string{`<form>`, `<form method="get">`, `<form title=" method=">`} {
		if page.FormBegins.MatchString(tag + `<p method="post">`) {
			t.Errorf("%s is stamped", tag)
		}
	}
}
