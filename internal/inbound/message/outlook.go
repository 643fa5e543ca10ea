package message

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"strings"

	"github.com/holesalemart/supportdesk/internal/inbound/tnef"
	"github.com/holesalemart/supportdesk/internal/text"
)

// isOutlook reports whether a part is a winmail.dat, which contains words and files.
func isOutlook(p part, body *bufio.Reader) bool {
	switch p.media {
	case "application/ms-tnef", "application/vnd.ms-tnef":
	default:
		if !strings.EqualFold(p.name, "winmail.dat") {
			return false
		}
	}
	start, _ := body.Peek(4) // an error comes again
	return tnef.Is(start)
}

// outlook reads a winmail.dat. Its files are files of the mail, and it is none itself, unless it is to be passed on whole.
func (r *reader) outlook(p part, body io.Reader) (words, error) {
	if r.whole {
		p.outlook, p.name = true, cmp.Or(p.name, "winmail.dat")
		return words{}, r.file(p, body)
	}
	numbers := map[int]int{} // of the files by their index there
	var failure error
	inner, err := tnef.Read(body, func(n int, content io.Reader) error {
		if len(r.Files) < maxFiles {
			numbers[n] = len(r.Files)
		}
		failure = r.file(part{media: "application/octet-stream"}, content)
		return failure
	})
	for n, number := range numbers {
		if n < len(inner.Files) {
			r.nameFile(number, inner.Files[n])
		}
	}
	switch {
	case failure != nil:
		return words{}, failure
	case errors.Is(err, tnef.ErrFormat):
		r.Damaged = true
		r.problem("The file winmail.dat of Outlook is damaged. It was kept, with what could be read of it.")
	case err != nil:
		return words{}, err
	}
	if err := skip(body); err != nil {
		return words{}, err
	}
	return words{text: cleanText(inner.Text), html: cleanText(inner.HTML)}, nil
}

// nameFile adds what is known of a file after its content.
func (r *reader) nameFile(number int, from tnef.File) {
	f := &r.Files[number]
	f.Name = text.Line(from.Name)
	f.ContentID = text.Line(from.ContentID)
	if validMedia(from.Type) {
		f.Type = from.Type
	}
}
