package inbound

import (
	"regexp"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/link"
)

// redactor recognizes what the desk's emails contain for their recipient alone: links that sign in or open a conversation, addresses
// for replies, and Message-IDs that prove who has an email. People quote and forward these emails to others. Tokens are recognized
// by themselves, since gateways and mail programs change what is around them, and break them.
type redactor struct {
	secrets link.Secrets
	site    *redactedSite
}

// redactedSite is how the links and addresses of a desk look, in a flattened text.
type redactedSite struct {
	links     *regexp.Regexp // a link that ends where its token should be
	addresses *regexp.Regexp // an address with the beginning of a token
	staff     *regexp.Regexp // what only emails to staff contain
}

// StaffReplies is the sentence of emails to staff by which an answer that quotes one is recognized if its links were changed.
const StaffReplies = "Reply to this email to add an internal note."

// newRedactedSite returns how the links of a website and the addresses of the desk look.
func newRedactedSite(website string, addresses Addresses) *redactedSite {
	_, host, found := strings.Cut(strings.TrimRight(website, "/"), "://")
	if !found {
		host = website
	}
	host = regexp.QuoteMeta(host)
	locals := []string{`\x00`}
	for address := range addresses {
		local, _, _ := strings.Cut(address, "@")
		locals = append(locals, regexp.QuoteMeta(local))
	}
	slices.Sort(locals)
	return &redactedSite{
		links:     regexp.MustCompile(`(?i)` + host + `/+(?:c|e|f|link)/+`),
		addresses: regexp.MustCompile(`(?i)(?:` + strings.Join(locals, "|") + `)\+`),
		staff:     regexp.MustCompile(`(?i)` + host + `/+(?:desk|supervision)|/desk/+tickets/|` + regexp.QuoteMeta(strings.ReplaceAll(StaffReplies, " ", ""))),
	}
}

var (
	// signIn is the token of a link of package account: an ID of 26 characters and a MAC of 43.
	signIn = regexp.MustCompile(`[A-Z2-7]{26}[0-9A-Za-z_-]{43}`)
	// secretPath is the path of a link with a token, on whatever website: the desk's may have several names.
	secretPath = regexp.MustCompile(`/(?:c|e|f|link)/+`)
	// messageID is a Message-ID with a proof. Only the desk's have this form.
	messageID = regexp.MustCompile(`(?i)[0-9a-z]{1,8}-[0-9a-z]{10}\.[0-9]{1,10}(?:\.[0-9]{1,20})?\.m[0-9a-z]{16}`)
)

// What a text contains instead of what was redacted.
const (
	linkRemoved    = "[link removed]"
	addressRemoved = "[address removed]"
	idRemoved      = "[Message-ID removed]"
)

const (
	wholeToken  = 40  // characters in a row that are taken for a token after the path of one, or with its beginning
	partOfToken = 8   // the same, after the desk's own host
	longToken   = 200 // characters that no token exceeds
	signInToken = 26 + 43
	maxTries    = 20_000 // verifications for one text: some 20 ms
)

// finding is something in a text that is redacted: its parts, in order, and what stands in place of the first. A link that is whole has
// one part; one whose token is damaged may have several, with words between them that are kept.
type finding struct {
	parts       [][2]int // from, to: bytes of the text
	replacement string
}

// redact returns a plain text without what is secret in it: "Open https://desk.example/c/TOKEN today" becomes "Open [link removed] today".
func (r redactor) redact(text string) string { return replace(text, r.find(text, false), false) }

// redactHTML is redact for sanitized HTML. An attribute with a secret is removed as a whole: <a href="https://desk.example/c/TOKEN">Open</a>
// becomes <a>Open</a>.
func (r redactor) redactHTML(sanitized string) string {
	sanitized = replace(sanitized, r.find(sanitized, true), true)
	return tag.ReplaceAllStringFunc(sanitized, func(t string) string {
		return attribute.ReplaceAllStringFunc(t, func(a string) string {
			if r.secret(a) {
				return ""
			}
			return a
		})
	})
}

var (
	tag       = regexp.MustCompile(`<[^>]*>`)
	attribute = regexp.MustCompile(` [a-z-]+="[^"]*"`)
)

// secret reports whether a text contains something that is redacted.
func (r redactor) secret(text string) bool { return len(r.find(text, false)) > 0 }

// secretHTML is secret for HTML that is not sanitized: between its tags, where <b>TO</b>KEN is one, and in them.
func (r redactor) secretHTML(page string) bool {
	return r.secret(page) || len(r.find(page, true)) > 0
}

// ours reports whether a text contains something of an email of the desk: a secret, a link to a page for staff such as
// https://desk.example/desk/tickets/…, or StaffReplies.
func (r redactor) ours(text string) bool {
	for _, s := range spellings(text) {
		if r.site.staff.Match(flatten(text, s, false).chars) {
			return true
		}
	}
	return r.secret(text)
}

// find returns what is secret in a text or, without what is in tags, in HTML. The same may be found more than once, in several spellings.
func (r redactor) find(text string, html bool) (all []finding) {
	tries := maxTries
	for _, s := range spellings(text) {
		f := flatten(text, s, html)
		all = append(all, r.findLinks(f)...)
		all = append(all, r.findAddresses(f, &tries)...)
		for _, at := range messageID.FindAllIndex(f.chars, -1) {
			all = append(all, finding{parts: [][2]int{f.around(at[0], at[1], isIDByte)}, replacement: idRemoved})
		}
	}
	return all
}

// findLinks finds links by their tokens and, where these are damaged, by what comes before them: the path of a link on any website
// ("/c/" with 40 characters of a token), or the desk's own ("https://desk.example/c/" with 8).
func (r redactor) findLinks(f flat) (all []finding) {
	chars, begin := string(f.chars), map[int]bool{} // where tokens begin
	for from := 0; ; {
		at := strings.Index(chars[from:], link.TokenStart)
		if at < 0 {
			break
		}
		at += from
		from = at + len(link.TokenStart)
		size := link.TokenSize(chars[at:min(len(chars), at+longToken)])
		switch {
		case size > 0 && at+size <= len(chars) && r.secrets.MadeToken(chars[at:at+size]):
			all = append(all, finding{parts: [][2]int{f.around(at, at+size, isURLByte)}, replacement: linkRemoved})
			from = at + size
		case size > 0, f.row(at) >= wholeToken:
			all = append(all, f.broken(at, size))
		default:
			continue
		}
		begin[at] = true
	}
	for _, at := range signIn.FindAllStringIndex(chars, -1) {
		if f.row(at[0]) == signInToken && (at[0] == 0 || !isTokenByte(chars[at[0]-1]) || int(f.at[at[0]]) != f.end(at[0]-1)) {
			all = append(all, f.broken(at[0], signInToken))
			begin[at[0]] = true
		}
	}
	for pattern, least := range map[*regexp.Regexp]int{secretPath: wholeToken, r.site.links: partOfToken} {
		for _, at := range pattern.FindAllStringIndex(chars, -1) {
			if f.row(at[1]) >= least && !begin[at[1]] {
				all = append(all, f.broken(at[1], signInToken))
			}
		}
	}
	return all
}

// findAddresses finds addresses for replies by their tokens (support+TOKEN@desk.example) and, where these are damaged, by what comes before
// them: "support+" with 8 characters of a token, one of them a digit.
func (r redactor) findAddresses(f flat, tries *int) (all []finding) {
	chars, begin := string(f.chars), map[int]bool{}
	for from := 0; ; {
		start, end := r.secrets.FindReplyToken(chars[from:], tries)
		if end == 0 {
			break
		}
		all = append(all, finding{parts: [][2]int{f.around(from+start, from+end, isAddressByte)}, replacement: addressRemoved})
		begin[from+start] = true
		from += end
	}
	for _, at := range r.site.addresses.FindAllStringIndex(chars, -1) {
		if n := f.row(at[1]); n >= partOfToken && !begin[at[1]] && strings.ContainsAny(chars[at[1]:at[1]+n], "0123456789") {
			broken := f.broken(at[1], wholeToken)
			broken.replacement = addressRemoved
			all = append(all, broken)
		}
	}
	return all
}

// replace returns a text with what was found replaced. Findings may overlap: what lies within another is no replacement of its own. In HTML,
// tags stay: "/c/TO<wbr>KEN" becomes "[link removed]<wbr>".
func replace(text string, all []finding, html bool) string {
	if len(all) == 0 {
		return text
	}
	type part struct {
		from, to    int
		replacement string
	}
	var parts []part
	for _, f := range all {
		for i, p := range f.parts {
			parts = append(parts, part{from: p[0], to: p[1]})
			if i == 0 {
				parts[len(parts)-1].replacement = f.replacement
			}
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for _, p := range parts {
		if p.to <= at {
			continue // it lies within another
		}
		if p.from >= at {
			b.WriteString(text[at:p.from] + p.replacement)
			at = p.from
		}
		if html {
			b.WriteString(strings.Join(tag.FindAllString(text[at:p.to], -1), ""))
		}
		at = p.to
	}
	return b.String() + text[at:]
}
