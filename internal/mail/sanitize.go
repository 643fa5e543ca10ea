package mail

import (
	"strings"
	"unicode"

	"github.com/holesalemart/supportdesk/internal/text"
)

const (
	maxName    = 80   // runes of a person's name
	maxSubject = 1000 // runes; the API accepts 200, this only bounds a header
)

// oneLine makes text that a person typed safe for a header or the middle of a sentence. Text of more than limit characters is cut and
// ends in an ellipsis; a limit of 0 means no limit.
func oneLine(typed string, limit int) string {
	clean := text.Line(typed)
	if limit > 0 {
		clean = text.Shorten(clean, limit)
	}
	return clean
}

// paragraphs splits a message at blank lines into paragraphs, and each of those into lines. It removes control characters
// other than tabs. It retains changes of text direction, because they end with the line.
func paragraphs(message string) [][]string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	message = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n").Replace(message)
	message = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) || text.Noncharacter(r) {
			return -1
		}
		return r
	}, message)
	var all [][]string
	var current []string
	for line := range strings.SplitSeq(message, "\n") {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line != "" {
			current = append(current, line)
			continue
		}
		if current != nil {
			all = append(all, current)
			current = nil
		}
	}
	if current != nil {
		all = append(all, current)
	}
	return all
}
