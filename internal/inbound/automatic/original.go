package automatic

import (
	"net/mail"
	"regexp"
	"strings"
)

var (
	textID = regexp.MustCompile(`(?im)^[ \t>|*]{0,20}(?:X-|Original-|X-Original-){0,2}Message-ID[ \t]{0,10}:[ \t]*(?:\r?\n[ \t]+)?(?:<([^\s<>]{1,998})>|([^\s<>]{1,900}@[^\s<>]{1,900}))`)
	// namedID is a Message-ID within a sentence.
	namedID = regexp.MustCompile(`(?i)message-id (?:of )?<?([^\s<>]{1,900}@[^\s<>]{0,900}[^\s<>.,;:)])`)
)

// originalIDs returns the Message-IDs of the mails that a mail is about: those of returned headers, of a report's fields, and
// of its words, then In-Reply-To and References; of a reply its In-Reply-To first. A list's mails are about none.
func (m Mail) originalIDs(v Verdict) []string {
	var ids idSet
	if v.Kind == List {
		return nil
	}
	ids.add(v.OriginalMessageIDs...)
	if v.Kind == AutoReply {
		ids.add(m.InReplyTo...)
	}
	for _, part := range m.Reports {
		ids.addFound(textID, string(bounded(part.Body)))
	}
	if _, original := returned(m.Text); v.Kind == AutoReply {
		ids.addFound(textID, original)
	} else {
		ids.addFound(textID, m.Text)
		ids.addFound(namedID, m.Text)
	}
	ids.add(m.InReplyTo...)
	for i := len(m.References) - 1; i >= 0; i-- { // the newest is the nearest
		ids.add(m.References[i])
	}
	return ids.all
}

// idSet collects Message-IDs in the order of their first mention.
type idSet struct {
	all  []string
	seen map[string]bool
}

func (s *idSet) add(ids ...string) {
	for _, id := range ids {
		id = strings.Trim(strings.TrimSpace(id), "<>")
		if id == "" || len(id) > maxID || len(s.all) == maxIDs || s.seen[id] || strings.ContainsFunc(id, notInID) {
			continue
		}
		if s.seen == nil {
			s.seen = map[string]bool{}
		}
		s.seen[id] = true
		s.all = append(s.all, id)
	}
}

func notInID(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' || r == '\uFFFD' }

func (s *idSet) addFound(pattern *regexp.Regexp, text string) {
	for _, found := range pattern.FindAllStringSubmatch(text, maxIDs) {
		s.add(found[1:]...) // one of the groups
	}
}

// returned splits the words of a report from the returned mail that follows in them: the first line of its headers, of which
// three must stand one after another.
func returned(text string) (report, original string) {
	start, count, at := 0, 0, 0
	for line := range strings.Lines(text) {
		switch {
		case originalHeader.MatchString(line):
			if count == 0 {
				start = at
			}
			count++
		case count > 0 && (line[0] == ' ' || line[0] == '\t') && strings.TrimSpace(line) != "": // folded
		default:
			count = 0
		}
		if at += len(line); count == 3 {
			return text[:start], text[start:]
		}
	}
	return text, ""
}

// copyBegins matches the lines by which makers begin the copy of the mail that they return, such as qmail's "--- Below this line is a
// copy of the message.", Exim's and Gmail's.
var copyBegins = regexp.MustCompile(`(?im)^[ \t]*[-*_=]{0,60}[ \t]*(?:(?:below this line|below|enclosed|included|attached|this) is a copy of (?:the|your) (?:original )?message(?: headers?)?(?:, including all (?:the )?headers)?` +
	`|message headers? follows?|(?:the )?(?:header|text|body) of (?:the|your) original message(?: is following| follows)?` +
	`|original (?:message|mail)(?: headers?| info| text)?(?: follows?)?|(?:unsent|returned|undelivered|rejected) message(?: follows)?|end of message)[.:]?[ \t]*[-*_=]{0,60}[ \t]*$`)

// beforeCopy returns what a report says before the copy of the mail that it returns.
func beforeCopy(report string) string {
	if at := copyBegins.FindStringIndex(report); at != nil && strings.TrimSpace(report[:at[0]]) != "" {
		return report[:at[0]]
	}
	return report
}

var originalHeader = regexp.MustCompile(`(?i)^(received|return-path|message-id|dkim-signature|domainkey-signature|arc-[a-z-]{1,40}|mime-version|date|from|to|cc|subject|sender|reply-to|delivered-to|content-[a-z-]{1,40}|user-agent|x-[a-z0-9_-]{1,60}|authentication-results|feedback-id|precedence|list-[a-z]{1,20})[ \t]{0,10}:`)

// originalTo returns whom the returned mail was sent to.
func (m Mail) originalTo() []string {
	var to []string
	add := func(headers string) {
		for _, block := range blocks(strings.TrimLeft(headers, " \t\r\n"))[:1] {
			for _, name := range []string{"x-hmxmroriginalrecipient", "original-rcpt-to", "removal-recipient", "to"} {
				to = append(to, addresses(block[name])...)
			}
		}
	}
	for _, part := range m.Reports {
		if part.Type != "message/delivery-status" {
			add(string(bounded(part.Body)))
		}
	}
	if _, original := returned(m.Text); original != "" {
		add(original)
	}
	return unique(to)
}

func addresses(field string) []string {
	if len(field) > 16<<10 {
		return nil
	}
	var all []string
	if list, err := mail.ParseAddressList(field); err == nil {
		for _, a := range list {
			all = append(all, bare(a.Address))
		}
		return all
	}
	return []string{recipientOf(field)}
}

// unique returns the addresses without empty and doubled ones, at most as many as are returned of a mail.
func unique(all []string) []string {
	var some []string
	seen := map[string]bool{"": true}
	for _, a := range all {
		if !seen[a] && len(some) < maxRecipients {
			seen[a] = true
			some = append(some, a)
		}
	}
	return some
}
