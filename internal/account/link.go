package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Purpose is what a one-time link does for whoever has it.
type Purpose string

// The purposes of links. Each is also the kind of the mail that carries it.
const (
	SignIn     Purpose = "sign-in"
	Reset      Purpose = "reset"      // chooses a new password
	Move       Purpose = "address"    // confirms a new address
	Verify     Purpose = "verify"     // makes a registration an account
	Invitation Purpose = "invitation" // likewise, for staff
)

// lasts is for how long links work.
var lasts = map[Purpose]time.Duration{
	SignIn:     30 * time.Minute,
	Reset:      time.Hour,
	Move:       24 * time.Hour,
	Verify:     3 * 24 * time.Hour,
	Invitation: 7 * 24 * time.Hour,
}

// Link is a one-time link that still works.
type Link struct {
	ID      string
	Purpose Purpose
	Person  desk.Person // whose; for a registration or an invitation whoever it brings in, without an ID
	Address string      // Move: the new one
	Until   time.Time

	HasTokens bool // the person has API tokens that work
}

// Needs reports whether using the link takes a password that is chosen with it.
func (l Link) Needs() bool { return l.Purpose != SignIn && l.Purpose != Move }

// errLink is the one answer for links that were made up, have been used, are too old, or were called off.
var errLink error = fault.New(fault.NotFound, "this link does not work any more; each works once, and for a limited time")

const (
	linkSecret = "account links"
	idLength   = 26 // of rand.Text, which has 128 bits at least
)

// sealed is the whole of a link that has this ID: the ID, and what only the desk can derive from it.
func (s *Service) sealed(ctx context.Context, id string) (string, error) {
	key, err := s.vault.Secret(ctx, linkSecret)
	if err != nil {
		return "", err
	}
	return id + seal(key, id), nil
}

func seal(key []byte, id string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// unsealed gives the ID of a link that the desk made; errLink for any other.
func (s *Service) unsealed(ctx context.Context, token string) (string, error) {
	if len(token) < idLength || len(token) > 2*idLength+64 {
		return "", errLink
	}
	key, err := s.vault.Secret(ctx, linkSecret)
	if err != nil {
		return "", err
	}
	id, got := token[:idLength], token[idLength:]
	if subtle.ConstantTimeCompare([]byte(got), []byte(seal(key, id))) != 1 {
		return "", errLink
	}
	return id, nil
}

// url is where a link leads.
func (s *Service) url(ctx context.Context, id string) (string, error) {
	token, err := s.sealed(ctx, id)
	return s.site + "/link/" + token, err
}

func newID() string { return rand.Text() }

// Open looks a link up without using it. NotFound: it doesn't work, for whatever reason.
func (s *Service) Open(ctx context.Context, token string) (Link, error) {
	id, err := s.unsealed(ctx, token)
	if err != nil {
		return Link{}, err
	}
	return s.vault.Link(ctx, id)
}

// LinkFor makes a link that signs in whoever has an address, for somebody who may see it: it is in no mail. NotFound:
// nobody has that address, or they have been disabled.
func (s *Service) LinkFor(ctx context.Context, address string, lasts time.Duration) (url string, err error) {
	id := newID()
	if err := s.vault.AddSignIn(ctx, id, strings.TrimSpace(address), lasts); err != nil {
		return "", err
	}
	return s.url(ctx, id)
}
