package inbound

import (
	"regexp"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

// redactor recognizes what the desk's emails contain for their recipient alone: links that sign in or open a conversation, and
// addresses for replies. People quote and forward these emails to others.
type redactor struct {
	links, staff, tokens *regexp.Regexp
}

// linkPaths are the paths below which the website has links that are secret.
const linkPaths = `(?:c|f|e|link)`

// newRedactor returns a redactor for the links of a website and the addresses of the desk.
func newRedactor(website string, addresses Addresses) redactor {
	base := regexp.QuoteMeta(strings.TrimRight(website, "/"))
	encoded := strings.NewReplacer(":", "%3A", "/", "%2F").Replace(strings.TrimRight(website, "/"))
	var locals []string
	for address := range addresses {
		local, domain, _ := strings.Cut(address, "@")
		locals = append(locals, regexp.QuoteMeta(local)+`(?:\+|%2B|&#43;)[0-9a-z]{20,}(?:@|%40)`+regexp.QuoteMeta(domain))
	}
	slices.Sort(locals)
	return redactor{
		// A quoted link may be broken over lines, and a gateway may have put it into an address of its own.
		links: regexp.MustCompile(`(?i)(?:` + base + `/` + linkPaths + `/|` + regexp.QuoteMeta(encoded) + `%2F` + linkPaths + `%2F)` +
			`[0-9a-z_-]+(?:\r?\n[> ]*[0-9a-z_-]{16,})*`),
		staff:  regexp.MustCompile(`(?i)` + base + `/(?:desk|supervision)\b`),
		tokens: regexp.MustCompile(`(?i)` + strings.Join(append(locals, `\x00`), "|")),
	}
}

// ours reports whether a text contains something of an email of the desk.
func (r redactor) ours(text string) bool {
	return r.links.MatchString(text) || r.tokens.MatchString(text) || r.staff.MatchString(text)
}

// redact returns a text without links and addresses that are secret.
func (r redactor) redact(text string) string {
	return r.tokens.ReplaceAllString(r.links.ReplaceAllString(text, "[link removed]"), "[address removed]")
}

// foldedQuote matches the beginning of a quotation that package quote folded, after sanitizing.
var foldedQuote = regexp.MustCompile(`^<details[^>]*>\s*<summary[^>]*>` + regexp.QuoteMeta(quote.ShowQuoted) + `</summary>`)

// withoutQuotes returns sanitized HTML, which is well nested, without the quotations that are folded in it.
func withoutQuotes(sanitized string) string {
	var b strings.Builder
	for rest := sanitized; rest != ""; {
		start := strings.Index(rest, "<details")
		if start < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:start])
		rest = rest[start:]
		if !foldedQuote.MatchString(rest) {
			b.WriteString(rest[:len("<details")])
			rest = rest[len("<details"):]
			continue
		}
		rest = rest[endOfDetails(rest):]
	}
	return b.String()
}

var detailsTag = regexp.MustCompile(`<(/?)details\b[^>]*>`)

// endOfDetails returns the index after the end tag of the element with which well nested HTML begins.
func endOfDetails(s string) int {
	depth := 0
	for from := 0; ; {
		at := detailsTag.FindStringSubmatchIndex(s[from:])
		if at == nil {
			return len(s)
		}
		if depth++; at[2] < at[3] { // an end tag
			depth -= 2
		}
		if from += at[1]; depth == 0 {
			return from
		}
	}
}
