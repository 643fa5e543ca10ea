package quote

import (
	"regexp"
	"strings"
)

const (
	headerLines = 24 // lines of a header that are looked at
	valueLines  = 3  // lines over which a value is wrapped, at most
	labelBytes  = 48
)

// field is what a line of a quoted mail's header says, in whatever language.
type field uint8

const (
	noField field = iota
	fromField
	dateField
	toField
	copyField
	subjectField
	otherField
	rawField
	fields
)

// header is the header that programs write above a quoted or forwarded mail.
type header struct {
	value [fields]string
	has   [fields]bool
	count int // of sender, date, recipient and subject
}

// original returns the line after the header of a quoted mail, or after a line such as "-----Original Message-----".
func (s *splitter) original(i int) (end int, is bool) {
	l := &s.lines[i]
	if l.mark == original {
		return max(i+1, s.headerEnd(i)), true
	}
	start := i
	if isRule(l.raw) {
		start = s.next[i+1]
	}
	if start < len(s.lines) && start-i <= 4 && isOriginalLine(s.lines[start].raw) {
		return max(start+1, s.headerEnd(s.next[start+1])), true
	}
	if start == len(s.lines) || start-i > 4 {
		return i, false
	}
	h, end := s.header(start)
	return end, h.whole() && !s.belowSource(start)
}

// belowSource reports whether the lines just above are of a mail's source, which a person copied.
func (s *splitter) belowSource(i int) bool {
	for j := i - 1; j >= 0 && j >= i-headerLines && !s.lines[j].blank(); j-- {
		if s.lines[j].field == rawField {
			return true
		}
	}
	return false
}

// headerEnd returns the line after a header at line i, and i if there is none.
func (s *splitter) headerEnd(i int) int {
	if h, end := s.header(i); h.whole() {
		return end
	}
	return i
}

// whole reports whether it is a mail's header: a person may write "From: Berlin, To: Paris, Date: Monday".
func (h *header) whole() bool {
	return h.has[fromField] && !h.has[rawField] && h.count >= 3 && (h.has[subjectField] || strings.Contains(h.value[fromField], "@"))
}

// header reads the header at line i, and returns the line after it.
func (s *splitter) header(i int) (h header, end int) {
	last, own := noField, false
	for j := i; j < len(s.lines) && j < i+headerLines; j++ {
		l := &s.lines[j]
		s.steps++
		switch {
		case l.field != noField:
			last, own = l.field, h.set(l.field, l.value)
		case j == i || l.blank() || !s.continued(j) && (j != end || h.value[last] != ""):
			return h, max(end, i)
		case own:
			h.value[last] = strings.TrimSpace(h.value[last] + " " + l.body)
		}
		end = j + 1
	}
	return h, max(end, i)
}

// continued reports whether line j continues a value that is wrapped: another label follows.
func (s *splitter) continued(j int) bool {
	for k := j; k < len(s.lines) && k <= j+valueLines && !s.lines[k].blank(); k++ {
		if s.lines[k].field != noField {
			return true
		}
	}
	return false
}

// set keeps the first value of a field, and reports whether it is that.
func (h *header) set(f field, value string) bool {
	if h.has[f] {
		return false
	}
	h.has[f], h.value[f] = true, value
	switch f {
	case fromField, dateField, toField, subjectField:
		h.count++
	}
	return true
}

// label reads a line such as "From: Ada".
func label(body string) (field, string) {
	at := strings.IndexAny(body[:min(len(body), labelBytes)], ":：")
	if at <= 0 {
		return noField, ""
	}
	name := strings.ToLower(strings.Trim(body[:at], "* \t"))
	f := labels[name]
	if rawLabels[name] {
		f = rawField
	}
	value := strings.TrimPrefix(strings.TrimPrefix(body[at:], ":"), "：")
	return f, strings.Trim(value, "* \t")
}

// dashedHeader matches a line above a quoted mail with the mail's header in the same line, as Samsung's program writes it.
var dashedHeader = regexp.MustCompile(`^-{4,} ?([^-]{4,60}?) ?-{4,} ?(\pL{1,20} ?[:：].*)$`)

// isOriginalLine reports whether a line begins a quoted mail, such as "-----Original Message-----".
func isOriginalLine(raw string) bool {
	name, dashed := undashed(raw)
	if dashed && originals[name] {
		return true
	}
	found := dashedHeader.FindStringSubmatch(strings.ToLower(raw))
	if found == nil || !originals[found[1]] {
		return false
	}
	of, _ := label(found[2])
	return of == fromField || of == dateField
}

// isForwardLine reports whether a line begins a forwarded mail.
func isForwardLine(raw string) bool {
	name, dashed := undashed(raw)
	return dashed && forwards[name] || strings.HasSuffix(name, ":") && beginForwards[strings.TrimRight(name, ": ")]
}

// undashed returns a line in lower case without the dashes around it, and reports whether there are any.
func undashed(raw string) (name string, dashed bool) {
	if len(raw) > 200 {
		return "", false
	}
	raw = strings.ReplaceAll(strings.Trim(raw, "* "), "：", ":")
	name = strings.Trim(raw, "-—–=_ ")
	return strings.ToLower(name), strings.HasPrefix(raw, "--") || strings.HasPrefix(raw, "——") || strings.HasPrefix(raw, "==") || strings.HasPrefix(raw, "__")
}
