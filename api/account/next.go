package account

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/holesalemart/supportdesk/internal/desk"
)

const maxNext = 1000

// local gives an address of this site, or an empty one for everything else that was put where one should stand.
// Browsers take a backslash for a slash and leave tabs and line breaks out, so neither may be in it.
func local(next string) string {
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

// home is where somebody begins.
func home(who desk.Person) string {
	if who.Role.Staff() {
		return "/desk"
	}
	return "/dashboard"
}

// onward is where to go after signing in.
func onward(next string, who desk.Person) string {
	if next = local(next); next != "" {
		return next
	}
	return home(who)
}
