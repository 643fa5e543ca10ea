package message

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
)

// smime reads S/MIME without MIME around it (RFC 8551): a mail that is encrypted is a file, and from one that is signed the
// words are read, too. The signature is not verified.
func (r *reader) smime(body *bufio.Reader, p part, depth int) (words, error) {
	start, err := readSome(body, maxOpaque)
	if err != nil {
		return words{}, err
	}
	kind := contentType(start)
	if kind == nil && likeBase64(start[:min(len(start), 1000)]) { // some programs forget to say so
		if decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(start)), "")); err == nil {
			start, kind = decoded, contentType(decoded)
		}
	}
	if p.name == "" {
		p.name = "smime.p7m"
	}
	if len(start) == maxOpaque {
		r.problem("The signed email is very long. Only its beginning was read. All of it is in the file %s.", p.name)
	}
	if err := r.file(p, io.MultiReader(bytes.NewReader(start), body)); err != nil {
		return words{}, err
	}
	switch {
	case bytes.Equal(kind, signedData):
		r.Signed = true
	case bytes.Equal(kind, compressedData):
		return words{}, nil
	default:
		if kind == nil {
			r.problem("The S/MIME part %s is damaged.", p.name)
		}
		r.Encrypted = true
		return words{}, nil
	}
	inner := signedContent(start)
	if inner == nil || depth >= maxDepth {
		r.problem("The email within the signature can't be read. It is in the file %s.", p.name)
		return words{}, nil
	}
	return r.entity(innerSource(bytes.NewReader(inner)), "", depth+1)
}

// Object identifiers of CMS (RFC 5652) and of compressed data (RFC 3274), as they are encoded.
var (
	signedData     = []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
	compressedData = []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09")
)

// Tags of BER.
const (
	tagOctets     = 0x04
	tagIdentifier = 0x06
	constructed   = 0x20
	tagSequence   = 0x30
	tagExplicit   = 0xa0
)

// contentType returns the object identifier that CMS begins with; nil: it is none.
func contentType(b []byte) []byte {
	outer, err := cutTag(b, tagSequence)
	if err != nil {
		return nil
	}
	identifier, err := cutTag(outer, tagIdentifier)
	if err != nil {
		return nil
	}
	return identifier
}

// signedContent returns the content of signed data; nil: there is none.
func signedContent(b []byte) []byte {
	path := []struct {
		tag  byte
		skip int // values before it
	}{
		{tagSequence, 0}, // ContentInfo
		{tagExplicit, 1}, // its content, after the type
		{tagSequence, 0}, // SignedData
		{tagSequence, 2}, // its encapContentInfo, after version and algorithms
		{tagExplicit, 1}, // its eContent, after the type
	}
	for _, step := range path {
		for range step.skip {
			var err error
			if _, _, b, err = cutValue(b); err != nil {
				return nil
			}
		}
		var err error
		if b, err = cutTag(b, step.tag); err != nil {
			return nil
		}
	}
	tag, value, _, err := cutValue(b)
	if err != nil {
		return nil
	}
	return octets(tag, value)
}

// octets returns a string of octets, which may consist of several.
func octets(tag byte, value []byte) []byte {
	if tag == tagOctets {
		return value
	}
	if tag != tagOctets|constructed {
		return nil
	}
	var all []byte
	for len(value) > 0 {
		tag, piece, rest, err := cutValue(value)
		if err != nil || tag != tagOctets {
			break
		}
		all = append(all, piece...)
		value = rest
	}
	return all
}

var errBER = errors.New("malformed BER")

// cutTag returns the value that b begins with, which must have a tag.
func cutTag(b []byte, want byte) (value []byte, err error) {
	tag, value, _, err := cutValue(b)
	if err == nil && tag != want {
		err = errBER
	}
	return value, err
}

// cutValue reads one value of BER. One of indefinite length extends to its end marker, or to the end where it is cut off.
func cutValue(b []byte) (tag byte, value, rest []byte, err error) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, nil, nil, errBER
	}
	tag, length, b := b[0], int(b[1]), b[2:]
	switch {
	case length == 0x80:
		n := indefinite(b, 0)
		return tag, b[:n], b[min(n+2, len(b)):], nil
	case length > 0x80:
		n := length & 0x7f
		if n > 4 || n > len(b) {
			return 0, nil, nil, errBER
		}
		length = 0
		for _, c := range b[:n] {
			length = length<<8 | int(c)
		}
		b = b[n:]
	}
	length = min(length, len(b)) // what was cut off is missing at the end
	return tag, b[:length], b[length:], nil
}

// indefinite returns how long the values up to the end marker are.
func indefinite(b []byte, depth int) int {
	n := 0
	for n+1 < len(b) && (b[n] != 0 || b[n+1] != 0) {
		if b[n+1] == 0x80 {
			if depth > 20 {
				return len(b)
			}
			n += 2
			n = min(n+indefinite(b[n:], depth+1)+2, len(b))
			continue
		}
		_, _, rest, err := cutValue(b[n:])
		if err != nil {
			return len(b)
		}
		n = len(b) - len(rest)
	}
	return n
}
