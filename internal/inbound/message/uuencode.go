package message

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
)

var uuBegin = regexp.MustCompile(`^begin(?:-base64)? [0-7]{3,4} (\S[^\r\n]{0,250})\r?\n`)

// beginsUU reports whether a file that is uuencoded begins here.
func beginsUU(in *bufio.Reader) (name string, is bool) {
	start, _ := in.Peek(6) // an error comes again
	if string(start) != "begin " {
		return "", false
	}
	start, _ = in.Peek(512)
	return uuFile(start)
}

// uuFile returns the name of a file that is uuencoded, given its first line and one with as many characters as it says.
func uuFile(start []byte) (name string, is bool) {
	found := uuBegin.FindSubmatch(start)
	if found == nil || !firstUU(start[len(found[0]):]) {
		return "", false
	}
	return string(found[1]), true
}

// firstUU reports whether the first line is uuencoded.
func firstUU(start []byte) bool {
	line, _, whole := bytes.Cut(start, lf)
	return whole && isUU(bytes.TrimRight(line, "\r"))
}

// isUU reports whether a line is uuencoded: its first character is the number of its bytes.
func isUU(line []byte) bool {
	if bytes.Equal(line, []byte("`")) || bytes.Equal(line, []byte("end")) {
		return true
	}
	if len(line) < 2 || line[0] <= ' ' || line[0] > 'M' {
		return false
	}
	n := int(line[0]-' ') & 63
	groups := (n + 2) / 3 * 4
	return len(line)-1 >= groups-3 && len(line)-1 <= groups+2
}

// decodeUU decodes a part that is uuencoded. Lines before its line "begin" are skipped; some programs leave that out. What is not
// uuencoded is returned as it is.
func decodeUU(in *bufio.Reader) io.Reader {
	start, _ := in.Peek(in.Size()) // an error comes again
	if firstUU(start) {
		return &uuReader{in: in, begun: true}
	}
	for at := 0; at < len(start); {
		if _, is := uuFile(start[at:]); is {
			_, _ = in.Discard(at) // it is in the buffer
			return &uuReader{in: in}
		}
		end := bytes.IndexByte(start[at:], '\n')
		if end < 0 {
			break
		}
		at += end + 1
	}
	return in
}

// uuReader decodes a file that is uuencoded, from its line "begin" to its line "end".
type uuReader struct {
	in    *bufio.Reader
	begun bool
	ended bool
	out   []byte
}

func (u *uuReader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.ended {
			return 0, io.EOF
		}
		if u.begun && !u.goesOn() { // what follows is text
			u.ended = true
			continue
		}
		line, err := u.in.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			return 0, err
		}
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return 0, err
		}
		if !u.begun {
			u.begun = true
			continue
		}
		u.decode(bytes.TrimRight(line, "\r\n"))
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// goesOn reports whether the next line is one of the file.
func (u *uuReader) goesOn() bool {
	start, err := u.in.Peek(100)
	line, _, _ := bytes.Cut(start, lf)
	line = bytes.TrimRight(line, "\r")
	return len(line) == 0 && err == nil || isUU(line)
}

func (u *uuReader) decode(line []byte) {
	if len(line) == 0 || bytes.Equal(line, []byte("end")) {
		u.ended = bytes.Equal(line, []byte("end"))
		return
	}
	n := int(line[0]-' ') & 63
	var out []byte
	for group := line[1:]; len(group) > 0 && len(out) < n; {
		var v uint32
		for i := range 4 {
			v <<= 6
			if i < len(group) {
				v |= uint32(group[i]-' ') & 63
			}
		}
		out = append(out, byte(v>>16), byte(v>>8), byte(v))
		group = group[min(4, len(group)):]
	}
	u.out = out[:min(n, len(out))]
}
