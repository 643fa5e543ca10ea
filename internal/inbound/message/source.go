package message

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

const bufferSize = 64 << 10

// source reads the lines of a mail up to the next boundary of any multipart that is open. As an io.Reader it reads the
// body of the current part, without the line break that belongs to the boundary.
type source struct {
	in         *bufio.Reader
	boundaries []string // of the open multiparts, the outermost first

	at        int  // the index of the boundary that was reached; -1: none yet
	closing   bool // and it is the last one of its multipart
	ended     bool // there is no more
	failure   error
	lineStart bool
	held      []byte // a line break, which belongs to a boundary if one follows
	lead, out []byte // a line break and a line, not yet read
}

// stopped reports whether the current part has ended.
func (s *source) stopped() bool { return s.at >= 0 || s.ended }

// resume reads on after a boundary.
func (s *source) resume() {
	s.at, s.closing = -1, false
	s.held, s.lead, s.out = nil, nil, nil
	s.lineStart = true
}

// next reads up to a line, or to the buffer's size of a longer one. At a boundary it returns io.EOF.
func (s *source) next() ([]byte, error) {
	if s.stopped() {
		return nil, s.end()
	}
	line, err := s.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) && len(line) == 0 {
		s.ended = true
		if !errors.Is(err, io.EOF) {
			s.failure = err
		}
		return nil, s.end()
	}
	if s.lineStart && s.reach(line) {
		return nil, io.EOF
	}
	s.lineStart = err == nil
	return line, nil
}

func (s *source) end() error {
	if s.failure != nil {
		return s.failure
	}
	return io.EOF
}

// reach reports whether a line is a boundary, the one of the innermost multipart first, and stops there.
func (s *source) reach(line []byte) bool {
	level, closing := s.boundary(line)
	if level < 0 {
		return false
	}
	s.at, s.closing = level, closing
	return true
}

func (s *source) boundary(line []byte) (level int, closing bool) {
	rest, is := bytes.CutPrefix(line, []byte("--"))
	if !is {
		return -1, false
	}
	rest = bytes.TrimRight(rest, " \t\r\n")
	for i := len(s.boundaries) - 1; i >= 0; i-- {
		after, is := strings.CutPrefix(string(rest), s.boundaries[i])
		if is && (after == "" || strings.HasPrefix(after, "--")) {
			return i, after != ""
		}
	}
	return -1, false
}

func (s *source) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		switch {
		case len(s.lead) > 0:
			copied := copy(p[n:], s.lead)
			s.lead, n = s.lead[copied:], n+copied
		case len(s.out) > 0:
			copied := copy(p[n:], s.out)
			s.out, n = s.out[copied:], n+copied
		default:
			line, err := s.next()
			if err != nil && (s.at >= 0 || s.failure != nil || len(s.held) == 0) {
				if n > 0 {
					return n, nil // the error comes again
				}
				return 0, err
			}
			s.lead = s.held // also of the last line of the mail, which no boundary follows
			s.out, s.held = cutEnding(line)
		}
	}
	return n, nil
}

var crlf, lf = []byte("\r\n"), []byte("\n")

// cutEnding splits a line into what it contains and its line break.
func cutEnding(line []byte) (body, ending []byte) {
	if body, is := bytes.CutSuffix(line, crlf); is {
		return body, crlf
	}
	if body, is := bytes.CutSuffix(line, lf); is {
		return body, lf
	}
	return line, nil
}

// line reads a whole line without its line break and any more than a number of bytes.
func (s *source) line(limit int) (line []byte, cut bool, err error) {
	for {
		piece, err := s.next()
		if err != nil {
			if len(line) > 0 {
				return line, cut, nil // the error comes again
			}
			return nil, cut, err
		}
		body, ending := cutEnding(piece)
		keep := min(len(body), limit-len(line))
		cut = cut || keep < len(body)
		line = append(line, body[:keep]...)
		if ending != nil || s.lineStart {
			return line, cut, nil
		}
	}
}

// peekLine returns the beginning of the next line without reading it. There is none where the part has ended.
func (s *source) peekLine() (line []byte, there bool) {
	if s.stopped() {
		return nil, false
	}
	start, _ := s.in.Peek(1024) // the error comes again
	if len(start) == 0 {
		return nil, false
	}
	if i := bytes.IndexByte(start, '\n'); i >= 0 {
		start = start[:i+1]
	}
	if level, _ := s.boundary(start); level >= 0 {
		return nil, false
	}
	body, _ := cutEnding(start)
	return body, true
}

// drain skips the rest of the current part.
func (s *source) drain() error {
	for {
		if _, err := s.next(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
