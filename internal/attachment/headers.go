package attachment

import (
	"fmt"
	"strings"
)

// Headers returns the headers to serve a file with, by their canonical names. A file is always saved and never shown by
// the browser, and could do nothing if it were shown: its type is not guessed, and it has no origin, scripts or requests.
// With preview, which is only for the bytes of a Preview, the browser shows it. A browser asks for a file each time, since it may
// have been deleted.
func Headers(t Type, name string, preview bool) map[string]string {
	how := "attachment"
	if preview && (t == PNG || t == JPEG) {
		how = "inline"
	}
	return map[string]string{
		"Content-Type":                 t.served(),
		"Content-Disposition":          disposition(how, CleanName(name)),
		"Content-Security-Policy":      "sandbox; default-src 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "no-referrer",
		"Cache-Control":                "private, no-cache",
	}
}

// disposition is as RFC 6266 has it: a name in ASCII, and the whole one, encoded by RFC 8187, if that is another.
func disposition(how, name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%`, r) {
			return '_'
		}
		return r
	}, name)
	value := fmt.Sprintf(`%s; filename="%s"`, how, plain)
	if plain != name {
		value += "; filename*=UTF-8''" + encode(name)
	}
	return value
}

// encode encodes all but the attr-chars of RFC 8187.
func encode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
