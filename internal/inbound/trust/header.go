package trust

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"strings"

	"golang.org/x/net/idna"
)

// The limits of a header. Verifying a signature takes time in proportion to the number of fields and of signed names.
const (
	maxHeader = 256 << 10 // bytes
	maxFields = 1000
)

// headerProblem is a header that is not checked, a sentence for staff.
type headerProblem string

func (p headerProblem) Error() string { return string(p) }

// field is a header field. Its value may have several lines.
type field struct{ name, value string }

func (f field) is(name string) bool { return strings.EqualFold(f.name, name) }

// header is the header of a mail.
type header struct {
	raw    []byte // with its empty line, all lines ending in CRLF
	fields []field
}

// readHeader reads a header and returns it with the rest of the mail.
func readHeader(r io.Reader) (header, io.Reader, error) {
	buffered := bufio.NewReader(r)
	var h header
	for {
		line, err := readLine(buffered, maxHeader-len(h.raw))
		if err != nil && !errors.Is(err, io.EOF) {
			return h, nil, err
		}
		end := err != nil || len(line) == 0
		if len(line) > 0 {
			if err := h.add(line); err != nil {
				return h, nil, err
			}
		}
		if end {
			h.raw = append(h.raw, "\r\n"...)
			return h, buffered, nil
		}
	}
}

// readLine reads a line without its end.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > limit {
			return nil, headerProblem("The header of the email is too large to be checked.")
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read mail: %w", err)
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		return bytes.TrimSuffix(line, []byte("\r")), err
	}
}

func (h *header) add(line []byte) error {
	if bytes.ContainsAny(line, "\r\x00") {
		return headerProblem("The header of the email contains control characters that programs read differently.")
	}
	h.raw = append(append(h.raw, line...), "\r\n"...)
	if len(h.fields) > 0 && (line[0] == ' ' || line[0] == '\t') {
		last := &h.fields[len(h.fields)-1]
		last.value += "\r\n" + string(line)
		return nil
	}
	if len(h.fields) == maxFields {
		return headerProblem("The header of the email has too many fields to be checked.")
	}
	name, value, ok := strings.Cut(string(line), ":")
	if !ok {
		name, value = "", string(line)
	}
	h.fields = append(h.fields, field{strings.TrimSpace(name), value})
	return nil
}

var errFrom error = headerProblem("From can be read in different ways.")

// from returns the address in From, with its domain in the form that canonical returns. It returns "" if there is none, and
// an error if there is more than one, or one that cannot be read.
func (h header) from() (string, error) {
	var value string
	n := 0
	for _, f := range h.fields {
		if f.is("From") {
			value = f.value
			n++
		}
	}
	if n > 1 {
		return "", headerProblem("The email has several From fields.")
	}
	if n == 0 || !strings.Contains(value, "@") {
		return "", nil
	}
	address, err := parseFrom(strings.ReplaceAll(value, "\r\n", ""))
	if err != nil {
		return "", err
	}
	local, domain, _ := cutAddress(address)
	if domain = canonical(domain); domain == "" {
		return "", errFrom
	}
	return local + "@" + domain, nil
}

// anyCharset lets names of any character set pass: they are not read.
var anyCharset = &mail.AddressParser{WordDecoder: &mime.WordDecoder{
	CharsetReader: func(_ string, input io.Reader) (io.Reader, error) { return input, nil },
}}

// parseFrom returns the only address of a From field. Names that break the rules, as those of many programs do, are
// skipped if nothing in them can be taken for an address.
func parseFrom(value string) (string, error) {
	all, err := anyCharset.ParseList(value)
	switch {
	case err == nil && len(all) == 1:
		return all[0].Address, nil
	case err == nil:
		return "", headerProblem("The email names several authors.")
	}
	name, rest, ok := strings.Cut(strings.TrimSpace(value), "<")
	inner, closed := strings.CutSuffix(rest, ">")
	if !ok || !closed || strings.ContainsAny(name, "@<>") || strings.ContainsAny(inner, "<>") {
		return "", errFrom
	}
	address, err := mail.ParseAddress("<" + inner + ">")
	if err != nil {
		return "", errFrom
	}
	return address.Address, nil
}

// canonical returns a domain in ASCII and lower case without a final dot, or "" if it is none.
func canonical(domain string) string {
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(strings.ToLower(domain), "."))
	if err != nil || !validName(ascii) {
		return ""
	}
	return ascii
}
