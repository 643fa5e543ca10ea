package quote

import (
	"strings"
	"unicode"
)

// line is a line of a mail, whether of its text or of its HTML.
type line struct {
	raw  string // without white space at its ends and without invisible marks
	body string // raw without the marks of quotation before it

	field field  // of a header, if body begins with a label
	value string // after the label

	quoted bool // it is marked as quoted
	sure   bool // quoted by an element that only mail programs write
	soft   bool // marked in a way that means a quotation only after a line that introduces one
	fenced bool // in a block of code, which is written whatever its lines look like
	sign   bool // in an element of a signature
	mark   mark
	dashes dashes
}

// mark is what an element of HTML says of a line.
type mark uint8

const (
	noMark      mark = iota
	introducing      // introduces a quotation, in whatever language
	original         // begins a quoted mail that extends to the end
)

// dashes is the delimiter before a signature.
type dashes uint8

const (
	noDashes   dashes = iota
	twoDashes         // "--": a delimiter whose space was lost, or a divider
	sigDashes         // "-- ", RFC 3676 section 4.3
	maxCleaned = 1000 // bytes of a line in which marks are sought
)

func (l *line) blank() bool { return l.raw == "" }

// textLines returns the lines of a text, and where each begins and the last one ends.
func textLines(text string) ([]line, []int) {
	var lines []line
	starts := []int{0}
	for at := 0; at < len(text); {
		end := len(text)
		if n := strings.IndexByte(text[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		lines = append(lines, textLine(text[at:end]))
		starts = append(starts, end)
		at = end
	}
	markFences(lines)
	return lines, starts
}

func textLine(text string) line {
	l := line{raw: clean(text)}
	l.body = l.raw
	indent := len(text) - len(strings.TrimLeft(text, " "))
	switch {
	case strings.HasPrefix(l.raw, ">") && indent < 4:
		l.quoted, l.body = true, unquoted(l.raw)
	case strings.HasPrefix(l.raw, "|"):
		l.soft, l.body = true, strings.TrimSpace(l.raw[1:])
	case named(l.raw):
		l.soft = true
	}
	l.dashes = delimiter(strings.TrimRight(text, "\r\n"))
	return l
}

func delimiter(text string) dashes {
	switch strings.ReplaceAll(text, "\u00a0", " ") {
	case "-- ":
		return sigDashes
	case "--":
		return twoDashes
	}
	return noDashes
}

// unquoted returns a quoted line without its marks of any depth.
func unquoted(raw string) string { return strings.TrimLeft(raw, "> \t") }

// named reports whether a line is quoted with the name of its author before it: "Ada> Hello".
func named(raw string) bool {
	at := strings.IndexByte(raw[:min(len(raw), 16)], '>')
	return at > 0 && !strings.ContainsFunc(raw[:at], func(r rune) bool { return !unicode.IsLetter(r) })
}

// clean returns a line without white space at its ends, marks of direction and characters without width.
func clean(text string) string {
	invisible := func(r rune) bool { return r >= 0x80 && (unicode.Is(unicode.Cf, r) || unicode.IsSpace(r)) }
	if len(text) <= maxCleaned && strings.ContainsFunc(text, invisible) {
		text = strings.Map(func(r rune) rune {
			switch {
			case r >= 0x80 && unicode.IsSpace(r):
				return ' '
			case invisible(r):
				return -1
			}
			return r
		}, text)
	}
	return strings.TrimSpace(text)
}

// markFences marks the lines of blocks of code between lines of three backticks. A block without an end is none.
func markFences(lines []line) {
	open := -1
	for i := range lines {
		if !strings.HasPrefix(lines[i].raw, "```") {
			continue
		}
		if open < 0 {
			open = i
			continue
		}
		for ; open <= i; open++ {
			lines[open].fenced = true
		}
		open = -1
	}
}

// isRule reports whether a line is a horizontal rule, which several programs put before a quoted mail.
func isRule(raw string) bool {
	return len(raw) >= 5 && len(raw) <= 200 && (strings.Trim(raw, "_") == "" || strings.Trim(raw, "-") == "" || strings.Trim(raw, "=") == "")
}
