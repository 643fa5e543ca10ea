// Package link creates and verifies the signed links in mails: they open one ticket's conversation or one file to a customer
// of the ticket, or its escalation to a member of staff, without signing in, until they expire. It also makes and verifies
// what proves that an incoming mail answers one of ours: the token of an address for replies, and the MAC of a Message-ID. It
// is pure: the secret and the time are parameters. It knows nothing of HTTP or SQL, and does not check whether the person is
// still allowed; the caller does.
package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// How long a link is valid.
const (
	Lifetime           = 30 * 24 * time.Hour // of a conversation link
	EscalationLifetime = 7 * 24 * time.Hour
	FileLifetime       = 30 * 24 * time.Hour // of a link to a file
)

// Grant is what a link permits: access to a ticket, as a person, until it expires.
type Grant struct {
	Number  ticket.Number // of a ticket, or the ID of a file
	Person  ticket.PersonID
	Expires time.Time // in whole seconds, UTC
}

// A token consists of version, expiry (8 bytes, Unix seconds), the lengths of number and person (one byte each), both of
// them, and a MAC of all that, encoded in base64url, which mail programs do not break.
const (
	version = 1
	head    = 1 + 8 + 2
	macSize = sha256.Size
	// maxToken exceeds the length of any token, in characters.
	maxToken = 200
)

// The purposes separate the domains of the MAC, so that a token cannot be used for anything else signed with the
// secret.
const (
	conversation = "supportdesk conversation link\x00"
	escalation   = "supportdesk escalation link\x00"
	file         = "supportdesk file link\x00"
)

var (
	errNone    error = fault.New(fault.NotFound, "this link is not valid; it may have been truncated in the email")
	errExpired error = fault.New(fault.Forbidden, "this link has expired")

	// ErrRevoked is returned for a valid link that was revoked together with the person's sessions.
	ErrRevoked error = fault.New(fault.Forbidden, "this link has been revoked, like all older links and sessions of the account")
)

// Expired reports whether an error means that a link has expired.
func Expired(err error) bool { return errors.Is(err, errExpired) }

// Revoked reports whether an error means that a link was revoked.
func Revoked(err error) bool { return errors.Is(err, ErrRevoked) }

// New returns a token to read and reply in a conversation. It is deterministic.
func New(secret []byte, g Grant) string { return sign(secret, conversation, g) }

// NewEscalation returns a token to acknowledge a ticket's escalation.
func NewEscalation(secret []byte, g Grant) string { return sign(secret, escalation, g) }

// NewFile returns a token to read one file. The grant's Number is the file's ID.
func NewFile(secret []byte, g Grant) string { return sign(secret, file, g) }

func sign(secret []byte, purpose string, g Grant) string {
	token := make([]byte, 0, head+len(g.Number)+len(g.Person)+macSize)
	token = append(token, version)
	token = binary.BigEndian.AppendUint64(token, uint64(g.Expires.Unix()))
	token = append(token, byte(len(g.Number)), byte(len(g.Person)))
	token = append(token, g.Number...)
	token = append(token, g.Person...)
	return base64.RawURLEncoding.EncodeToString(append(token, mac(secret, purpose, token)...))
}

// Verify verifies a token of New. It returns a NotFound fault for an invalid token, and for an expired one a Forbidden
// fault (see Expired) together with the grant.
func Verify(secret []byte, token string, now time.Time) (Grant, error) {
	return read(secret, conversation, token, now)
}

// VerifyEscalation is like Verify for NewEscalation.
func VerifyEscalation(secret []byte, token string, now time.Time) (Grant, error) {
	return read(secret, escalation, token, now)
}

// VerifyFile is like Verify for NewFile.
func VerifyFile(secret []byte, token string, now time.Time) (Grant, error) {
	return read(secret, file, token, now)
}

func read(secret []byte, purpose, token string, now time.Time) (Grant, error) {
	if len(token) > maxToken {
		return Grant{}, errNone
	}
	// Strict, so that a token has only one encoding.
	data, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(data) < head+macSize {
		return Grant{}, errNone
	}
	body, sum := data[:len(data)-macSize], data[len(data)-macSize:]
	if !hmac.Equal(sum, mac(secret, purpose, body)) || body[0] != version {
		return Grant{}, errNone
	}
	number, person := int(body[head-2]), int(body[head-1])
	if len(body) != head+number+person {
		return Grant{}, errNone
	}
	g := Grant{
		Number:  ticket.Number(body[head : head+number]),
		Person:  ticket.PersonID(body[head+number:]),
		Expires: time.Unix(int64(binary.BigEndian.Uint64(body[1:])), 0).UTC(),
	}
	if !now.Before(g.Expires) {
		return g, errExpired
	}
	return g, nil
}

func mac(secret []byte, purpose string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(purpose))
	h.Write(body)
	return h.Sum(nil)
}
