package account

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Length limits of a password, in characters. NIST SP 800-63B-4, 3.1.1.2, asks for 15, or 8 with a second factor; here
// every account depends on a mailbox as well.
const (
	MinPassword = 12
	MaxPassword = 128
	minDistinct = 5 // distinct characters
)

// common are the first choices when 12 characters are required.
var common = map[string]bool{
	"password1234": true, "password12345": true, "password123456": true, "passwordpassword": true, "passw0rd1234": true,
	"123456789012": true, "1234567890123": true, "12345678901234": true, "123456789012345": true, "1234567890ab": true,
	"qwertyuiop12": true, "qwertyuiop123": true, "qwertyuiopas": true, "qwertyuiopasdf": true, "qwerty123456": true,
	"qwertyqwerty": true, "asdfghjkl123": true, "abcdefghijkl": true, "abcdefghijklmn": true, "abc123abc123": true,
	"iloveyou1234": true, "letmeinletmein": true, "welcome12345": true, "administrator": true, "administrator1": true,
	"changemechangeme": true, "changeme1234": true, "correcthorsebatterystaple": true, "supportdesk123": true,
}

// validatePassword returns an Invalid fault for the field password if the password is too short, too long or easily
// guessed. There are no rules about kinds of characters.
func validatePassword(password string, owner desk.Person) error {
	lower := strings.ToLower(password)
	local, _, _ := strings.Cut(owner.Address, "@")
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
	case strings.EqualFold(password, owner.Address), strings.EqualFold(password, local), strings.EqualFold(password, owner.Name):
		return fault.Field("password", "must not be your name or your address")
	case common[lower], len(distinct) < minDistinct:
		return fault.Field("password", "is too easy to guess")
	}
	return nil
}

// hashForLink is hashNew for a link. It is limited, because a link whose address has been taken in the meantime is
// never used up and would let an attacker cause hashing forever.
func (s *Service) hashForLink(ctx context.Context, l Link, password string) (string, error) {
	if err := validatePassword(password, l.Person); err != nil {
		return "", err
	}
	if _, err := s.limit(ctx, passwordsPerLink, l.ID); err != nil {
		return "", err
	}
	return s.hasher.hash(ctx, password)
}

// hashNew validates a new password and returns its hash.
func (s *Service) hashNew(ctx context.Context, password string, owner desk.Person) (string, error) {
	if err := validatePassword(password, owner); err != nil {
		return "", err
	}
	return s.hasher.hash(ctx, password)
}
