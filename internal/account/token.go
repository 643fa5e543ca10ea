package account

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Token describes an API token without its secret.
type Token struct {
	ID        int64
	Label     string
	CreatedAt time.Time
	LastUsed  time.Time // to the minute; zero: never
	Writes    bool      // false: read-only
}

// Tokens says whether API tokens are kept when all sessions end.
type Tokens bool

// Tokens end unless their owner wants to keep them.
const (
	RevokeTokens Tokens = false
	KeepTokens   Tokens = true
)

// String returns a description for security events.
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

// CodeTokenExists is the code of the Conflict fault for a form that has created a token already.
const CodeTokenExists = "token-made"

// Tokens returns a person's active tokens, newest first.
func (s *Service) Tokens(ctx context.Context, who desk.Person) ([]Token, error) {
	return s.store.Tokens(ctx, who.ID)
}

// CreateToken creates a token, whose secret is returned only here, and mails its owner. Proof is required as for
// ChangePassword, because a token outlives the session. once is an idempotency key; empty means none. It returns a
// Conflict fault if there are too many tokens, or one with the same key (CodeTokenExists).
func (s *Service) CreateToken(ctx context.Context, source string, who desk.Person, proof Proof, once, label string, writes bool) (string, error) {
	label = strings.TrimSpace(label)
	if utf8.RuneCountInString(label) > maxLabel || !desk.ValidName(label) {
		return "", fault.Field("label", "must have 1 to %d characters, in one line and all of them visible", maxLabel)
	}
	if err := s.requireProof(ctx, source, who, proof); err != nil {
		return "", err
	}
	return s.store.MakeToken(ctx, who.ID, once, label, writes, maxTokens)
}

// RevokeToken revokes a person's token. It returns a NotFound fault if they have no such active token.
func (s *Service) RevokeToken(ctx context.Context, who desk.Person, token int64) error {
	return s.store.RevokeToken(ctx, who.ID, token)
}
