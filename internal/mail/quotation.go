package mail

import (
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/quote"
	"github.com/holesalemart/supportdesk/internal/text"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	maxQuoteLines     = 20
	maxQuote          = 1500 // bytes
	maxPreheader      = 120  // characters: mail programs show fewer
	maxSignatureLines = 15
)

// quotation is the message that a mail answers, cut to its beginning.
type quotation struct {
	Own        bool // the recipient wrote it
	Author, At string
	Paragraphs [][]string
}

// newQuotation returns the quotation of a mail with an answer of staff, and nil for other mails. It leaves out what the quoted
// message quotes itself, which is what the recipient has read before, and the marks of Markdown.
func newQuotation(data desk.MailData, in func(time.Time) string) *quotation {
	switch data.Kind {
	case ticket.MailReply, ticket.MailInformationRequest, ticket.MailResolution:
	default:
		return nil
	}
	quoted := shorten(paragraphs(plain(written(data.Quoted), data.Quoted.Format)))
	if data.Body == "" || len(quoted) == 0 {
		return nil
	}
	author := oneLine(data.Quoted.Author, maxName)
	if author == "" {
		author = "The requester"
	}
	return &quotation{Own: data.Quoted.Own, Author: author, At: in(data.Quoted.At), Paragraphs: quoted}
}

// written returns the part of a message that its author wrote or forwarded.
func written(message desk.Quoted) string {
	var b strings.Builder
	for _, s := range quote.Fold(message.Body, quote.Options{Forward: message.Forward}) {
		if s.Kind == quote.Written {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// shorten returns the first lines of paragraphs, and an ellipsis in place of the others.
func shorten(all [][]string) [][]string {
	var short [][]string
	lines, left := 0, maxQuote
	for _, paragraph := range all {
		var kept []string
		for _, line := range paragraph {
			if lines == maxQuoteLines || len(line) > left {
				return append(short, append(kept, cut(line, left, lines)+"…"))
			}
			kept, lines, left = append(kept, line), lines+1, left-len(line)
		}
		short = append(short, kept)
	}
	return short
}

// cut returns the beginning of a line that is at most so many bytes long, and nothing of a line too many.
func cut(line string, left, lines int) string {
	if lines == maxQuoteLines {
		return ""
	}
	return text.Truncate(line, left)
}

// signature returns what stands below a message of staff to people of the ticket: the author's name, and what they sign with.
func signature(data desk.MailData) [][]string {
	if data.Kind.ToStaff() || data.Kind == ticket.MailReceipt || data.Kind == ticket.MailParticipantReply || data.Body == "" || data.Author == "" {
		return nil
	}
	name := oneLine(data.Author, maxName)
	lines := []string{name}
	for _, paragraph := range paragraphs(data.Signature) {
		for _, line := range paragraph {
			if len(lines) <= maxSignatureLines && line != name {
				lines = append(lines, line)
			}
		}
	}
	return [][]string{lines}
}

// preheader returns the first words of a message, unless it is the recipient's own.
func preheader(kind ticket.MailKind, message [][]string) string {
	if kind == ticket.MailReceipt {
		return ""
	}
	words := ""
	for _, paragraph := range message {
		if words += strings.Join(paragraph, " ") + " "; len(words) > 4*maxPreheader {
			break
		}
	}
	return oneLine(words, maxPreheader)
}
