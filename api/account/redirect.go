package account

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/holesalemart/supportdesk/internal/desk"
)

const maxNext = 1000

// localPath returns next if it is a path on this site, or "". Browsers treat a backslash as a slash and drop tabs and
// line breaks, so none of them is allowed.
func localPath(next string) string {
	if len(next) > maxNext || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, func(r rune) bool { return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return ""
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") {
		return ""
	}
	return next
}

// home returns a person's start page.
func home(who desk.Person) string {
	if who.Role.Staff() {
		return "/desk"
	}
	return "/dashboard"
}

// destination returns where to go after signing in.
func destination(next string, who desk.Person) string {
	if next = localPath(next); next != "" {
		return next
	}
	return home(who)
}
