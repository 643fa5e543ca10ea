package message

import (
	"bytes"
	"net/textproto"
	"strings"
)

// header reads the header of a mail or of a part, up to the empty line, and leaves the body to be read. It accepts lines
// that are folded wrongly, and a body that begins without an empty line.
func (r *reader) header(s *source, root bool) textproto.MIMEHeader {
	f := headerFields{header: textproto.MIMEHeader{}}
	if root {
		skipEnvelope(s)
	}
	for {
		start, there := s.peekLine()
		if !there {
			_, _ = s.next() // stops at the boundary or the end
			break
		}
		kind := lineKind(start)
		if kind == lineEmpty {
			_, _, _ = s.line(0)
			if len(start) > 0 && f.lines > 0 && headerGoesOn(s) {
				continue // a line of spaces only
			}
			break
		}
		if kind == lineOther && !f.begun() && !headerGoesOnAfter(s) {
			r.problem("A header is missing. What is there was read as text.")
			break
		}
		if kind == lineOther && f.begun() && !isExtension(start) && !headerGoesOnAfter(s) {
			r.problem("The empty line between a header and its text is missing.")
			break
		}
		line, cut, err := s.line(maxField)
		if err != nil {
			break
		}
		f.add(kind, line, cut)
	}
	f.end()
	f.report(r)
	return f.header
}

// headerFields collects fields within the bounds.
type headerFields struct {
	header  textproto.MIMEHeader
	current []byte
	lines   int
	fields  int
	size    int

	broken, cut, nul bool
}

func (f *headerFields) begun() bool { return f.lines > 0 }

func (f *headerFields) add(kind int, line []byte, cut bool) {
	f.lines++
	f.cut = f.cut || cut
	if kind == lineField {
		f.end()
		f.current = append([]byte{}, line...)
		return
	}
	if kind == lineOther || f.current == nil {
		f.broken = true
	}
	if f.current == nil {
		return
	}
	if len(f.current)+len(line) > maxField {
		f.cut = true
		return
	}
	if kind == lineOther {
		f.current = append(f.current, ' ')
	}
	f.current = append(f.current, line...)
}

// end adds the current field to the header.
func (f *headerFields) end() {
	name, value, is := bytes.Cut(f.current, []byte(":"))
	f.current = nil
	if !is {
		return
	}
	f.fields++
	f.size += len(name) + len(value)
	if f.fields > maxFields || f.size > maxHeader {
		f.cut = true
		return
	}
	f.nul = f.nul || bytes.IndexByte(value, 0) >= 0
	text := cleanValue(value)
	key := textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(string(name)))
	f.header[key] = append(f.header[key], text)
}

func (f *headerFields) report(r *reader) {
	if f.broken {
		r.problem("A header has lines that belong to no field.")
	}
	if f.cut {
		r.problem("A header is very long. Only its beginning was read.")
	}
	if f.nul {
		r.problem("A header has NUL bytes, which were removed.")
	}
}

// cleanValue returns a value in one line, its bytes otherwise as they are.
func cleanValue(value []byte) string {
	clean := make([]byte, 0, len(value))
	for _, c := range value {
		switch c {
		case 0:
		case '\r', '\n', '\t', '\v', '\f':
			clean = append(clean, ' ')
		default:
			clean = append(clean, c)
		}
	}
	return string(bytes.TrimSpace(clean))
}

const (
	lineEmpty = iota
	lineFolded
	lineField
	lineOther
)

func lineKind(line []byte) int {
	switch {
	case len(bytes.Trim(line, " \t\r")) == 0:
		return lineEmpty
	case line[0] == ' ' || line[0] == '\t':
		return lineFolded
	case isField(line):
		return lineField
	}
	return lineOther
}

// isField reports whether a line begins with a field's name and a colon.
func isField(line []byte) bool {
	name, _, is := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !is || len(name) == 0 || len(name) > 200 {
		return false
	}
	for _, c := range name {
		if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte(`()<>@,;\"/[]?=`), c) >= 0 {
			return false
		}
	}
	return true
}

// isExtension reports whether a line is of a field that a program made up, although its name is not allowed.
func isExtension(line []byte) bool {
	return len(line) > 2 && line[0]|0x20 == 'x' && line[1] == '-' && bytes.IndexByte(line, ':') > 0
}

// headerGoesOn reports whether the next line is one of a header: a field, or the rest of one with fields after it.
func headerGoesOn(s *source) bool {
	line, there := s.peekLine()
	if !there {
		return false
	}
	kind := lineKind(line)
	return kind == lineField || kind == lineFolded && headerGoesOnAfter(s)
}

// headerGoesOnAfter reports whether a field or an empty line follows the next line soon, so that this one is a line of the
// header that was folded wrongly.
func headerGoesOnAfter(s *source) bool {
	ahead, _ := s.in.Peek(4096)
	_, ahead, _ = bytes.Cut(ahead, lf)
	for range 3 {
		line, rest, is := bytes.Cut(ahead, lf)
		if !is || lineKind(line) == lineEmpty {
			return false
		}
		if isKnownField(line) {
			return true
		}
		ahead = rest
	}
	return false
}

// isKnownField reports whether a line is a field of mails, for sentences have colons, too.
func isKnownField(line []byte) bool {
	if !isField(line) {
		return false
	}
	name, _, _ := bytes.Cut(line, []byte(":"))
	name = bytes.ToLower(bytes.TrimSpace(name))
	for _, prefix := range [][]byte{[]byte("x-"), []byte("content-"), []byte("list-"), []byte("received"), []byte("mime-"), []byte("arc-"), []byte("dkim-")} {
		if bytes.HasPrefix(name, prefix) {
			return true
		}
	}
	switch string(name) {
	case "from", "to", "cc", "bcc", "subject", "date", "message-id", "reply-to", "sender", "in-reply-to", "references",
		"return-path", "delivered-to", "user-agent", "importance", "precedence", "auto-submitted", "authentication-results",
		"thread-topic", "thread-index", "organization", "comments", "keywords", "errors-to":
		return true
	}
	return false
}

// skipEnvelope skips empty lines and what mailboxes and gateways write before a mail.
func skipEnvelope(s *source) {
	for range 100 {
		line, there := s.peekLine()
		skip := there && (len(bytes.TrimSpace(line)) == 0 && moreThanOne(s) ||
			bytes.HasPrefix(line, []byte("From ")) && !isField(line) || bytes.HasPrefix(line, []byte(">From ")))
		if !skip {
			return
		}
		_, _, _ = s.line(0) // an error comes again
	}
}

// moreThanOne reports whether a field follows the empty lines that come next.
func moreThanOne(s *source) bool {
	ahead, _ := s.in.Peek(1024)
	ahead = bytes.TrimLeft(ahead, " \t\r\n")
	return isKnownField(ahead)
}
