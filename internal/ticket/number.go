package ticket

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"unicode"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Number identifies a ticket and its workflow: a prefix, a hyphen and 50 random bits as ten characters of Crockford's
// base 32 (https://www.crockford.com/base32.html), such as HM-7Q2K9XM4TD.
type Number string

// PersonID identifies a person without naming them: P- and 50 random bits, encoded as in Number.
type PersonID string

const (
	crockford  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeLength = 10
	maxPrefix  = 8
)

// NewNumber returns a random number with the given prefix. A collision is unlikely but possible, so the caller must store
// it under a unique constraint and retry.
func NewNumber(prefix string) Number { return Number(prefix + "-" + newCode()) }

// NewPersonID returns a random ID.
func NewPersonID() PersonID { return PersonID("P-" + newCode()) }

// ParseNumber parses a number as people type it: in any case, with I or L for 1, O for 0, and surrounding space. It
// returns a NotFound fault for what cannot be a number, so that callers need not distinguish it from an unknown one.
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

// ReadNumber parses what people enter into a field for a number. Beyond what ParseNumber accepts, prefix and hyphen may
// be missing, other dashes may be used, and spaces may be anywhere. prefix is that of new tickets. It returns an Invalid
// fault that says what is wrong with the number.
func ReadNumber(prefix, typed string) (Number, error) {
	if n, err := ParseNumber(typed); err == nil { // tickets may have older prefixes
		return n, nil
	}
	code := lookalikes.Replace(strings.ToUpper(strings.Map(dropSeparator, typed)))
	rest, prefixed := strings.CutPrefix(code, lookalikes.Replace(prefix))
	if prefixed && (len(code) > codeLength || strings.ContainsFunc(typed, isDash)) {
		code = rest
	}
	for _, r := range code {
		if !strings.ContainsRune(crockford, r) {
			return "", invalidNumber("“%c” is not used in ticket numbers", r)
		}
	}
	switch len(code) {
	case codeLength:
		return Number(prefix + "-" + code), nil
	case 0:
		return "", invalidNumber("enter a ticket number, such as %s-7Q2K9XM4TD", prefix)
	default:
		return "", invalidNumber("a ticket number has %d letters and digits after %s-, but this one has %d", codeLength, prefix, len(code))
	}
}

func invalidNumber(format string, args ...any) error { return fault.Field("number", format, args...) }

// lookalikes replaces letters that look like digits.
var lookalikes = strings.NewReplacer("I", "1", "L", "1", "O", "0")

// dropSeparator is a mapping for strings.Map that drops separators and invisible characters.
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
	rand.Read(random[:]) // never fails since Go 1.24
	bits := binary.BigEndian.Uint64(random[:])
	code := make([]byte, codeLength)
	for i := range code {
		code[i] = crockford[bits&31]
		bits >>= 5
	}
	return string(code)
}
