package account

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Lengths of a password, in characters (NIST SP 800-63B-4, 3.1.1.2, asks for 15 without a second factor's help or 8
// with it; a mail box stands behind every account here).
const (
	MinPassword = 12
	MaxPassword = 128
	minDistinct = 5 // characters, so that aaaaaaaaaaaa is none
)

// common are those that people choose first when 12 characters are asked for.
var common = map[string]bool{
	"password1234": true, "password12345": true, "password123456": true, "passwordpassword": true, "passw0rd1234": true,
	"123456789012": true, "1234567890123": true, "12345678901234": true, "123456789012345": true, "1234567890ab": true,
	"qwertyuiop12": true, "qwertyuiop123": true, "qwertyuiopas": true, "qwertyuiopasdf": true, "qwerty123456": true,
	"qwertyqwerty": true, "asdfghjkl123": true, "abcdefghijkl": true, "abcdefghijklmn": true, "abc123abc123": true,
	"iloveyou1234": true, "letmeinletmein": true, "welcome12345": true, "administrator": true, "administrator1": true,
	"changemechangeme": true, "changeme1234": true, "correcthorsebatterystaple": true, "supportdesk123": true,
}

// checkPassword gives an Invalid fault about the field password. What a password is made of is nobody's business, only
// that it can't be guessed at once.
func checkPassword(password string, whose desk.Person) error {
	lower := strings.ToLower(password)
	local, _, _ := strings.Cut(whose.Address, "@")
	length := utf8.RuneCountInString(password)
	distinct := map[rune]bool{}
	for _, r := range lower {
		distinct[r] = true
	}
	switch {
	case !utf8.ValidString(password):
		return fault.Field("password", "is not UTF-8")
	case length < MinPassword:
		return fault.Field("password", "must have %d characters or more", MinPassword)
	case length > MaxPassword:
		return fault.Field("password", "must have %d characters or fewer", MaxPassword)
	case strings.EqualFold(password, whose.Address), strings.EqualFold(password, local), strings.EqualFold(password, whose.Name):
		return fault.Field("password", "must not be your name or your address")
	case common[lower], len(distinct) < minDistinct:
		return fault.Field("password", "is among the first that anybody would try")
	}
	return nil
}

// chosenFor is chosen for whoever has a link. A link that can't be used, because somebody has its address by now, must
// not have the desk hash without an end.
func (s *Service) chosenFor(ctx context.Context, l Link, password string) (string, error) {
	if err := checkPassword(password, l.Person); err != nil {
		return "", err
	}
	if _, err := s.take(ctx, passwordsOfLink, l.ID); err != nil {
		return "", err
	}
	return s.hasher.hash(ctx, password)
}

// chosen checks a new password and gives its hash.
func (s *Service) chosen(ctx context.Context, password string, whose desk.Person) (string, error) {
	if err := checkPassword(password, whose); err != nil {
		return "", err
	}
	return s.hasher.hash(ctx, password)
}
