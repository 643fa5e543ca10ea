package quote

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxPhrase = 120 // letters of a line that a program adds, at most
	maxDevice = 60  // and of one that names any device
)

// signature returns the line of a written piece at which its signature begins, and the piece's end if it has none.
func (s *splitter) signature(p piece) int {
	start, count, short := p.to, 0, true
	for i := p.to - 1; i >= p.from && count <= sigLines; i-- {
		s.steps++
		l := &s.lines[i]
		switch {
		case l.fenced:
			return s.phrases(p, start)
		case l.dashes == sigDashes, l.dashes == twoDashes && short && count <= dividedLines:
			start = i
		case !l.blank():
			count++
			short = short && len(l.raw) <= dividedLineLen
		}
	}
	return s.phrases(p, start)
}

// phrases extends a signature upwards by the lines that programs add, such as "Sent from my phone".
func (s *splitter) phrases(p piece, start int) int {
	for i := start - 1; i >= p.from; i-- {
		s.steps++
		l := &s.lines[i]
		if l.blank() {
			continue
		}
		if l.fenced || !isPhrase(l.raw) {
			break
		}
		start = i
	}
	return start
}

// isPhrase reports whether a mail program added a line to advertise itself or to excuse its user's typing.
func isPhrase(raw string) bool {
	if len(raw) > 4*maxPhrase || utf8.RuneCountInString(raw) > maxPhrase || strings.ContainsAny(raw, "?") && !strings.Contains(raw, "://") {
		return false
	}
	text := strings.Trim(strings.ToLower(raw), "<>()[]*_.!| \t"+picture)
	if !slices.ContainsFunc(phrasePrefixes, func(prefix string) bool { return strings.HasPrefix(text, prefix) }) &&
		!slices.ContainsFunc(phraseSuffixes, func(suffix string) bool { return strings.HasSuffix(text, suffix) }) {
		return false
	}
	return len(text) <= maxDevice && strings.HasPrefix(text, "sent from my ") ||
		slices.ContainsFunc(products, func(product string) bool { return strings.Contains(text, product) })
}
