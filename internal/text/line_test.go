package text_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/text"
)

func TestLine_isOneLineThatLeavesItsNeighboursAlone(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		" My  parcel\tis late\r\n":        "My parcel is late",
		"Refund of\u00a010\u2009€":        "Refund of 10 €",
		"a\u2028b\u2029c\x00d\u0085e":     "a b c d e",
		"\u202egnp.exe":                   "gnp.exe",
		"a\u202ab\u202bc\u202cd\u202de":   "abcde",
		"a\u2066b\u2067c\u2068d\u2069":    "abcd",
		"\ufeffBill\ufffe":                "Bill",
		"M\xe4rz":                         "M\ufffdrz",
		"100\u200f-200":                   "100-200",
		"\u200eAnna\u061c 5":              "Anna 5",
		"הזמנה 5\u200f (דחוף)":            "הזמנה 5\u200f (דחוף)",
		"طلب \u061c5\u200e ABC":           "طلب \u061c5\u200e ABC",
		"\u202bהזמנה\u202c":               "הזמנה",
		"علی\u200cرضا":                    "علی\u200cرضا",
		"ශ්\u200dරී":                      "ශ්\u200dරී",
		"👩\u200d🚀 ❤\ufe0f":                "👩\u200d🚀 ❤\ufe0f",
		"\U0001e900\u200f 1 \U00010840\n": "\U0001e900\u200f 1 \U00010840",
	} {
		if got := text.Line(in); got != want {
			t.Errorf("Line(%+q) = %+q, want %+q", in, got, want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("\u202egnp.exe \u200f א")
	f.Fuzz(func(t *testing.T, s string) {
		got := text.Line(s)
		if !utf8.ValidString(got) || text.Line(got) != got || strings.ContainsFunc(got, func(r rune) bool { return !text.InLine(r) }) {
			t.Errorf("Line(%+q) = %+q", s, got)
		}
	})
}

func TestShorten_endsInAnEllipsis(t *testing.T) {
	for _, c := range []struct {
		in         string
		characters int
		want       string
	}{
		{"", 0, ""}, {"abc", 3, "abc"}, {"äöü", 3, "äöü"}, {"äöüß", 3, "äö…"}, {"a bc", 3, "a…"}, {"abc", 1, "…"}, {"a\xffbcd", 3, "a\xff…"},
	} {
		if got := text.Shorten(c.in, c.characters); got != c.want {
			t.Errorf("Shorten(%q, %d) = %q, want %q", c.in, c.characters, got, c.want)
		}
	}
}
