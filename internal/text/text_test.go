package text_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/text"
)

func TestTruncate_keepsCharactersWhole(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abc", 2, "ab"},
		{"abc", 0, ""},
		{"aé", 2, "a"},
		{"éa", 1, ""},
		{"日本", 5, "日"},
		{"a😀b", 5, "a😀"},
		{"a😀b", 4, "a"},
		{strings.Repeat("\x80", 9), 7, strings.Repeat("\x80", 7)},
	} {
		if got := text.Truncate(c.in, c.limit); got != c.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
		}
	}
}

func FuzzTruncate(f *testing.F) {
	f.Add("Grüße aus 東京 😀", 7)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 0 {
			return
		}
		got := text.Truncate(s, limit)
		if len(got) > limit || !strings.HasPrefix(s, got) {
			t.Errorf("Truncate(%q, %d) = %q", s, limit, got)
		}
		if utf8.ValidString(s) && (!utf8.ValidString(got) || len(got) < min(len(s), limit)-utf8.UTFMax+1) {
			t.Errorf("Truncate(%q, %d) = %q", s, limit, got)
		}
	})
}
