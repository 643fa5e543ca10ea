package account

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Token is an API token, without what makes it one.
type Token struct {
	ID       int64
	Label    string
	Made     time.Time
	LastUsed time.Time // to the minute; zero: never
	Writes   bool      // false: it only reads
}

// Tokens is what becomes of somebody's API tokens when all their sessions end.
type Tokens bool

// They end unless their owner wants to keep them.
const (
	EndTokens  Tokens = false
	KeepTokens Tokens = true
)

// String says so in words.
func (t Tokens) String() string {
	if t == KeepTokens {
		return "API tokens kept"
	}
	return "API tokens ended"
}

const (
	maxLabel  = 80
	maxTokens = 20
)

// CodeTokenMade is the code of a Conflict: a form that makes a token was sent again.
const CodeTokenMade = "token-made"

// Tokens lists those of somebody's that work, the newest first.
func (s *Service) Tokens(ctx context.Context, who desk.Person) ([]Token, error) {
	return s.vault.Tokens(ctx, who.ID)
}

// MakeToken returns a new token, which can be read this one time, and mails its owner that it was made. A proof is asked for
// as in ChangePassword: a token outlives the session that it was made in. Conflict: they have too many, or one was made
// by the same key before (CodeTokenMade); an empty key is none.
func (s *Service) MakeToken(ctx context.Context, source string, who desk.Person, proof Proof, once, label string, writes bool) (string, error) {
	label = strings.TrimSpace(label)
	if utf8.RuneCountInString(label) > maxLabel || !desk.ValidName(label) {
		return "", fault.Field("label", "must have 1 to %d characters, in one line and all of them visible", maxLabel)
	}
	if err := s.prove(ctx, source, who, proof); err != nil {
		return "", err
	}
	return s.vault.MakeToken(ctx, who.ID, once, label, writes, maxTokens)
}

// RevokeToken makes one of somebody's tokens stop working. NotFound: it isn't theirs, or works no more.
func (s *Service) RevokeToken(ctx context.Context, who desk.Person, token int64) error {
	return s.vault.RevokeToken(ctx, who.ID, token)
}
