package attachment_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/attachment"
)

func TestCleanName(t *testing.T) {
	long := strings.Repeat("a", 64<<10)
	for name, want := range map[string]string{
		"invoice.pdf":                    "invoice.pdf",
		"Mr. Smith's order, 2nd try.pdf": "Mr. Smith's order, 2nd try.pdf",
		"Rechnung März.pdf":              "Rechnung März.pdf",
		"Rechnung Ma\u0308rz.pdf":        "Rechnung März.pdf",
		"見積書.xlsx":                       "見積書.xlsx",
		"archive.tar.gz":                 "archive.tar.gz",

		"../../etc/passwd":          "passwd",
		`..\..\Windows\win.ini`:     "win.ini",
		`C:\Users\me\photo.jpg`:     "photo.jpg",
		"C:photo.jpg":               "C_photo.jpg",
		"folder/":                   "folder",
		"/":                         "file",
		"..":                        "file",
		"......":                    "file",
		" . . ":                     "file",
		"":                          "file",
		".pdf":                      "file.pdf",
		"../.pdf":                   "file.pdf",
		"a..pdf":                    "a.pdf",
		"report.pdf. . .":           "report.pdf",
		"photo.jpg          .exe":   "photo.jpg.exe",
		"a\x00b.pdf":                "ab.pdf",
		"photo\x00.jpg\x00.exe":     "photo.jpg.exe",
		"a\r\nSet-Cookie: x=y.pdf":  "a Set-Cookie_ x=y.pdf",
		"a\tb\vc\u2028d\u00a0e.pdf": "a b c d e.pdf",
		`a<b>c"d|e?f*g.pdf`:         "a_b_c_d_e_f_g.pdf",

		"\u202egpj.exe":             "gpj.exe",
		"invoice\u202e\u2066fdp.js": "invoicefdp.js",
		"\ufeffa\u200bb\u00adc.txt": "abc.txt",
		"\u3164.exe":                "file.exe",
		"\u2800\u115f":              "file",
		"\U000e0041tag.txt":         "tag.txt",
		"\ue000private.txt":         "private.txt",

		"\xff\xfe.pdf":      "_.pdf",
		"M\xe4rz.pdf":       "M_rz.pdf",
		"\xed\xa0\x80.pdf":  "_.pdf", // half of a surrogate pair
		"\u0301\u0301a.txt": "a.txt",
		"e" + strings.Repeat("\u0327", 64<<10) + ".txt": "\u0229\u0327\u0327\u0327.txt",

		"CON":         "_CON",
		"con.txt":     "_con.txt",
		"Nul.tar.gz":  "_Nul.tar.gz",
		"nul .txt":    "_nul.txt",
		"COM1.log":    "_COM1.log",
		"lpt².txt":    "_lpt².txt",
		"COM10.log":   "COM10.log",
		"console.log": "console.log",
		"aux":         "_aux",
		"CONIN$":      "_CONIN$",

		long:                                  long[:200],
		long + ".pdf":                         long[:196] + ".pdf",
		"a." + long:                           "a." + long[:198],
		long + "/b.txt":                       "b.txt",
		strings.Repeat("ä", 32<<10) + ".pdf":  strings.Repeat("ä", 98) + ".pdf",
		strings.Repeat("../", 20<<10) + "a":   "a",
		strings.Repeat(".", 64<<10) + "a.pdf": "a.pdf",
		strings.Repeat(" ", 64<<10) + "a.pdf": "a.pdf",
	} {
		got := attachment.CleanName(name)
		if got != want {
			t.Errorf("CleanName(%.80q) = %.300q, want %q", name, got, want)
		}
		checkName(t, name, got)
	}
}

// checkName checks what is true of every name.
func checkName(t *testing.T, name, got string) {
	t.Helper()
	marks := 0
	for _, r := range got {
		if !unicode.IsGraphic(r) || strings.ContainsRune(`/\<>:"|?*`, r) {
			t.Errorf("CleanName(%.80q) has %U: %q", name, r, got)
		}
		if marks++; !unicode.Is(unicode.M, r) {
			marks = 0
		}
		if marks > 4 {
			t.Errorf("CleanName(%.80q) has a tower of marks: %q", name, got)
			break
		}
	}
	switch again := attachment.CleanName(got); {
	case got == "" || len(got) > 200 || !utf8.ValidString(got):
		t.Errorf("CleanName(%.80q) has %d bytes: %q", name, len(got), got)
	case strings.Trim(got, " .") != got || strings.Contains(got, "  "):
		t.Errorf("CleanName(%.80q) has spaces or dots at its ends: %q", name, got)
	case again != got:
		t.Errorf("CleanName(%.80q) = %q, which becomes %q", name, got, again)
	}
}

func FuzzCleanName(f *testing.F) {
	for _, name := range []string{"invoice.pdf", "../a\\b.txt", "\u202egpj.exe", "con.txt", "\xff.a", "e\u0327\u0302\u0301\u0344\u0344x.y", ". .a. b .c", strings.Repeat("x", 190) + " .y.zzzzzzzzzzzzzzzzzzzzzzzzzz"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) { checkName(t, name, attachment.CleanName(name)) })
}
