// Package quote finds what a person wrote in a mail among what their mail program added: quoted mails and signatures. It
// deletes nothing and, in doubt, shows more. It is pure, and knows nothing of tickets, people and how a mail is read.
package quote

import "strings"

// The summaries of what is folded.
const (
	ShowQuoted    = "Show quoted text"
	ShowSignature = "Show signature"
)

// Kind says who a piece of a mail is from.
type Kind uint8

const (
	Written   Kind = iota // by the sender, for this mail
	Quoted                // taken over from another mail, with the line that introduces it
	Signature             // the sender's signature, or a line that their program added
)

func (k Kind) String() string {
	switch k {
	case Quoted:
		return "quoted"
	case Signature:
		return "signature"
	}
	return "written"
}

// Segment is a piece of a mail's text.
type Segment struct {
	Kind Kind
	Text string // whole lines, with their ends as they came

	// Inline is set for a quotation or a signature that is shown nevertheless: words that answer it follow, it is a
	// forwarded mail or of one, it is short, or the mail consists of nothing else.
	Inline bool
}

// Folded reports whether a reader sees the segment only on request.
func (s Segment) Folded() bool { return s.Kind != Written && !s.Inline }

// Options say what a mail's text does not.
type Options struct {
	// Forward is set if the mail forwards another one, see Forwards: that is what its sender passes on, so no quotation is folded.
	Forward bool
}

// maxLines is how many lines of a text are looked at. A longer one is no conversation: all of it is shown.
const maxLines = 50_000

// SplitText cuts a mail's text into segments. Their texts, joined, are the text. Unless the text is blank, a segment is shown.
func SplitText(text string, o Options) []Segment {
	if strings.Count(text, "\n") >= maxLines {
		return []Segment{{Text: text}}
	}
	lines, starts := textLines(text)
	pieces := split(lines, o)
	segments := make([]Segment, len(pieces))
	for i, p := range pieces {
		segments[i] = Segment{Kind: p.kind, Text: text[starts[p.from]:starts[p.to]], Inline: p.inline}
	}
	return segments
}

// Fold cuts a mail's text into as few segments as a page needs: what is shown, in one segment for everything between two
// folds, and what is folded, in one segment a kind. Blank lines between two quotations that are folded are folded too.
func Fold(text string, o Options) []Segment {
	var folded []Segment
	var begins []int // where each begins in the text
	at := 0
	for _, s := range SplitText(text, o) {
		end := at + len(s.Text)
		if !s.Folded() {
			s.Kind, s.Inline = Written, false
		}
		last := len(folded) - 1
		if last > 0 && folded[last-1].Kind == s.Kind && isBlank(folded[last].Text) {
			folded, begins = folded[:last], begins[:last]
			last--
		}
		if last >= 0 && folded[last].Kind == s.Kind {
			folded[last].Text = text[begins[last]:end]
		} else {
			folded, begins = append(folded, s), append(begins, at)
		}
		at = end
	}
	return folded
}

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }
