package markup

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/holesalemart/supportdesk/internal/text"
)

// linkRel has other sites learn nothing of who follows a link, and search engines not count it.
const linkRel = "nofollow noopener noreferrer ugc"

// maxURL is the length in bytes of the longest URL that becomes a link.
const maxURL = 2048

// safeLink returns a URL that a link may have: a whole one, of a web page, an email address or a telephone number.
func safeLink(typed string) (string, bool) {
	typed = strings.TrimSpace(typed)
	if len(typed) > maxURL || strings.ContainsFunc(typed, func(r rune) bool { return unicode.IsControl(r) || text.Reorders(r) }) {
		return "", false
	}
	u, err := url.Parse(typed)
	if err != nil || !isSafe(u) {
		return "", false
	}
	return u.String(), true
}

func isSafe(u *url.URL) bool {
	switch u.Scheme {
	case "http", "https":
		return u.Host != "" && u.User == nil // a user name in front of a host is there to deceive
	case "mailto", "tel":
		return u.Opaque != ""
	default:
		return false
	}
}

// mention matches web addresses, without punctuation at their end, and what may be a ticket's number, which
// internal/ticket/number.go defines.
var mention = regexp.MustCompile(`(?i)https?://[^\s<>"']*[^\s<>"'.,;:!?)\]}*]|[A-Z0-9]{1,8}-[0-9A-HJKMNP-TV-Z]{10}`)

// linkify writes text in which web addresses and the numbers of tickets are links.
func (w *writer) linkify(text string) {
	from := 0
	for _, at := range mention.FindAllStringIndex(text, -1) {
		found := text[at[0]:at[1]]
		href := w.mentioned(found, text[:at[0]], text[at[1]:])
		if href == "" {
			continue
		}
		w.out.WriteString(html.EscapeString(text[from:at[0]]))
		w.out.WriteString(`<a href="` + html.EscapeString(href) + `"`)
		if strings.Contains(found, "://") {
			w.out.WriteString(` rel="` + linkRel + `" target="_blank"`)
		}
		if style := w.Styles["a"]; style != "" {
			w.out.WriteString(` style="` + html.EscapeString(style) + `"`)
		}
		w.out.WriteString(">" + html.EscapeString(found) + "</a>")
		from = at[1]
	}
	w.out.WriteString(html.EscapeString(text[from:]))
}

// mentioned returns the URL of what a text mentions between two others. It is empty if that becomes no link. What is to be
// stored has no links to tickets yet: their URLs depend on where they are shown.
func (w *writer) mentioned(found, before, after string) string {
	if strings.Contains(found, "://") {
		href, _ := safeLink(found)
		return href
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	if w.Ticket == nil || w.mode == modeStore || continues(last) || continues(next) {
		return ""
	}
	return w.Ticket(strings.ToUpper(found))
}

// continues reports whether a rune beside a number makes it a part of something longer.
func continues(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_/@", r))
}
