package message

import (
	"regexp"
	"strings"
)

// unflow joins the lines of a text in format=flowed (RFC 3676) to paragraphs, quoted ones within their depth of quotation.
func unflow(text string, deleteSpace bool) string {
	var out strings.Builder
	open, depth := false, 0 // a paragraph that the next line of the same depth continues
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		content := strings.TrimLeft(line, ">")
		d := len(line) - len(content)
		content = strings.TrimPrefix(content, " ") // it was stuffed
		continues := open && d == depth && content != "-- "
		open, depth = strings.HasSuffix(content, " ") && content != "-- ", d
		if open && deleteSpace {
			content = strings.TrimSuffix(content, " ")
		}
		if continues {
			out.WriteString(content)
		} else {
			if out.Len() > 0 {
				out.WriteByte('\n')
			}
			if d > 0 {
				out.WriteString(strings.Repeat(">", d) + " ")
			}
			out.WriteString(content)
		}
	}
	return out.String()
}

var (
	enrichedParam = regexp.MustCompile(`(?is)<param>.*?</param>`)
	enrichedTag   = regexp.MustCompile(`</?[A-Za-z-]{1,60}>`)
)

// plainOfEnriched removes the commands of text/enriched (RFC 1896) and text/richtext.
func plainOfEnriched(text string) string {
	text = enrichedParam.ReplaceAllString(text, "")
	text = strings.NewReplacer("<<", "\x00", "<lt>", "\x00", "<nl>", "\n").Replace(text)
	return strings.ReplaceAll(enrichedTag.ReplaceAllString(text, ""), "\x00", "<")
}
