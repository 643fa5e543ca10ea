package attachment

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/holesalemart/supportdesk/internal/text"
)

const (
	// maxName is the longest name in bytes. File systems take 255, and browsers add " (1)" and the like.
	maxName = 200
	// maxExtension is the longest ending, with its dot, that is kept when a name is cut.
	maxExtension = 20
	// maxMarks is how many combining marks a character keeps: what any script needs, and no tower of them.
	maxMarks = 4
	// noName is the name of a file that came without one.
	noName = "file"
)

// blank are letters by their class that show nothing.
const blank = "\u115f\u1160\u2800\u3164\uffa0"

// CleanName returns a name under which a file can be shown and saved anywhere: the last part of a path, valid UTF-8, in
// one line, without control characters, marks that change the direction of text, and what file systems do not allow.
// It keeps the extension, is never empty and at most 200 bytes long. A clean name stays what it is.
func CleanName(name string) string {
	name = lastPart(name)
	name = norm.NFC.String(limitMarks(strings.Map(visible, strings.ToValidUTF8(name, "_"))))
	name = strings.Join(strings.Fields(limitMarks(name)), " ")
	return join(split(join(split(name)))) // again, since a name that was cut can have another extension
}

// lastPart returns what follows the last separator of either kind, except separators at the end.
func lastPart(path string) string {
	path = strings.TrimRight(path, `/\`)
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// visible drops what shows nothing or changes what is next to it, and replaces what Windows does not allow in names.
func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r) || unicode.Is(unicode.Z, r):
		return ' '
	case strings.ContainsRune(`<>:"|?*`, r):
		return '_'
	case !unicode.IsGraphic(r) || strings.ContainsRune(blank, r):
		return -1
	}
	return r
}

// limitMarks drops the combining marks of a character past the first few, and those at the beginning.
func limitMarks(s string) string {
	marks := maxMarks
	return strings.Map(func(r rune) rune {
		if !unicode.Is(unicode.M, r) {
			marks = 0
			return r
		}
		if marks++; marks > maxMarks {
			return -1
		}
		return r
	}, s)
}

// split separates the extension, with its dot, from the rest, which neither begins nor ends with a dot or space.
func split(name string) (stem, extension string) {
	name = strings.TrimRight(name, ". ")
	if i := strings.LastIndexByte(name, '.'); i >= 0 && len(name)-i <= maxExtension && !strings.Contains(name[i:], " ") {
		name, extension = name[:i], name[i:]
	}
	return strings.Trim(name, ". "), extension
}

// join puts a name together that is short enough and not that of a device.
func join(stem, extension string) string {
	stem = strings.TrimLeft(limitMarks(stem), ". ") // without marks that a dot at the beginning had
	if stem == "" {
		stem = noName
	}
	if reserved(stem) {
		stem = "_" + stem
	}
	return strings.TrimRight(text.Truncate(stem, maxName-len(extension)), ". ") + extension
}

// devices are the names that Windows reserves, with any extension.
var devices = []string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}

func reserved(stem string) bool {
	first, _, _ := strings.Cut(stem, ".")
	first = strings.ToUpper(strings.TrimRight(first, " "))
	if slices.Contains(devices, first) {
		return true
	}
	number, port := strings.CutPrefix(first, "COM")
	if !port {
		number, port = strings.CutPrefix(first, "LPT")
	}
	return port && slices.Contains([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"}, number)
}
