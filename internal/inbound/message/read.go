package message

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/encoding/unicode"

	"github.com/holesalemart/supportdesk/internal/text"
)

// What is read of one mail at most. Past a bound the rest is passed on as a file or left to the original mail, and a problem says so.
const (
	maxText        = 1 << 20 // bytes of text
	maxHTML        = 2 << 20 // bytes of HTML
	maxParts       = 1000
	maxDepth       = 32 // multiparts within one another
	maxFiles       = 250
	maxReports     = 16
	maxReport      = 64 << 10
	maxHeader      = 256 << 10 // bytes of one header
	maxField       = 64 << 10
	maxFields      = 1000
	maxProblems    = 50
	maxAddresses   = 500
	maxReferences  = 500
	maxMessageID   = 998 // the longest line of RFC 5322
	maxSubject     = 2000
	maxParameter   = 8 << 10
	maxCalendar    = 256 << 10
	maxOpaque      = 4 << 20 // bytes of an S/MIME signature with the mail within
	maxDescription = 1000
)

// ErrEmpty means that there is no mail.
var ErrEmpty = errors.New("the mail is empty")

// Read reads a mail in one pass. The contents of its files are passed to sink, decoded, while the mail is read, in the order
// of the mail; memory is bounded by what is kept of the words. What sink does not read is skipped. Of the files, only those of
// the result are final: the name of one in a winmail.dat follows its content, for example. N stays.
//
// A mail that is malformed is read as well as possible, which Problems explains. The error is ErrEmpty, an error of raw,
// of sink or of ctx.
func Read(ctx context.Context, raw io.Reader, sink func(File, io.Reader) error) (Message, error) {
	return read(ctx, raw, &reader{sink: sink})
}

// ReadWhole is Read, but for a winmail.dat, which it passes on as one file.
func ReadWhole(ctx context.Context, raw io.Reader, sink func(File, io.Reader) error) (Message, error) {
	return read(ctx, raw, &reader{sink: sink, whole: true})
}

func read(ctx context.Context, raw io.Reader, r *reader) (Message, error) {
	s, err := newSource(ctx, raw)
	if err != nil {
		return Message{}, err
	}
	r.hint = "utf-8"
	h := r.header(s, true)
	r.Header = h
	r.hint = headerCharset(h)
	w, err := r.body(s, r.newPart(h, ""), 0)
	if err == nil {
		err = s.failure
	}
	if err != nil {
		return Message{}, fmt.Errorf("read mail: %w", err)
	}
	r.fields()
	r.finish(w)
	return r.Message, nil
}

// reader collects what is read of one mail.
type reader struct {
	Message
	sink  func(File, io.Reader) error
	whole bool // see ReadWhole

	hint     string // the charset that headers without one are probably in
	parts    int
	text     int            // bytes of text read
	html     int            // bytes of HTML read
	spare    int            // bytes read of what is spare
	related  map[int]string // Content-Location by the number of its file
	calendar string         // the invitation in words
	tooMany  bool           // problems were left out
}

// newSource returns the source of a mail: without a byte order mark, in single bytes, with lines that end.
func newSource(ctx context.Context, raw io.Reader) (*source, error) {
	in := bufio.NewReaderSize(contextReader{ctx, raw}, bufferSize)
	start, err := in.Peek(bufferSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read mail: %w", err)
	}
	if len(bytes.TrimSpace(start)) == 0 && err != nil {
		return nil, ErrEmpty
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3) // they are in the buffer
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		utf16 := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
		in = bufio.NewReaderSize(utf16.Reader(in), bufferSize)
	case !bytes.Contains(start, []byte("\n")) && bytes.Contains(start, []byte("\r")):
		in = bufio.NewReaderSize(returnReader{in}, bufferSize)
	}
	return &source{in: in, at: -1, lineStart: true}, nil
}

// contextReader reads until its context ends.
type contextReader struct {
	ctx context.Context // an io.Reader has no other way
	in  io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.in.Read(p)
}

// returnReader makes line feeds of carriage returns, for mails whose lines end with these alone.
type returnReader struct{ in io.Reader }

func (r returnReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	for i := range p[:n] {
		if p[i] == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// problem records what was malformed, once.
func (r *reader) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	switch {
	case slices.Contains(r.Problems, text):
	case len(r.Problems) < maxProblems:
		r.Problems = append(r.Problems, text)
	case !r.tooMany:
		r.tooMany = true
		r.Problems = append(r.Problems, "There are more problems than are listed here.")
	}
}

// finish makes the words of what was found, and settles which files are inline.
func (r *reader) finish(w words) {
	r.Text, r.HTML = w.text, w.html
	if blank(r.Text) && !blank(r.HTML) {
		r.Text = htmlText(r.HTML, maxText)
	}
	if blank(r.Text) && blank(r.HTML) && r.calendar != "" {
		r.Text = r.calendar
	}
	if short := text.Truncate(r.Text, maxText); short != r.Text {
		r.Text = short
		r.problem("The text is very long and was cut off. The original email contains all of it.")
	}
	if short := text.Truncate(r.HTML, maxHTML); short != r.HTML {
		r.HTML = short
		r.problem("The HTML is very long and was cut off. The original email contains all of it.")
	}
	r.Text = strings.Trim(r.Text, "\n")
	r.findInline()
}
