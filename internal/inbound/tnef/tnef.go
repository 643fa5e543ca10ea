// Package tnef reads winmail.dat, the form in which Outlook and Exchange send formatted mails and their files
// (MS-OXTNEF). It knows nothing of the mail around it.
package tnef

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of what is kept in memory. Contents of files are not.
const (
	maxWords  = 2 << 20 // bytes of a body
	maxName   = 4 << 10
	maxFiles  = 250
	maxDepth  = 3 // mails within one another
	maxFields = 20_000
)

// ErrFormat means that the rest can't be read. What was read before it is returned, too.
var ErrFormat = errors.New("malformed TNEF")

// Mail is what a winmail.dat contains.
type Mail struct {
	Subject string
	Text    string // the plain text, or what the RTF says
	HTML    string
	Files   []File
}

// File is a file of a mail. Its name follows its content there, which is why it is known only at the end.
type File struct {
	Name      string
	Type      string // such as image/png; empty: not known
	ContentID string
}

// Is reports whether bytes are the beginning of TNEF.
func Is(start []byte) bool { return strings.HasPrefix(string(start), signature) }

const signature = "\x78\x9f\x3e\x22"

// Read reads a winmail.dat in one pass and passes the content of each file on, with its index in Files. The error is
// ErrFormat or one of in or of file, which may leave content unread.
func Read(in io.Reader, file func(n int, content io.Reader) error) (Mail, error) {
	return read(in, file, 0)
}

func read(in io.Reader, file func(n int, content io.Reader) error, depth int) (Mail, error) {
	r := &reader{file: file, codepage: 1252, depth: depth, current: -1}
	err := r.read(in)
	if end := r.endFile(); err == nil {
		err = end
	}
	if blank(r.Text) {
		r.Text = r.rtf
	}
	r.HTML = decodeHTML(r.html, cmp.Or(r.internet, r.codepage))
	return r.Mail, err
}

type reader struct {
	Mail
	file     func(n int, content io.Reader) error
	depth    int
	codepage int
	internet int    // the code page of the HTML, which follows it; 0: it isn't known
	html     []byte // as it came
	rtf      string
	current  int  // the index of the file that names and content belong to; -1: the next one begins with them
	passed   bool // its content was passed on
}

// Attributes, of which others exist.
const (
	attributeSubject    = 0x8004
	attributeBody       = 0x800c
	attributeData       = 0x800f
	attributeTitle      = 0x8010
	attributeRendering  = 0x9002
	attributeProperties = 0x9003
	attributeAttachment = 0x9005
	attributeCodepage   = 0x9007
)

func (r *reader) read(in io.Reader) error {
	var start [6]byte // the signature and a key
	if err := full(in, start[:]); err != nil {
		return err
	}
	if !Is(start[:]) {
		return fmt.Errorf("%w: no signature", ErrFormat)
	}
	for {
		var head [9]byte // level, identity and type, length
		n, err := io.ReadFull(in, head[:])
		if n == 0 && errors.Is(err, io.EOF) || n < len(head) && blank(string(head[:n])) { // a gateway may add a line break
			return nil
		}
		if err != nil {
			return damaged(err)
		}
		body := &io.LimitedReader{R: in, N: int64(binary.LittleEndian.Uint32(head[5:]))}
		if err := r.attribute(int(binary.LittleEndian.Uint16(head[1:])), body); err != nil {
			return err
		}
		if err := skip(body); err != nil {
			return err
		}
		var sum [2]byte // which some programs write wrong
		if err := full(in, sum[:]); err != nil {
			return err
		}
	}
}

func (r *reader) attribute(id int, body *io.LimitedReader) error {
	switch id {
	case attributeCodepage:
		var page [4]byte
		if err := full(body, page[:]); err != nil {
			return err
		}
		r.codepage = int(binary.LittleEndian.Uint32(page[:]))
	case attributeSubject:
		text, err := r.text(body, maxName)
		r.Subject = text
		return err
	case attributeBody:
		text, err := r.text(body, maxWords)
		if r.Text == "" {
			r.Text = text
		}
		return err
	case attributeRendering:
		return r.endFile()
	case attributeData:
		return r.content(body)
	case attributeTitle:
		name, err := r.text(body, maxName)
		if f := r.begun(); f != nil && f.Name == "" {
			f.Name = name
		}
		return err
	case attributeProperties, attributeAttachment:
		return r.properties(body, id == attributeAttachment)
	}
	return nil
}

// begun returns the current file, which is a new one where none has begun; nil: there are too many.
func (r *reader) begun() *File {
	if r.current < 0 {
		if len(r.Files) >= maxFiles {
			return nil
		}
		r.current, r.passed = len(r.Files), false
		r.Files = append(r.Files, File{})
	}
	return &r.Files[r.current]
}

// content passes the content of the current file on, or of another one if it has content.
func (r *reader) content(content io.Reader) error {
	if r.passed {
		r.current = -1
	}
	if r.begun() == nil {
		return nil
	}
	r.passed = true
	return r.file(r.current, content)
}

// endFile ends the current file. One without content is passed on, too, so that its name is not lost.
func (r *reader) endFile() error {
	var err error
	if r.current >= 0 && !r.passed {
		err = r.file(r.current, strings.NewReader(""))
	}
	r.current, r.passed = -1, false
	return err
}

// full reads all of b, or returns ErrFormat.
func full(in io.Reader, b []byte) error {
	_, err := io.ReadFull(in, b)
	return damaged(err)
}

// damaged makes ErrFormat of an end that comes too early.
func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early", ErrFormat)
	}
	return err
}

// skip reads the rest of a value.
func skip(body *io.LimitedReader) error {
	_, err := io.Copy(io.Discard, body)
	if err == nil && body.N > 0 {
		return damaged(io.EOF)
	}
	return err
}
