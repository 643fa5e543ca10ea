package message

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"github.com/holesalemart/supportdesk/internal/inbound/tnef"
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

// outlook reads a winmail.dat. Its files are files of the mail, and it is none itself.
func (r *reader) outlook(body io.Reader) (words, error) {
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
		r.problem("The file winmail.dat of Outlook is damaged. What could be read was kept.")
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
	f.Name = oneLine(from.Name)
	f.ContentID = oneLine(from.ContentID)
	if validMedia(from.Type) {
		f.Type = from.Type
	}
}
