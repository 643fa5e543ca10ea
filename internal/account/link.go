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

// Purpose is what a one-time link does.
type Purpose string

// The purposes of links. Each is also the kind of the mail with the link.
const (
	SignIn        Purpose = "sign-in"
	Reset         Purpose = "reset"      // sets a new password
	AddAddress    Purpose = "address"    // confirms a further address
	VerifyAddress Purpose = "verify"     // creates the account of a registration
	Invitation    Purpose = "invitation" // creates the account of an invited staff member
)

// lifetime is how long a link of each purpose is valid.
var lifetime = map[Purpose]time.Duration{
	SignIn:        30 * time.Minute,
	Reset:         time.Hour,
	AddAddress:    24 * time.Hour,
	VerifyAddress: 3 * 24 * time.Hour,
	Invitation:    7 * 24 * time.Hour,
}

// Link is a valid one-time link.
type Link struct {
	ID      string
	Purpose Purpose
	Person  desk.Person // its owner; without an ID for a registration or an invitation
	Address string      // AddAddress: the further address
	Until   time.Time

	HasTokens bool // the owner has active API tokens
}

// NeedsPassword reports whether using the link requires a new password.
func (l Link) NeedsPassword() bool { return l.Purpose != SignIn && l.Purpose != AddAddress }

// errInvalidLink is the only message for links that are forged, used, expired or withdrawn.
var errInvalidLink error = fault.New(fault.NotFound, "this link is no longer valid; a link works once, and for a limited time")

const (
	linkSecret = "account links"
	idLength   = 26 // length of rand.Text, which has at least 128 bits
)

// linkToken returns the token of a link: its ID and a MAC.
func (s *Service) linkToken(ctx context.Context, id string) (string, error) {
	key, err := s.store.Secret(ctx, linkSecret)
	if err != nil {
		return "", err
	}
	return id + encodedMAC(key, id), nil
}

// encodedMAC returns a MAC in the alphabet of URLs and cookies.
func encodedMAC(key []byte, text string) string {
	return base64.RawURLEncoding.EncodeToString(keyedMAC(key, text))
}

func keyedMAC(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// parseLinkToken returns the ID in a token, or errInvalidLink if the MAC does not match.
func (s *Service) parseLinkToken(ctx context.Context, token string) (string, error) {
	if len(token) < idLength || len(token) > 2*idLength+64 {
		return "", errInvalidLink
	}
	key, err := s.store.Secret(ctx, linkSecret)
	if err != nil {
		return "", err
	}
	id, got := token[:idLength], token[idLength:]
	if subtle.ConstantTimeCompare([]byte(got), []byte(encodedMAC(key, id))) != 1 {
		return "", errInvalidLink
	}
	return id, nil
}

// url returns the address of a link.
func (s *Service) url(ctx context.Context, id string) (string, error) {
	token, err := s.linkToken(ctx, id)
	return s.site + "/link/" + token, err
}

func newID() string { return rand.Text() }

// Open returns a link without using it. It returns a NotFound fault if the link is not valid, whatever the cause.
func (s *Service) Open(ctx context.Context, token string) (Link, error) {
	id, err := s.parseLinkToken(ctx, token)
	if err != nil {
		return Link{}, err
	}
	return s.store.Link(ctx, id)
}

// CreateLink creates a sign-in link for an operator, without a mail. It returns a NotFound fault if no active account has
// the address.
func (s *Service) CreateLink(ctx context.Context, address string, lifetime time.Duration) (url string, err error) {
	id := newID()
	if err := s.store.AddSignIn(ctx, id, strings.TrimSpace(address), lifetime); err != nil {
		return "", err
	}
	return s.url(ctx, id)
}
