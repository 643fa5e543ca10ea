package ticket

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"unicode"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Number identifies a ticket and its workflow: a prefix, a hyphen and 50 random bits as ten characters of
// Crockford's base 32, such as HM-7Q2K9XM4TD.
type Number string

// PersonID identifies a person without naming them: P- and 50 random bits as in Number.
type PersonID string

const (
	crockford  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeLength = 10
	maxPrefix  = 8
)

// NewNumber draws a number with the given prefix. A collision is possible, if hardly: whoever stores it must
// insist on uniqueness and draw again.
func NewNumber(prefix string) Number { return Number(prefix + "-" + newCode()) }

// NewPersonID draws a person's ID.
func NewPersonID() PersonID { return PersonID("P-" + newCode()) }

// ParseNumber accepts what people type: any case, I and L for 1, O for 0, surrounding space. It returns a
// NotFound fault for what can't be a number, because to whoever asks it is one and the same.
func ParseNumber(typed string) (Number, error) {
	prefix, code, ok := strings.Cut(strings.ToUpper(strings.TrimSpace(typed)), "-")
	if !ok || !ValidPrefix(prefix) || len(code) != codeLength {
		return "", errNoTicket
	}
	code = lookalikes.Replace(code)
	if strings.Trim(code, crockford) != "" {
		return "", errNoTicket
	}
	return Number(prefix + "-" + code), nil
}

// ReadNumber accepts what people type or copy into a field for a number: what ParseNumber does, and without its prefix,
// its hyphen, with other dashes and with spaces anywhere. prefix is the one that new tickets get. Its error is Invalid and
// says what is wrong with the number.
func ReadNumber(prefix, typed string) (Number, error) {
	if n, err := ParseNumber(typed); err == nil { // the only way for a prefix of earlier times
		return n, nil
	}
	code := lookalikes.Replace(strings.ToUpper(strings.Map(dropSeparator, typed)))
	rest, prefixed := strings.CutPrefix(code, lookalikes.Replace(prefix))
	if prefixed && (len(code) > codeLength || strings.ContainsFunc(typed, isDash)) {
		code = rest
	}
	for _, r := range code {
		if !strings.ContainsRune(crockford, r) {
			return "", invalidNumber("“%c” does not occur in ticket numbers", r)
		}
	}
	switch len(code) {
	case codeLength:
		return Number(prefix + "-" + code), nil
	case 0:
		return "", invalidNumber("type the ticket’s number, such as %s-7Q2K9XM4TD", prefix)
	default:
		return "", invalidNumber("a number has %d letters and digits after %s-, and this one has %d", codeLength, prefix, len(code))
	}
}

func invalidNumber(format string, args ...any) error { return fault.Field("number", format, args...) }

// lookalikes makes one of letters and digits that look alike.
var lookalikes = strings.NewReplacer("I", "1", "L", "1", "O", "0")

// dropSeparator leaves out what is between the characters of a number, or can't be seen.
func dropSeparator(r rune) rune {
	if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || isDash(r) || strings.ContainsRune("_.:#", r) {
		return -1
	}
	return r
}

func isDash(r rune) bool { return unicode.Is(unicode.Pd, r) || r == '−' }

var errNoTicket = fault.New(fault.NotFound, "there is no such ticket")

// ValidPrefix reports whether a prefix is one to eight capital letters or digits.
func ValidPrefix(prefix string) bool {
	return prefix != "" && len(prefix) <= maxPrefix &&
		strings.Trim(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func newCode() string {
	var random [8]byte
	rand.Read(random[:]) // wantZero fails since Go 1.24
	bits := binary.BigEndian.Uint64(random[:])
	code := make([]byte, codeLength)
	for i := range code {
		code[i] = crockford[bits&31]
		bits >>= 5
	}
	return string(code)
}
