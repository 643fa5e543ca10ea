package message

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"

	"github.com/holesalemart/supportdesk/internal/text"
)

// addresses reads a list of addresses, groups included. It accepts what programs write that RFC 5322 forbids, and leaves
// out what is no address.
func (r *reader) addresses(field string) []mail.Address {
	var all []mail.Address
	unread := false
	values := r.Header[field]
	for _, value := range values {
		found, others := parseAddresses(value, r.hint)
		if len(found) == 0 && strings.Contains(value, "=?") { // all of it was encoded
			found, others = parseAddresses(decodeHeader(value, r.hint), r.hint)
		}
		all, unread = append(all, found...), unread || others
	}
	if len(all) > maxAddresses {
		all = all[:maxAddresses]
		r.problem("The field %s has more addresses than were read.", field)
	}
	if len(values) > 1 {
		r.problem("The field %s is there %d times.", field, len(values))
	}
	if unread {
		r.problem("The field %s has something that is no address.", field)
	}
	return all
}

// parseAddresses also reports whether there is something else.
func parseAddresses(value, hint string) (all []mail.Address, others bool) {
	for value != "" && len(all) <= maxAddresses {
		var one string
		one, value = cutAddress(value)
		if a, is := parseAddress(one, hint); is {
			all = append(all, a)
		} else if one = strings.TrimSpace(one); one != "" && !strings.EqualFold(one, "undisclosed-recipients") {
			others = true
		}
	}
	return all, others
}

// cutAddress cuts at the next comma, semicolon, or colon of a group's name, outside of quotes, comments and brackets.
func cutAddress(s string) (one, rest string) {
	depth, angle := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '=' && !angle: // an encoded word may have commas
			i += encodedEnd(s[i:])
		case c == '"' && depth == 0:
			if end := quotedEnd(s[i+1:]); end >= 0 {
				i += end + 1
			}
		case c == '(' && !angle:
			if strings.IndexByte(s[i:], ')') > 0 {
				depth++
			}
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == '<':
			angle = strings.IndexByte(s[i:], '>') > 0
		case c == '>':
			angle = false
			if next := strings.IndexAny(s[i+1:], "<,;"); next >= 0 && s[i+1+next] == '<' { // a comma is missing
				return s[:i+1], s[i+1:]
			}
		case angle:
		case c == ',' || c == ';':
			return s[:i], s[i+1:]
		case c == ':' && !strings.Contains(s[:i], "@"):
			return "", s[i+1:]
		}
	}
	return s, ""
}

// encodedEnd returns the index of the last byte of the encoded word that s begins with; 0: it begins with none.
func encodedEnd(s string) int {
	if !strings.HasPrefix(s, "=?") {
		return 0
	}
	if w, rest := cutWord(s); w.is {
		return len(s) - len(rest) - 1
	}
	return 0
}

// parseAddress reads an address with or without a name: name <address>, address (name), address.
func parseAddress(s, hint string) (mail.Address, bool) {
	s = strings.TrimSpace(s)
	var name, address string
	if open := lastAngle(s); open >= 0 {
		inner, after, _ := strings.Cut(s[open+1:], ">")
		name, address = s[:open], inner
		if strings.TrimSpace(name) == "" {
			name = after
		}
	} else {
		address, name = cutComment(s)
		if name == "" && !strings.HasPrefix(address, `"`) {
			address, name = cutName(address)
		}
	}
	address = cleanAddress(address)
	if !validAddress(address) {
		return mail.Address{}, false
	}
	return mail.Address{Name: cleanName(name, hint), Address: address}, true
}

// lastAngle returns the index of the bracket that the address is in: the last one outside of quotes.
func lastAngle(s string) int {
	at := -1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			if end := quotedEnd(s[i+1:]); end >= 0 {
				i += end + 1
			}
		case '<':
			at = i
		}
	}
	return at
}

// cutComment returns a text without its comments in parentheses, and the first of these.
func cutComment(s string) (rest, comment string) {
	rest, after, is := strings.Cut(s, "(")
	if !is {
		return s, ""
	}
	comment, after, _ = strings.Cut(after, ")")
	for is {
		var before string
		before, after, is = strings.Cut(after, "(")
		rest += before
		_, after, _ = strings.Cut(after, ")")
	}
	return rest, comment
}

// cutName returns the address of a text that has no brackets around it, and the name before it.
func cutName(s string) (address, name string) {
	at := strings.LastIndexAny(s, " \t")
	if name = strings.TrimSpace(s[:max(at, 0)]); strings.Contains(name, "@") {
		return s, ""
	}
	return s[at+1:], name
}

var spaced = regexp.MustCompile(`[ \t]*([.@])[ \t]*`)

// cleanAddress removes what is around an address: comments, a source route, "mailto:", quotes.
func cleanAddress(s string) string {
	s, _ = cutComment(s)
	if !strings.Contains(s, `"`) {
		s = spaced.ReplaceAllString(s, "$1") // RFC 822 has spaces there
	}
	s = strings.TrimSpace(s)
	if route, rest, is := strings.Cut(s, ":"); is && strings.HasPrefix(route, "@") {
		s = rest
	}
	s = strings.TrimPrefix(s, "mailto:")
	return strings.Trim(s, " \t'<>")
}

// validAddress reports whether s has a local part and a domain, and nothing that could be read otherwise elsewhere.
func validAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 || len(s) > 320 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if inner, is := strings.CutPrefix(local, `"`); is {
		if inner, is = strings.CutSuffix(inner, `"`); !is || strings.ContainsAny(inner, `"`) {
			return false
		}
		local = strings.ReplaceAll(inner, " ", "")
	}
	bad := func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == unicode.ReplacementChar
	}
	return !strings.ContainsFunc(s, func(c rune) bool { return bad(c) && c != ' ' }) && !strings.ContainsFunc(local, bad) &&
		!strings.ContainsAny(local, `<>(),;:[]"@`) && !strings.ContainsFunc(domain, bad) && !strings.ContainsAny(domain, `<>(),;"'@\`)
}

func cleanName(s, hint string) string {
	s = strings.TrimSpace(s)
	if inner, is := strings.CutPrefix(s, `"`); is && quotedEnd(inner) == len(inner)-1 {
		s = unquote(s)
	}
	s = decodeHeader(s, hint)
	s = text.Line(s)
	for _, quote := range []string{`"`, "'"} {
		if len(s) > 1 && strings.HasPrefix(s, quote) && strings.HasSuffix(s, quote) {
			s = strings.TrimSpace(s[1 : len(s)-1])
		}
	}
	return s
}
