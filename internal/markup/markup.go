// Package markup turns what people write into HTML that is safe to show: Markdown, plain text and the HTML of mails. All
// of it takes one way: a writer that emits known elements only, well nested and bounded, and one sanitizing policy after it. The
// package knows nothing of tickets, pages and mails; callbacks return the addresses of what a text mentions.
package markup

import (
	"html"
	"html/template"
	"regexp"
	"strings"
	"unicode"

	"github.com/holesalemart/supportdesk/internal/text"
)

// Options says how a text is shown. The zero value links web addresses and nothing else.
type Options struct {
	// Ticket returns the URL of a ticket that a text mentions, by its number in capital letters. Such a number may belong
	// to no ticket. An empty URL or a nil function: the number stays text.
	Ticket func(number string) string
	// File returns the URL of the file that the HTML of a mail shows as an image, by its content ID. An empty URL or a nil
	// function: the image's text is shown instead.
	File func(contentID string) string
	// RemoteImages has the images of other servers loaded, which reveals to them who reads a mail and when. Otherwise a
	// placeholder stands for each.
	RemoteImages bool
	// Fold is the number of characters after which the rest of a long text is folded; 0: it never is.
	Fold int
	// Styles are style attributes by element, for mails, where style sheets don't work everywhere.
	Styles map[string]string
}

// Message returns a message as HTML: Markdown or plain text.
func Message(text string, isMarkdown bool, o Options) template.HTML {
	if isMarkdown {
		return Markdown(text, o)
	}
	return Text(text, o)
}

// Markdown returns Markdown as HTML. HTML in it is shown as it was written, and images become links. Text of which the
// rendering would take too long is returned as Text returns it.
func Markdown(text string, o Options) template.HTML {
	text = clean(text)
	if tooComplex(text) {
		return Text(text, o)
	}
	rendered, err := renderMarkdown(text)
	if err != nil {
		return Text(text, o)
	}
	return write(rendered, o, modeMarkdown)
}

// maxText is how many bytes of plain text are shown; no message has more than 64 KiB.
const maxText = 256 << 10

// Text returns plain text as HTML: paragraphs, between which there are empty lines, with their line breaks.
func Text(text string, o Options) template.HTML {
	var b strings.Builder
	text = cut(text)
	for _, paragraph := range Paragraphs(text) {
		b.WriteString("<p>")
		for i, line := range paragraph {
			if i > 0 {
				b.WriteString("<br>\n")
			}
			b.WriteString(html.EscapeString(spaced(line)))
		}
		b.WriteString("</p>\n")
	}
	return write(b.String(), o, modeText)
}

func cut(words string) string {
	if len(words) <= maxText {
		return words
	}
	return text.Truncate(words, maxText) + "\n\n[…]"
}

// spaced returns a line whose indent and runs of spaces are shown: HTML would collapse them.
func spaced(line string) string {
	line = strings.ReplaceAll(line, "\t", "    ")
	rest := strings.TrimLeft(line, " ")
	return strings.Repeat("\u00a0", len(line)-len(rest)) + strings.ReplaceAll(rest, "  ", "\u00a0 ")
}

// Paragraphs splits plain text at empty lines, and each paragraph at its line breaks. It removes control characters other
// than tabs.
func Paragraphs(text string) [][]string {
	var all [][]string
	var lines []string
	for line := range strings.SplitSeq(clean(text)+"\n\n", "\n") {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		switch {
		case line != "":
			lines = append(lines, line)
		case lines != nil:
			all = append(all, lines)
			lines = nil
		}
	}
	return all
}

// SanitizeMail returns the HTML of a mail for storing it: without anything that runs, submits, loads or positions, without colours,
// classes and IDs, and without images that only report that a mail is read. Images refer to files by cid: URLs, and images
// of other servers have data-src instead of src. Of more than 1 MiB only the text is kept.
func SanitizeMail(mail string) string {
	return string(write(mail, Options{}, modeStore))
}

// Mail returns HTML that SanitizeMail returned, sanitized again, for showing it.
func Mail(stored string, o Options) template.HTML { return write(stored, o, modeMail) }

// HasRemoteImages reports whether HTML that SanitizeMail returned has images of other servers.
func HasRemoteImages(stored string) bool { return strings.Contains(stored, ` data-src="`) }

// lineBreaks makes every line break a newline.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n")

// clean returns valid UTF-8 with newlines as the only line breaks, and without control characters other than tabs, byte order marks
// and noncharacters, which parsers treat differently.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) || r == '\uFEFF' || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF {
			return -1
		}
		return r
	}, lineBreaks.Replace(strings.ToValidUTF8(text, "\uFFFD")))
}

// special matches what would be Markdown in the middle of a line.
var special = regexp.MustCompile("[\\\\`*\\[\\]<>|~]|\\b_+|_+\\b|&#?[0-9A-Za-z]+;")

// leading matches what would be Markdown at the beginning of a line.
var leading = regexp.MustCompile(`^\s*(#{1,6}|[-+=])(\s|$)|^\s*\d+[.)](\s|$)|^\s*[-=]{2,}`)

// Escape returns a line of plain text as Markdown that is shown as that text, for values within a message.
func Escape(text string) string {
	text = strings.Join(strings.Fields(clean(text)), " ")
	text = special.ReplaceAllStringFunc(text, func(found string) string {
		return strings.NewReplacer("_", `\_`, "&", `\&`, `\`, `\\`, "`", "\\`", "*", `\*`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "|", `\|`, "~", `\~`).Replace(found)
	})
	if at := leading.FindStringIndex(text); at != nil {
		mark := strings.IndexAny(text, "#-+=.)")
		text = text[:mark] + `\` + text[mark:]
	}
	return text
}
