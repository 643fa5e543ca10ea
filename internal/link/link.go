// Package link makes and reads the signed links in mails: what opens one ticket's conversation to its requester, or its
// escalation to somebody who works here, without signing in, until a stated time. It is pure: the secret and the time are parameters. It knows nothing of HTTP, SQL or
// who may still be let in; whoever reads a link asks for that.
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

// How long a link in a mail works.
const (
	Lifetime           = 30 * 24 * time.Hour // a conversation's
	EscalationLifetime = 7 * 24 * time.Hour
)

// Grant is what a link gives: this ticket, as this person, until an instant.
type Grant struct {
	Number  ticket.Number
	Person  ticket.PersonID
	Expires time.Time // a whole second, UTC
}

// A token is version, expiry (8 bytes, seconds since 1970), the lengths of number and person (a byte each) and both of
// them, and the MAC of all that; as a whole in base64url, which no mail program breaks.
const (
	version = 1
	head    = 1 + 8 + 2
	macSize = sha256.Size
	// maxToken is longer than any token that Make makes, in characters.
	maxToken = 200
)

// A purpose keeps what is signed for it from being taken for what the same secret signs elsewhere.
const (
	conversation = "supportdesk conversation link\x00"
	escalation   = "supportdesk escalation link\x00"
)

var (
	errNone    error = fault.New(fault.NotFound, "this link does not work: it may have been cut off in the mail")
	errExpired error = fault.New(fault.Forbidden, "this link has expired")

	// ErrEnded is for a link that was good once and ended before its time, with its person's sessions.
	ErrEnded error = fault.New(fault.Forbidden, "this link was ended, as all older links and sessions of that account were")
)

// Expired reports whether a link was good once, and its time is over.
func Expired(err error) bool { return errors.Is(err, errExpired) }

// Ended reports whether a link was good once and was ended before its time.
func Ended(err error) bool { return errors.Is(err, ErrEnded) }

// Make signs a grant to read and answer a conversation: the same token for the same grant.
func Make(secret []byte, g Grant) string { return sign(secret, conversation, g) }

// MakeEscalation signs a grant to acknowledge a ticket's escalation, and nothing else.
func MakeEscalation(secret []byte, g Grant) string { return sign(secret, escalation, g) }

func sign(secret []byte, purpose string, g Grant) string {
	token := make([]byte, 0, head+len(g.Number)+len(g.Person)+macSize)
	token = append(token, version)
	token = binary.BigEndian.AppendUint64(token, uint64(g.Expires.Unix()))
	token = append(token, byte(len(g.Number)), byte(len(g.Person)))
	token = append(token, g.Number...)
	token = append(token, g.Person...)
	return base64.RawURLEncoding.EncodeToString(append(token, mac(secret, purpose, token)...))
}

// Read gives what a token of Make's grants at an instant. It is NotFound for what was not made with this secret, and
// Forbidden (see Expired) for what was; the grant is given with that too.
func Read(secret []byte, token string, now time.Time) (Grant, error) {
	return read(secret, conversation, token, now)
}

// ReadEscalation is Read for a token of MakeEscalation's.
func ReadEscalation(secret []byte, token string, now time.Time) (Grant, error) {
	return read(secret, escalation, token, now)
}

func read(secret []byte, purpose, token string, now time.Time) (Grant, error) {
	if len(token) > maxToken {
		return Grant{}, errNone
	}
	// Strict: else the last character could be another one, and a token have several spellings.
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
