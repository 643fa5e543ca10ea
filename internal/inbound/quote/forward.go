package quote

import (
	"net/mail"
	"regexp"
	"strings"
)

const maxFrom = 1000 // bytes of a sender's line that are read

// ForwardedMail is a mail that was forwarded within another. All of it may be false.
type ForwardedMail struct {
	From    mail.Address
	Date    string // as their program wrote it
	Subject string
	Text    string // without the header, and without marks of quotation if it was forwarded with them
	Above   string // what the person who forwards it wrote above

	// Marked is set if the mail's text says that it is forwarded. Outlook writes the same header above a mail that is
	// answered and one that is forwarded: then only the subject distinguishes them, see Forwards.
	Marked bool
}

// Forwarded finds the first forwarded mail in a text. It is false if there is none with a sender's address.
func Forwarded(text string) (ForwardedMail, bool) {
	if strings.Count(text, "\n") >= maxLines {
		return ForwardedMail{}, false
	}
	lines, starts := textLines(text)
	s := newSplitter(lines)
	for i := range lines {
		start, marked := i, isForwardLine(lines[i].body)
		if marked || isOriginalLine(lines[i].body) {
			start = s.nextBody(i + 1)
		}
		if start == len(lines) {
			return ForwardedMail{}, false
		}
		h, end := s.header(start)
		if !h.has[fromField] || !marked && !h.whole() || h.count < 2 {
			continue
		}
		from, is := sender(h.value[fromField])
		if !is {
			continue
		}
		forwarded := ForwardedMail{From: from, Date: h.value[dateField], Subject: h.value[subjectField], Marked: marked, Above: strings.TrimSpace(text[:starts[i]])}
		forwarded.Text = words(text[starts[end]:], lines[start].quoted)
		return forwarded, true
	}
	return ForwardedMail{}, false
}

// nextBody returns the next line whose body isn't blank, within a few lines.
func (s *splitter) nextBody(i int) int {
	for end := i + 3; i < end && i < len(s.lines) && s.lines[i].body == ""; {
		i++
	}
	return i
}

// words returns the text of a forwarded mail, without the first mark of quotation of each line if it has them.
func words(text string, quoted bool) string {
	if quoted {
		lines := strings.SplitAfter(text, "\n")
		for i, l := range lines {
			if after, is := strings.CutPrefix(strings.TrimLeft(l, " "), ">"); is {
				lines[i] = strings.TrimPrefix(after, " ")
			}
		}
		text = strings.Join(lines, "")
	}
	return strings.Trim(text, "\r\n \t")
}

// sender reads a sender as programs write them: "Ada <ada@example.com>", "Ada [mailto:ada@example.com]", an address alone.
func sender(value string) (mail.Address, bool) {
	value = value[:min(len(value), maxFrom)]
	at := address.FindStringIndex(value)
	if at == nil {
		return mail.Address{}, false
	}
	parsed, err := mail.ParseAddress(strings.TrimRight(value[at[0]:at[1]], ".*"))
	if err != nil {
		return mail.Address{}, false
	}
	name := strings.TrimSuffix(strings.TrimRight(value[:at[0]], "<([ \t"), "mailto:")
	return mail.Address{Name: strings.Trim(name, "<([\"'*]) \t"), Address: parsed.Address}, true
}

// BareSubject returns a subject without what programs put before it: "Re:", "Fwd:" and the like, and the number of a ticket in
// brackets.
func BareSubject(subject string) string {
	for {
		bare := strings.TrimSpace(ticketMark.ReplaceAllString(subject, ""))
		if prefix, rest, found := strings.Cut(strings.Replace(bare, "：", ":", 1), ":"); found && (isForwardPrefix(prefix) || replyPrefix.MatchString(prefix)) {
			bare = strings.TrimSpace(rest)
		}
		if bare == subject {
			return bare
		}
		subject = bare
	}
}

var (
	ticketMark  = regexp.MustCompile(`^\s*\[[A-Za-z][A-Za-z0-9]{0,7}-[0-9A-Za-z]{10}\]`)
	replyPrefix = regexp.MustCompile(`(?i)^\s*(?:re|aw|antw|sv|vs|odp|rif|res|回复|答复|回覆)(?:\[\d+\])?\s*$`)
)

// Forwards reports whether a mail forwards another one, as the prefix of its subject says: "Fwd:", "WG:", also after what gateways put
// before it, "[EXTERNAL] Fwd:". Prefixes that mean an answer in another language do not count, but for "VS:": it begins a forward in
// Danish and Norwegian and an answer in Finnish, so that the header of the mail below decides, in which the sender is "Fra". Under any
// other subject, a line such as "Forwarded message" outside quotations decides.
func Forwards(subject, text string) bool {
	subject = brackets.ReplaceAllString(clean(subject), "")
	prefix, _, found := strings.Cut(strings.ReplaceAll(subject, "：", ":"), ":")
	switch {
	case found && isForwardPrefix(prefix):
		return true
	case found && strings.EqualFold(strings.TrimSpace(prefix), "vs") && fra.MatchString(text):
		return true
	case found && replyPrefix.MatchString(prefix):
		return false
	}
	for l := range strings.Lines(text) {
		if isForwardLine(strings.TrimRight(l, "\r\n")) {
			return true
		}
	}
	return false
}

var (
	brackets = regexp.MustCompile(`^(?:\s*\[[^\[\]]{1,40}\])+`)
	fra      = regexp.MustCompile(`(?m)^[ \t>*]{0,20}Fra[ \t*]{0,4}:`)
)

func isForwardPrefix(prefix string) bool {
	return len(prefix) <= labelBytes && forwardPrefixes[strings.ToLower(strings.TrimSpace(prefix))]
}
