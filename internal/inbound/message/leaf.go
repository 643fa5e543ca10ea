package message

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/text"
)

// leaf reads a part without parts.
func (r *reader) leaf(s *source, p part, depth int) (words, error) {
	body := bufio.NewReaderSize(r.decoded(s, p), 16<<10)
	switch {
	case p.isWords(), r.text+r.html == 0 && p.isNamedWords(): // some programs name the words
		return r.words(body, p)
	case p.media == "text/calendar" || p.media == "application/ics":
		return words{}, r.invitation(p, body)
	case isOutlook(p, body):
		return r.outlook(p, body)
	case p.isSMIME():
		return r.smime(body, p, depth)
	}
	if p.media == "application/pgp-encrypted" {
		start, err := body.Peek(maxControl) // an error comes again
		if bytes.HasPrefix(start, []byte(controlPart)) {
			r.Encrypted = true // also where a gateway made another multipart of it
		}
		if errors.Is(err, io.EOF) && string(bytes.TrimSpace(start)) == controlPart {
			return words{}, skip(body) // what is encrypted is the next part
		}
	}
	if p.name == "" {
		p.name = p.protectionName()
	}
	w := r.image(&p)
	return w, r.file(p, body)
}

// decoded returns the body of a part without its transfer encoding.
func (r *reader) decoded(s *source, p part) io.Reader {
	switch p.encoding {
	case "?":
		p.encoding = guessEncoding(ahead(s))
		r.problem("The encoding of a part is not known. It was guessed.")
		return r.decoded(s, p)
	case "base64":
		if !likeBase64(ahead(s)) {
			r.problem("A part is not in base64, as it says. It was read as it is.")
			return s
		}
		b := newBase64(s)
		return watched{b, func() {
			if b.broken {
				r.problem("The base64 of a part is damaged. What could be decoded was kept.")
			}
		}}
	case "quoted-printable":
		q := newQuoted(s)
		return watched{q, func() {
			if q.broken {
				r.problem("The quoted-printable encoding of a part is damaged.")
			}
		}}
	case "uuencode":
		return decodeUU(bufio.NewReaderSize(s, 16<<10))
	}
	return s
}

// ahead returns how the body of a part begins.
func ahead(s *source) []byte {
	start, _ := s.in.Peek(1024) // an error comes again
	if i := bytes.Index(start, []byte("\n--")); i >= 0 {
		start = start[:i]
	}
	return start
}

// watched calls a function at the end of what it reads.
type watched struct {
	io.Reader
	end func()
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		w.end()
	}
	return n, err
}

// file passes a file on.
func (r *reader) file(p part, body io.Reader) error {
	if len(r.Files) >= maxFiles {
		r.problem("The email has more than %d files. The original email contains the others.", maxFiles)
		return skip(body)
	}
	f := File{
		N: len(r.Files), Name: p.name, Type: p.media, ContentID: p.id, Inline: p.disposition == "inline", Description: p.description,
		Outlook: p.outlook,
	}
	r.Files = append(r.Files, f)
	if p.location != "" {
		if r.related == nil {
			r.related = map[int]string{}
		}
		r.related[f.N] = p.location
	}
	if err := r.sink(f, body); err != nil {
		return err
	}
	return skip(body)
}

func skip(body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}

// report keeps what a machine wrote, or passes it on as a file if there are too many.
func (r *reader) report(p part, body io.Reader) error {
	if len(r.Reports) >= maxReports {
		return r.file(p, body)
	}
	start, err := readSome(body, maxReport)
	if err != nil {
		return err
	}
	r.Reports = append(r.Reports, Report{Type: p.media, Body: start})
	if n, err := io.Copy(io.Discard, body); n > 0 || err != nil {
		r.problem("A report in the email is very long. Only its beginning was read.")
		return err
	}
	return nil
}

// attachedMail passes a mail within the mail on as a file, and keeps its header as a report.
func (r *reader) attachedMail(p part, body io.Reader) error {
	in := bufio.NewReaderSize(body, bufferSize)
	if len(r.Reports) < maxReports {
		ahead, _ := in.Peek(bufferSize) // an error comes again
		r.Reports = append(r.Reports, Report{Type: p.media, Body: headerOf(ahead)})
		if p.name == "" {
			p.name = mailName(ahead, r.hint)
		}
	}
	return r.file(p, in)
}

// headerOf returns a copy of the header that a mail begins with.
func headerOf(mail []byte) []byte {
	mail = bytes.TrimLeft(mail, "\r\n")
	end := len(mail)
	for _, empty := range []string{"\n\n", "\n\r\n"} {
		if i := bytes.Index(mail, []byte(empty)); i >= 0 {
			end = min(end, i+1)
		}
	}
	return bytes.Clone(mail[:end])
}

// mailName is the name of a mail as a file: its subject.
func mailName(mail []byte, hint string) string {
	inner := innerSource(bytes.NewReader(headerOf(mail)))
	subject := text.Line(decodeHeader(first((&reader{}).header(inner, true), "Subject"), hint))
	subject = text.Truncate(subject, 100)
	if subject == "" {
		return "message.eml"
	}
	return subject + ".eml"
}

// words reads a part that is text. What is longer than can be shown is a file, too.
func (r *reader) words(body *bufio.Reader, p part) (words, error) {
	start, _ := body.Peek(1024) // an error comes again
	if isBinary(start, p.params["charset"]) {
		r.problem("A part that says it is text is none. It was kept as a file.")
		p.media = "application/octet-stream"
		return words{}, r.file(p, body)
	}
	html := p.media == "text/html" || p.isForPrograms() || !p.declared && looksLikeHTML(start)
	used, limit := &r.text, maxText
	switch {
	case p.isSpare():
		used, limit = &r.spare, maxHTML
	case html:
		used, limit = &r.html, maxHTML
	}
	raw, whole, err := r.collect(body, limit-*used, html)
	if err != nil {
		return words{}, err
	}
	*used += len(raw)
	if !whole && p.isSpare() {
		return words{}, skip(body)
	}
	if !whole {
		r.problem("The text is very long. All of it is in a file.")
		p.disposition = ""
		if p.name == "" {
			p.name = longName(html)
		}
		if err := r.file(p, io.MultiReader(bytes.NewReader(raw), body)); err != nil {
			return words{}, err
		}
	}
	w, err := r.wordsOf(raw, p, html)
	w.spare = p.isSpare()
	return w, err
}

func longName(html bool) string {
	if html {
		return "message.html"
	}
	return "message.txt"
}

// collect reads text up to a limit. Files in it that are uuencoded are passed on.
func (r *reader) collect(body *bufio.Reader, limit int, html bool) (raw []byte, whole bool, err error) {
	var read bytes.Buffer
	for lineStart := true; read.Len() < limit; {
		if name, is := beginsUU(body); is && lineStart && !html {
			p := part{media: "application/octet-stream", name: text.Line(decodeHeader(name, r.hint))}
			if err := r.file(p, &uuReader{in: body}); err != nil {
				return nil, false, err
			}
			continue
		}
		line, err := body.ReadSlice('\n')
		read.Write(line)
		lineStart = err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				return read.Bytes(), true, nil
			}
			return nil, false, err
		}
	}
	_, err = body.Peek(1)
	if errors.Is(err, io.EOF) {
		return read.Bytes(), true, nil
	}
	return read.Bytes(), false, err
}

// wordsOf makes words of the bytes of a text.
func (r *reader) wordsOf(raw []byte, p part, html bool) (words, error) {
	label := p.params["charset"]
	if html && label == "" {
		label = metaCharset(raw)
	}
	if label == "" && r.hint != "utf-8" && !utf8.Valid(raw) {
		label = r.hint
	}
	decoded, right := decode(raw, label)
	if !right && label != "" {
		r.problem("The charset of the text is wrong or not known. It was guessed.")
	}
	text := cleanText(decoded)
	switch {
	case html:
		page, err := r.embedded(visibleHTML(text))
		return words{html: page}, err
	case p.isEnriched():
		return words{text: plainOfEnriched(text)}, nil
	case strings.EqualFold(p.params["format"], "flowed"):
		text = unflow(text, strings.EqualFold(p.params["delsp"], "yes"))
	}
	return r.armor(text)
}

// isBinary reports whether bytes are no text.
func isBinary(start []byte, charset string) bool {
	for _, magic := range []string{"%PDF-", "PK\x03\x04", "\x89PNG", "\xff\xd8\xff", "GIF8", "\xd0\xcf\x11\xe0"} {
		if bytes.HasPrefix(start, []byte(magic)) {
			return true
		}
	}
	label := normalLabel(charset)
	if strings.HasPrefix(label, "utf-16") || strings.HasPrefix(label, "utf-32") {
		return false
	}
	return bytes.Count(start, []byte{0}) > len(start)/8
}

func looksLikeHTML(start []byte) bool {
	start = bytes.ToLower(bytes.TrimSpace(start))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}
