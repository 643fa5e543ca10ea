package message

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
)

// base64Reader decodes base64 as far as it goes: it skips what is none, and goes on after padding.
type base64Reader struct {
	in      *bufio.Reader
	quantum uint32
	sextets int
	padded  bool
	rest    bool // skip the rest of the line
	ended   bool
	broken  bool
	out     []byte
	store   [3072]byte
}

func newBase64(in io.Reader) *base64Reader {
	return &base64Reader{in: bufio.NewReaderSize(in, 4096)}
}

func (b *base64Reader) Read(p []byte) (int, error) {
	for len(b.out) == 0 {
		if b.ended {
			return 0, io.EOF
		}
		if err := b.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}

func (b *base64Reader) fill() error {
	b.out = b.store[:0]
	for len(b.out) < len(b.store)-3 && !b.ended {
		c, err := b.in.ReadByte()
		if errors.Is(err, io.EOF) {
			b.flush()
			b.ended = true
			return nil
		}
		if err != nil {
			return err
		}
		b.decode(c)
	}
	return nil
}

func (b *base64Reader) decode(c byte) {
	switch v := sextet(c); {
	case c == '\n':
		if b.padded {
			b.endAtText()
		}
		b.rest = false
	case b.rest:
		b.broken = b.broken || c != ' ' && c != '\t' && c != '\r'
	case v >= 0:
		b.quantum = b.quantum<<6 | uint32(v)
		b.sextets++
		b.padded = false
		if b.sextets == 4 {
			b.out = append(b.out, byte(b.quantum>>16), byte(b.quantum>>8), byte(b.quantum))
			b.quantum, b.sextets = 0, 0
		}
	case c == '=':
		b.flush()
		b.padded = true
	case c == ' ' || c == '\t' || c == '\r':
		b.rest = b.padded // nothing of the same line counts
	default:
		b.broken = true
		b.rest = b.padded
	}
}

// endAtText ends at text that somebody appended, such as a mailing list.
func (b *base64Reader) endAtText() {
	start, _ := b.in.Peek(1000) // an error comes again
	start = bytes.TrimLeft(start, "\r\n")
	if line, _, _ := bytes.Cut(start, lf); !lineOfBase64(line) {
		b.broken, b.ended = true, true
	}
}

// flush decodes what is left of a group of four.
func (b *base64Reader) flush() {
	switch b.sextets {
	case 1:
		b.broken = true
	case 2:
		b.out = append(b.out, byte(b.quantum>>4))
	case 3:
		b.out = append(b.out, byte(b.quantum>>10), byte(b.quantum>>2))
	}
	b.quantum, b.sextets = 0, 0
}

func sextet(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

// likeBase64 reports whether text can be base64: most of its lines are, up to the padding.
func likeBase64(start []byte) bool {
	good, bad := 0, 0
	for line := range bytes.Lines(start) {
		switch line = bytes.TrimSpace(line); {
		case len(line) == 0:
		case lineOfBase64(line):
			good++
		default:
			bad++
		}
		if bytes.HasSuffix(line, []byte("=")) {
			break
		}
	}
	return bad <= good
}

// lineOfBase64 reports whether a line has no characters that base64 has not, but for a few that damage put there, and no
// spaces within.
func lineOfBase64(line []byte) bool {
	line, _, _ = bytes.Cut(bytes.TrimSpace(line), []byte("="))
	bad := 0
	for _, c := range line {
		if c == ' ' || c == '\t' {
			return false
		}
		if sextet(c) < 0 {
			bad++
		}
	}
	return bad*16 <= len(line)
}

var quotedByte = regexp.MustCompile(`=[0-9A-F]{2}`)

// guessEncoding returns the transfer encoding that a body seems to have.
func guessEncoding(start []byte) string {
	text := bytes.TrimSpace(start)
	clean := bytes.Map(func(c rune) rune {
		if c == '\r' || c == '\n' {
			return -1
		}
		return c
	}, text)
	isBase64 := len(clean) >= 8 && (len(clean)%4 == 0 || len(start) >= 1000)
	for _, c := range bytes.TrimRight(clean, "=") {
		isBase64 = isBase64 && sextet(c) >= 0
	}
	switch {
	case isBase64:
		return "base64"
	case len(quotedByte.FindAll(text, 3)) >= 3:
		return "quoted-printable"
	}
	return ""
}

// quotedReader decodes quoted-printable and leaves what is none as it is.
type quotedReader struct {
	in     *bufio.Reader
	carry  []byte
	broken bool
	out    bytes.Buffer
}

func newQuoted(in io.Reader) *quotedReader {
	return &quotedReader{in: bufio.NewReaderSize(in, 4096)}
}

func (q *quotedReader) Read(p []byte) (int, error) {
	for q.out.Len() == 0 {
		line, err := q.in.ReadSlice('\n')
		if err != nil && len(line) == 0 && len(q.carry) == 0 {
			return 0, err
		}
		if len(q.carry) > 0 {
			line = append(q.carry, line...)
			q.carry = nil
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			line = q.carryOver(line)
		}
		q.decode(line)
	}
	return q.out.Read(p)
}

// carryOver returns a piece of a long line without an escape at its end that goes on in the next one.
func (q *quotedReader) carryOver(line []byte) []byte {
	i := bytes.LastIndexByte(line, '=')
	if i < 0 || i < len(line)-2 {
		return line
	}
	q.carry = append([]byte{}, line[i:]...)
	return line[:i]
}

func (q *quotedReader) decode(line []byte) {
	body, ending := cutEnding(line)
	if ending != nil {
		body = bytes.TrimRight(body, " \t\r")
	}
	if soft, is := bytes.CutSuffix(body, []byte("=")); is {
		body, ending = soft, nil
	}
	for len(body) > 0 {
		i := bytes.IndexByte(body, '=')
		if i < 0 {
			break
		}
		q.out.Write(body[:i])
		body = body[i:]
		if len(body) >= 3 && unhex(body[1]) >= 0 && unhex(body[2]) >= 0 {
			q.out.WriteByte(byte(unhex(body[1])<<4 | unhex(body[2])))
			body = body[3:]
			continue
		}
		q.broken = true
		q.out.WriteByte('=')
		body = body[1:]
	}
	q.out.Write(body)
	q.out.Write(ending)
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// transferEncoding returns the encoding that a field means, "" for none and "?" for an unknown one.
func transferEncoding(field string) string {
	word, _, _ := strings.Cut(strings.ToLower(field), ";")
	word = strings.Trim(word, " \t\"'")
	switch {
	case strings.Contains(word, "base64") || word == "b" || word == "base-64":
		return "base64"
	case strings.Contains(word, "quoted") || word == "q" || word == "qp":
		return "quoted-printable"
	case strings.Contains(word, "uue") || word == "x-uu":
		return "uuencode"
	case word == "" || strings.HasPrefix(word, "7") || strings.HasPrefix(word, "8") || strings.HasPrefix(word, "bin") || word == "none":
		return ""
	}
	return "?"
}
