package tnef_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/holesalemart/supportdesk/internal/inbound/tnef"
)

// stream writes TNEF.
type stream struct{ bytes.Buffer }

func newStream() *stream {
	s := &stream{}
	s.WriteString("\x78\x9f\x3e\x22\x01\x00")
	return s
}

func (s *stream) attribute(level byte, id uint32, data []byte) {
	s.WriteByte(level)
	s.Write(binary.LittleEndian.AppendUint32(nil, id))
	s.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(data))))
	s.Write(data)
	s.WriteString("\x00\x00") // a checksum, which is not checked
}

// property is one of MAPI: a tag, and a string (8 bits or UTF-16 by the tag) or bytes.
type property struct {
	tag   uint32
	value string
}

func properties(all ...property) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(all)))
	for _, p := range all {
		b = binary.LittleEndian.AppendUint32(b, p.tag)
		if p.tag>>16 >= 0x8000 { // a name: a GUID, kind 1, its length and its letters
			b = append(b, make([]byte, 16)...)
			b = append(b, "\x01\x00\x00\x00\x06\x00\x00\x00a\x00b\x00\x00\x00\x00\x00"...)
		}
		value := []byte(p.value)
		switch p.tag & 0xffff {
		case 0x0003:
			b = append(b, value...)
			continue
		case 0x001f:
			value = nil
			for _, unit := range utf16.Encode([]rune(p.value + "\x00")) {
				value = binary.LittleEndian.AppendUint16(value, unit)
			}
		}
		b = binary.LittleEndian.AppendUint32(b, 1)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
		b = append(b, value...)
		b = append(b, make([]byte, (4-len(value)%4)%4)...)
	}
	return b
}

// read returns what is read, and the contents of files by their index.
func read(t *testing.T, in io.Reader) (tnef.Mail, map[int]string, error) {
	t.Helper()
	contents := map[int]string{}
	m, err := tnef.Read(in, func(n int, content io.Reader) error {
		b, err := io.ReadAll(content)
		contents[n] = string(b)
		return err
	})
	return m, contents, err
}

// rtf is in a form of LZFu that compresses nothing, or MELA.
func packed(magic, rtf string) string {
	body := rtf
	if magic == "LZFu" {
		var b strings.Builder
		for chunk := range slices.Chunk([]byte(rtf), 8) {
			b.WriteByte(0)
			b.Write(chunk)
		}
		body = b.String()
	}
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(body)+12))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(rtf)))
	return string(head) + magic + "\x00\x00\x00\x00" + body
}

func mail() *stream {
	s := newStream()
	s.attribute(1, 0x00069007, []byte("\xe3\x04\x00\x00\x00\x00\x00\x00")) // code page 1251
	s.attribute(1, 0x00018004, []byte("\xcf\xf0\xe8\xe2\xe5\xf2\x00"))
	s.attribute(1, 0x00069003, properties(property{0x10f40003, "\x01\x00\x00\x00"},
		property{0x8001001f, "named"}, property{0x1000001f, "Hello ☂"}))
	s.attribute(2, 0x00069002, make([]byte, 14))
	s.attribute(2, 0x0006800f, []byte("first content"))
	s.attribute(2, 0x00018010, []byte("SHORT~1.TXT\x00"))
	s.attribute(2, 0x00069005, properties(property{0x3707001f, "a long näme.txt"}, property{0x370e001e, "Text/Plain\x00"},
		property{0x3712001e, "<one@x>\x00"}))
	s.attribute(2, 0x00069002, make([]byte, 14))
	s.attribute(2, 0x00018010, []byte("b.bin\x00"))
	s.attribute(2, 0x0006800f, []byte{0, 1, 2})
	return s
}

func TestRead_returnsWordsAndFilesWithTheirNames(t *testing.T) {
	m, contents, err := read(t, mail())
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject != "Привет" || m.Text != "Hello ☂" {
		t.Errorf("words: %+v", m)
	}
	want := []tnef.File{{Name: "a long näme.txt", Type: "text/plain", ContentID: "one@x"}, {Name: "b.bin"}}
	if !slices.Equal(m.Files, want) || contents[0] != "first content" || contents[1] != "\x00\x01\x02" {
		t.Errorf("files: %+v %v", m.Files, contents)
	}
}

// The code page of the HTML is another one than that of names and plain text, and stands below it.
func TestRead_decodesHTMLByItsOwnCodePage(t *testing.T) {
	for _, c := range []struct{ html, page string }{
		{"<p>Vážená ☂</p>", "\xe9\xfd\x00\x00"},               // 65001
		{"<p>Vážená ☂</p>", "\xe4\x04\x00\x00"},               // 1252, and not true
		{"<p>V\xe1\x9een\xe1</p>", "\xe2\x04\x00\x00"},        // 1250
		{"<p>\x1b$B%F%9%H\x1b(B</p>\x00", "\x2c\xc4\x00\x00"}, // 50220
		{"<p>\xd2\xe5\xf1\xf2</p>", ""},                       // of the mail: 1251
	} {
		s := newStream()
		s.attribute(1, 0x00069007, []byte("\xe3\x04\x00\x00\x00\x00\x00\x00"))
		all := []property{{0x1000001e, "\xcf\xf0\xe8\xe2\xe5\xf2\x00"}, {0x10130102, c.html}}
		if c.page != "" {
			all = append(all, property{0x3fde0003, c.page})
		}
		s.attribute(1, 0x00069003, properties(all...))
		m, _, err := read(t, s)
		want := []string{"<p>Vážená ☂</p>", "<p>Vážená</p>", "<p>テスト</p>", "<p>Тест</p>"}
		if err != nil || m.Text != "Привет" || !slices.Contains(want, m.HTML) {
			t.Errorf("%q in %q becomes %q, %q, %v", c.html, c.page, m.HTML, m.Text, err)
		}
	}
}

func TestRead_returnsTheWordsOfRTF(t *testing.T) {
	const rtf = `{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\htmltag64 <p>}caf\'e9 \u8364?\par {\b bold} \{x\}\tab y}`
	for _, magic := range []string{"MELA", "LZFu"} {
		s := newStream()
		s.attribute(1, 0x00069003, properties(property{0x10090102, packed(magic, rtf)}))
		m, _, err := read(t, s)
		if want := "café €\nbold {x}\ty"; err != nil || m.Text != want {
			t.Errorf("%s: %q, %v", magic, m.Text, err)
		}
	}
}

// The example of MS-OXRTFCP 4.1.1 and of 4.1.2, where a reference reads what it writes.
func TestRead_decompressesReferences(t *testing.T) {
	examples := map[string]string{
		"\x2d\x00\x00\x00\x2b\x00\x00\x00LZFu\xf1\xc5\xc7\xa7\x03\x00\x0a\x00rcpg125B\x32\x0a\xf3 hel\x09\x00 bw\x05\xb0ld}\x0a\x80\x0f\xa0": "hello world",
		"\x1a\x00\x00\x00\x1c\x00\x00\x00LZFu\xe2\xd4\x4b\x51\x41\x00\x04 WXYZ\x0d\x6e\x7d\x01\x0e\xb0":                                      "WXYZWXYZWXYZWXYZWXYZ",
	}
	for rtf, want := range examples {
		s := newStream()
		s.attribute(1, 0x00069003, properties(property{0x10090102, rtf}))
		if m, _, err := read(t, s); err != nil || m.Text != want {
			t.Errorf("%q, %v, want %q", m.Text, err, want)
		}
	}
}

func TestRead_returnsAMailWithinAsAFile(t *testing.T) {
	s := newStream()
	s.attribute(2, 0x00069002, make([]byte, 14))
	s.attribute(2, 0x00069005, properties(property{0x3701000d, strings.Repeat("i", 16) + mail().String()}))
	m, contents, err := read(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Files) != 3 || m.Files[0].Name != "Привет.txt" || contents[0] != "Hello ☂" || m.Files[1].Name != "a long näme.txt" ||
		contents[1] != "first content" {
		t.Errorf("files: %+v %v", m.Files, contents)
	}
}

func TestRead_keepsWhatIsBeforeTheDamage(t *testing.T) {
	whole := mail().String()
	for n := range len(whole) {
		m, contents, err := read(t, strings.NewReader(whole[:n]))
		if err != nil && !errors.Is(err, tnef.ErrFormat) {
			t.Errorf("cut at %d: %v", n, err)
		}
		if len(m.Files) != len(contents) {
			t.Errorf("cut at %d: %d files, %d contents", n, len(m.Files), len(contents))
		}
	}
	m, _, err := read(t, strings.NewReader(whole[:len(whole)-3]))
	if !errors.Is(err, tnef.ErrFormat) || m.Text != "Hello ☂" || len(m.Files) != 2 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestRead_boundsWhatItIsTold(t *testing.T) {
	huge := newStream()
	huge.WriteString("\x01\x03\x90\x06\x00\xff\xff\xff\xff\xff\xff\xff\xff") // an attribute of 4 GiB with as many properties
	if _, _, err := read(t, huge); !errors.Is(err, tnef.ErrFormat) {
		t.Errorf("huge: %v", err)
	}
	full := errors.New("no space left")
	_, err := tnef.Read(mail(), func(int, io.Reader) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("file's error became %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(mail().Bytes())
	s := newStream()
	s.attribute(1, 0x00069003, properties(property{0x10090102, packed("LZFu", `{\rtf1 {\*\x} a\u8364?\'e9\bin3 abc}`)}))
	f.Add(s.Bytes())
	s = newStream()
	s.attribute(2, 0x00069005, properties(property{0x3701000d, strings.Repeat("i", 16) + mail().String()}))
	f.Add(s.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		calls := 0
		m, err := tnef.Read(bytes.NewReader(in), func(_ int, content io.Reader) error {
			calls++
			_, err := io.Copy(io.Discard, content)
			return err
		})
		if err != nil && !errors.Is(err, tnef.ErrFormat) {
			t.Errorf("error %v", err)
		}
		if calls > len(m.Files) {
			t.Errorf("%d contents of %d files", calls, len(m.Files))
		}
	})
}
