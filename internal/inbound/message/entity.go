package message

import (
	"bytes"
	"io"
	"strings"
)

// entity reads a part with its header.
func (r *reader) entity(s *source, parent string, depth int) (words, error) {
	h := r.header(s, false)
	return r.body(s, r.newPart(h, parent), depth)
}

// body reads the body of a part, or of the mail, by its type.
func (r *reader) body(s *source, p part, depth int) (words, error) {
	r.parts++
	if r.parts > maxParts {
		r.problem("The email has more than %d parts. The rest is in one file.", maxParts)
		s.boundaries = nil
		return words{}, r.file(part{media: "application/octet-stream", name: "rest.txt"}, s)
	}
	switch {
	case p.kind() == "multipart" || p.media == "text/plain" && !p.declared && depth < maxDepth:
		if boundary := r.boundary(s, p); boundary != "" && depth >= maxDepth {
			r.problem("Parts are nested more than %d times. What is deeper is in one file.", maxDepth)
			p.media = "application/octet-stream"
			return words{}, r.file(p, s)
		} else if boundary != "" {
			return r.multipart(s, p, boundary, depth)
		}
		if p.kind() == "multipart" {
			return r.undivided(s, p, depth)
		}
	case p.isReport():
		return words{}, r.report(p, r.decoded(s, p))
	case p.isMail():
		return words{}, r.attachedMail(p, r.decoded(s, p))
	}
	return r.leaf(s, p, depth)
}

// multipart reads the parts between boundaries, and combines their words as its type says.
func (r *reader) multipart(s *source, p part, boundary string, depth int) (words, error) {
	level := len(s.boundaries)
	s.boundaries = append(s.boundaries, boundary)
	r.noteProtection(p)
	before, err := r.preamble(s)
	if err != nil {
		return words{}, err
	}
	var all []words
	closed := false
	for s.at == level {
		closed = s.closing
		s.resume()
		if closed {
			if err := r.epilogue(s); err != nil {
				return words{}, err
			}
			continue
		}
		w, err := r.entity(s, p.media, depth+1)
		if err != nil {
			return words{}, err
		}
		if err := s.drain(); err != nil {
			return words{}, err
		}
		all = append(all, w)
	}
	if level < len(s.boundaries) {
		s.boundaries = s.boundaries[:level]
	}
	if !closed {
		r.problem("The email ends in the middle of a part, or the end of a multipart is missing.")
	}
	if len(all) == 0 {
		return before, nil
	}
	if p.media == "multipart/alternative" {
		return alternative(all), nil
	}
	return join(all), nil
}

// preamble reads what is before the first boundary, which counts only if no part follows.
func (r *reader) preamble(s *source) (words, error) {
	start, err := readSome(s, maxReport)
	if err != nil {
		return words{}, err
	}
	return words{text: cleanText(decodeBytes(string(start), r.hint))}, s.drain()
}

// epilogue skips what is after the last boundary.
func (r *reader) epilogue(s *source) error {
	start, err := readSome(s, 4096)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(start)) > 0 {
		r.problem("There is text after the last part of the email, which is shown in the original email only.")
	}
	return s.drain()
}

// undivided reads a multipart without boundaries: as text, unless it is encoded as a whole.
func (r *reader) undivided(s *source, p part, depth int) (words, error) {
	if p.encoding != "" && depth < maxDepth {
		inner := innerSource(r.decoded(s, p))
		p.encoding = ""
		w, err := r.body(inner, p, depth+1)
		if err == nil {
			err = inner.failure
		}
		return w, err
	}
	r.problem("The parts of the email can't be separated. All of it was read as text.")
	p.media, p.declared = "text/plain", true
	p.params["boundary"] = ""
	return r.leaf(s, p, depth)
}

// boundary returns the boundary between the parts of a body: the declared one, or the one that is there where that one is
// missing. Without any it returns "".
func (r *reader) boundary(s *source, p part) string {
	declared := strings.TrimRight(p.params["boundary"], " \t")
	ahead, err := s.in.Peek(bufferSize)
	if declared != "" && len(declared) <= 1000 {
		if containsBoundary(ahead, declared) || err == nil && s.findBoundary(ahead) == "" { // it may come later
			return declared
		}
	}
	if p.kind() != "multipart" { // nothing was declared: only where the body begins with a boundary
		ahead = bytes.TrimLeft(ahead, " \t\r\n")
		if !bytes.HasPrefix(ahead, []byte("--")) || !bytes.HasPrefix(ahead[2:], []byte(s.findBoundary(ahead))) {
			return ""
		}
	}
	found := s.findBoundary(ahead)
	if found != "" {
		r.problem("The boundary between parts is not declared, or another one is. The one that is there was taken.")
	}
	return found
}

func containsBoundary(body []byte, boundary string) bool {
	line := []byte("--" + boundary)
	for {
		i := bytes.Index(body, line)
		if i < 0 {
			return false
		}
		after := body[i+len(line):]
		if (i == 0 || body[i-1] == '\n') && (len(after) == 0 || bytes.IndexByte([]byte(" \t\r\n-"), after[0]) >= 0) {
			return true
		}
		body = after
	}
}

// findBoundary returns the first line that looks like a boundary: two hyphens, and the header of a part follows. It looks
// no further than the next boundary of a multipart that is open.
func (s *source) findBoundary(body []byte) string {
	for len(body) > 0 {
		var line []byte
		line, body, _ = bytes.Cut(body, lf)
		if level, _ := s.boundary(line); level >= 0 {
			return ""
		}
		name, is := bytes.CutPrefix(bytes.TrimRight(line, " \t\r"), []byte("--"))
		if is && len(name) > 0 && len(name) <= 200 && startsPart(body) {
			return string(name)
		}
	}
	return ""
}

func startsPart(body []byte) bool {
	return len(body) >= 8 && strings.EqualFold(string(body[:8]), "Content-") && isField(body)
}

// readSome reads up to a number of bytes.
func readSome(in io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(in, limit))
}
