package tnef

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// rtfText returns the text of RTF without its formatting.
func rtfText(rtf []byte) string {
	p := rtfParser{in: rtf, page: 1252, state: rtfState{skip: 1}}
	for len(p.in) > 0 {
		p.step()
	}
	p.flush()
	return strings.TrimSpace(p.out.String())
}

// maxGroups is how deep groups are followed. What is deeper is read in the state of the last one.
const maxGroups = 200

type rtfParser struct {
	in     []byte
	out    strings.Builder
	page   int
	bytes  []byte   // of the code page, not yet decoded
	units  []uint16 // of Unicode, not yet decoded
	state  rtfState
	groups []rtfState
	deeper int
	spare  int // characters to skip, which repeat one of Unicode for old programs
}

// rtfState is what a group inherits.
type rtfState struct {
	hidden bool // the group is no text
	skip   int  // how many characters stand for one of Unicode
}

func (p *rtfParser) step() {
	c := p.in[0]
	p.in = p.in[1:]
	switch c {
	case '{':
		p.flush()
		p.spare = 0
		if len(p.groups) < maxGroups {
			p.groups = append(p.groups, p.state)
		} else {
			p.deeper++
		}
	case '}':
		p.flush()
		p.spare = 0
		switch {
		case p.deeper > 0:
			p.deeper--
		case len(p.groups) > 0:
			p.state = p.groups[len(p.groups)-1]
			p.groups = p.groups[:len(p.groups)-1]
		}
	case '\\':
		p.control()
	case '\r', '\n', 0:
	default:
		p.char(c)
	}
}

// char writes a byte of the code page.
func (p *rtfParser) char(c byte) {
	switch {
	case p.spare > 0:
		p.spare--
	case !p.state.hidden:
		p.writeUnits()
		p.bytes = append(p.bytes, c)
	}
}

// control reads a control word or symbol.
func (p *rtfParser) control() {
	if len(p.in) == 0 {
		return
	}
	c := p.in[0]
	if !letter(c) {
		p.in = p.in[1:]
		p.symbol(c)
		return
	}
	n := 0
	for n < len(p.in) && n < 40 && letter(p.in[n]) {
		n++
	}
	word := string(p.in[:n])
	p.in = p.in[n:]
	n = 0
	for n < len(p.in) && n < 12 && (p.in[n] >= '0' && p.in[n] <= '9' || n == 0 && p.in[n] == '-') {
		n++
	}
	value, err := strconv.Atoi(string(p.in[:n]))
	p.in = p.in[n:]
	if len(p.in) > 0 && p.in[0] == ' ' {
		p.in = p.in[1:]
	}
	p.word(word, value, err == nil)
}

func (p *rtfParser) symbol(c byte) {
	switch c {
	case '\'':
		if len(p.in) < 2 {
			return
		}
		value, err := strconv.ParseUint(string(p.in[:2]), 16, 8)
		if err == nil {
			p.in = p.in[2:]
			p.char(byte(value))
		}
	case '*':
		p.state.hidden = true
	case '~':
		p.write("\u00a0")
	case '_':
		p.write("-")
	case '\r', '\n':
		p.write("\n")
	case '\\', '{', '}':
		p.char(c)
	}
}

func (p *rtfParser) word(word string, value int, has bool) {
	switch word {
	case "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "headerl", "headerr", "footerl", "footerr",
		"fldinst", "themedata", "datastore", "listtable", "listoverridetable", "rsidtbl", "generator", "filetbl", "revtbl", "xmlnstbl":
		p.state.hidden = true
	case "par", "line", "sect", "page", "row":
		p.write("\n")
	case "tab", "cell":
		p.write("\t")
	case "emdash":
		p.write("—")
	case "endash":
		p.write("–")
	case "bullet":
		p.write("•")
	case "lquote", "rquote":
		p.write("'")
	case "ldblquote", "rdblquote":
		p.write(`"`)
	case "ansicpg":
		p.page = value
	case "uc":
		p.state.skip = max(0, min(value, 10))
	case "u":
		if !has {
			return
		}
		if !p.state.hidden {
			p.writeBytes()
			p.units = append(p.units, uint16(value)) // negative above 32,767
		}
		p.spare = p.state.skip
	case "bin":
		p.in = p.in[min(max(0, value), len(p.in)):]
	}
}

func (p *rtfParser) write(s string) {
	if !p.state.hidden {
		p.flush()
		p.out.WriteString(s)
	}
	p.spare = 0
}

func (p *rtfParser) flush() {
	p.writeBytes()
	p.writeUnits()
}

func (p *rtfParser) writeBytes() {
	if len(p.bytes) > 0 {
		p.out.WriteString(decode(p.bytes, p.page))
		p.bytes = p.bytes[:0]
	}
}

func (p *rtfParser) writeUnits() {
	if len(p.units) > 0 {
		p.out.WriteString(string(utf16.Decode(p.units)))
		p.units = p.units[:0]
	}
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
