package tnef

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// Properties of MAPI, of which thousands exist.
const (
	propertySubject   = 0x0037
	propertyBody      = 0x1000
	propertyRTF       = 0x1009
	propertyHTML      = 0x1013
	propertyName      = 0x3001
	propertyObject    = 0x3701
	propertyShortName = 0x3704
	propertyLongName  = 0x3707
	propertyMediaType = 0x370e
	propertyContentID = 0x3712
	propertyCodepage  = 0x3fde
)

// Types of properties.
const (
	typeObject  = 0x000d
	typeString8 = 0x001e
	typeString  = 0x001f
	typeBinary  = 0x0102
	typeMany    = 0x1000 // several values
	firstNamed  = 0x8000
)

// properties reads the properties of the mail or of a file.
func (r *reader) properties(body *io.LimitedReader, ofFile bool) error {
	count, err := number(body)
	if err != nil {
		return err
	}
	if count > maxFields {
		return fmt.Errorf("%w: it has %d properties", ErrFormat, count)
	}
	for range count {
		tag, err := number(body)
		if err != nil {
			return err
		}
		kind, id := int(tag&0xffff), int(tag>>16)
		if id >= firstNamed {
			if err := skipName(body); err != nil {
				return err
			}
		}
		if err := r.values(body, kind, id, ofFile); err != nil {
			return err
		}
	}
	return nil
}

// skipName skips the name of a named property.
func skipName(body io.Reader) error {
	var head [20]byte // a GUID and the kind of the name
	if err := full(body, head[:]); err != nil {
		return err
	}
	n, err := number(body) // the name itself, or its length
	if err != nil || head[16] == 0 {
		return err
	}
	return discard(body, padded(n))
}

func (r *reader) values(body *io.LimitedReader, kind, id int, ofFile bool) error {
	count := uint32(1)
	many := kind&typeMany != 0
	kind &^= typeMany
	variable := kind == typeObject || kind == typeString8 || kind == typeString || kind == typeBinary
	if many || variable {
		var err error
		if count, err = number(body); err != nil {
			return err
		}
	}
	if count > maxFields {
		return fmt.Errorf("%w: a property has %d values", ErrFormat, count)
	}
	for range count {
		if !variable {
			if err := r.fixed(body, kind, id, count); err != nil {
				return err
			}
			continue
		}
		if err := r.variable(body, kind, id, ofFile); err != nil {
			return err
		}
	}
	return nil
}

// fixed reads a value whose type has a size.
func (r *reader) fixed(body io.Reader, kind, id int, count uint32) error {
	switch kind {
	case 0x0000, 0x0001: // unspecified, null
		return nil
	case 0x0002, 0x000b, 0x0003, 0x0004, 0x000a: // numbers of two and of four bytes, which are padded to four
		n, err := number(body)
		if id == propertyCodepage && count == 1 {
			r.internet = int(n)
		}
		return err
	case 0x0005, 0x0006, 0x0007, 0x0014, 0x0040: // numbers and times
		return discard(body, 8)
	case 0x0048: // GUID
		return discard(body, 16)
	}
	return fmt.Errorf("%w: property %#x has the type %#x", ErrFormat, id, kind)
}

// variable reads a value with a length.
func (r *reader) variable(body *io.LimitedReader, kind, id int, ofFile bool) error {
	n, err := number(body)
	if err != nil {
		return err
	}
	if int64(n) > body.N {
		return fmt.Errorf("%w: property %#x is longer than its attribute", ErrFormat, id)
	}
	value := &io.LimitedReader{R: body, N: int64(n)}
	if ofFile {
		err = r.fileProperty(value, kind, id)
	} else {
		err = r.mailProperty(value, kind, id)
	}
	if err != nil {
		return err
	}
	if err := skip(value); err != nil {
		return err
	}
	return discard(body, min(padded(n)-int64(n), body.N)) // the last one is not always padded
}

func (r *reader) mailProperty(value *io.LimitedReader, kind, id int) error {
	var err error
	switch id {
	case propertySubject:
		r.Subject, err = r.string(value, kind, maxName)
	case propertyBody:
		r.Text, err = r.string(value, kind, maxWords)
	case propertyHTML:
		r.html, err = readSome(value, maxWords)
		if kind == typeString {
			r.html, r.internet = []byte(fromUTF16(r.html)), 65001
		}
	case propertyRTF:
		var packed []byte
		if packed, err = readSome(value, maxWords); err == nil {
			r.rtf = rtfText(unpack(packed))
		}
	}
	return err
}

func (r *reader) fileProperty(value *io.LimitedReader, kind, id int) error {
	if id == propertyObject {
		return r.object(value, kind)
	}
	switch id {
	case propertyName, propertyShortName, propertyLongName, propertyMediaType, propertyContentID:
	default:
		return nil
	}
	text, err := r.string(value, kind, maxName)
	f := r.begun()
	if err != nil || f == nil || text == "" {
		return err
	}
	switch id {
	case propertyLongName:
		f.Name = text
	case propertyName, propertyShortName:
		if f.Name == "" {
			f.Name = text
		}
	case propertyMediaType:
		f.Type = strings.ToLower(text)
	case propertyContentID:
		f.ContentID = strings.Trim(text, "<>")
	}
	return nil
}

// object reads an object in a file's place: another mail, or what another program understands.
func (r *reader) object(value *io.LimitedReader, kind int) error {
	if kind == typeObject {
		if err := discard(value, min(16, value.N)); err != nil { // the interface that reads it
			return err
		}
	}
	var start [4]byte
	n, err := io.ReadFull(value, start[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) { // fewer bytes are another object
		return err
	}
	content := io.MultiReader(strings.NewReader(string(start[:n])), value)
	if !Is(start[:n]) || r.depth >= maxDepth {
		return r.content(content)
	}
	return r.mail(content)
}

// mail reads a mail in a file's place: its words are that file, and its files follow.
func (r *reader) mail(content io.Reader) error {
	if r.begun() == nil {
		return nil
	}
	own, first := r.current, len(r.Files)
	inner, err := read(content, func(n int, content io.Reader) error {
		for len(r.Files) <= first+n && len(r.Files) < maxFiles {
			r.Files = append(r.Files, File{})
		}
		if first+n >= maxFiles {
			return nil
		}
		return r.file(first+n, content)
	}, r.depth+1)
	copy(r.Files[first:], inner.Files)
	if err != nil {
		return err
	}
	r.current, r.passed = own, true
	f, words := &r.Files[own], inner.Text
	f.Type, f.Name = "text/plain", inner.Subject+".txt"
	if blank(words) && !blank(inner.HTML) {
		f.Type, f.Name, words = "text/html", inner.Subject+".html", inner.HTML
	}
	return r.file(own, strings.NewReader(words))
}

// text reads text in the mail's code page.
func (r *reader) text(value io.Reader, limit int64) (string, error) {
	return r.string(value, typeString8, limit)
}

func (r *reader) string(value io.Reader, kind int, limit int64) (string, error) {
	b, err := readSome(value, limit)
	if err != nil {
		return "", err
	}
	if kind == typeString {
		return fromUTF16(b), nil
	}
	return strings.TrimRight(decode(b, r.codepage), "\x00"), nil
}

func fromUTF16(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(b[i:]))
	}
	return strings.TrimRight(string(utf16.Decode(units)), "\x00")
}

func number(in io.Reader) (uint32, error) {
	var b [4]byte
	err := full(in, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

func padded(n uint32) int64 { return (int64(n) + 3) &^ 3 }

func discard(in io.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, in, n)
	return damaged(err)
}

func readSome(in io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(in, limit))
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
