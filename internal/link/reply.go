package link

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"strings"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Reply is what an address for replies says: a mail to it is about a ticket, and was asked of a person.
type Reply struct {
	Number ticket.Number
	Person ticket.PersonID
	// Public is whether what staff write to the address is meant for the requester. Otherwise it is a note.
	Public bool
}

const (
	replies    = "supportdesk reply address\x00"
	messageIDs = "supportdesk message id\x00"
)

// A reply token consists of the ticket's number without its hyphen, the ten characters of the person's ID, one character
// of flags and a MAC of 80 bits, all in Crockford's base 32 and lower case: mail systems change the case of the local part
// of addresses. It is 45 characters at most, so that 64 bytes of a local part leave 19 for the name and the plus sign.
const (
	codeSize  = 10 // characters of a number after the hyphen, and of a person's ID
	macText   = 16 // characters of a MAC: 80 bits
	replyTail = codeSize + codeSize + 1 + macText

	// MaxReplyToken is the maximum length of a token of ReplyToken.
	MaxReplyToken = 8 + replyTail

	private, public = '0', '1'

	maxLocalPart = 64 // bytes (RFC 5321)
)

// ReplyToken returns the token of an address for replies. It is deterministic and does not expire: whether the person may
// still write to the ticket is the caller's to check. It returns an error for a number or an ID in another form than
// package ticket makes.
func ReplyToken(secret []byte, r Reply) (string, error) {
	prefix, code, _ := strings.Cut(string(r.Number), "-")
	person, ok := strings.CutPrefix(string(r.Person), "P-")
	if number, err := ticket.ParseNumber(string(r.Number)); err != nil || number != r.Number || !ok || !canonical(person) {
		return "", fmt.Errorf("make a reply token: %q and %q are no number and ID", r.Number, r.Person)
	}
	flags := string(private)
	if r.Public {
		flags = string(public)
	}
	body := prefix + code + person + flags
	return strings.ToLower(body + shortMAC(secret, replies, body)), nil
}

// VerifyReply verifies a token of ReplyToken, in upper or lower case. It returns a NotFound fault for an invalid token.
func VerifyReply(secret []byte, token string) (Reply, error) {
	if len(token) <= replyTail || len(token) > MaxReplyToken || !ascii(token) {
		return Reply{}, errNone
	}
	token = strings.ToUpper(token)
	body, sum := token[:len(token)-macText], token[len(token)-macText:]
	if !hmac.Equal([]byte(sum), []byte(shortMAC(secret, replies, body))) {
		return Reply{}, errNone
	}
	prefix, rest := body[:len(token)-replyTail], body[len(token)-replyTail:]
	r := Reply{
		Number: ticket.Number(prefix + "-" + rest[:codeSize]),
		Person: ticket.PersonID("P-" + rest[codeSize:2*codeSize]),
		Public: rest[2*codeSize] == public,
	}
	return r, nil
}

var errNoRoom = errors.New("the local part of the address is too long for a token")

// ReplyAddress returns an address with a token as its detail, such as support+hm7q2k9xm4td…@example.com.
func ReplyAddress(address, token string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return "", fmt.Errorf("make a reply address: %q is no address", address)
	}
	if at+1+len(token) > maxLocalPart {
		return "", fmt.Errorf("make a reply address of %q: %w", address, errNoRoom)
	}
	return address[:at] + "+" + token + address[at:], nil
}

// TokenIn returns the detail of an address, which may be a token of ReplyToken, or "" if there is none.
func TokenIn(address string) string {
	at := strings.LastIndexByte(address, '@')
	plus := strings.LastIndexByte(address[:max(at, 0)], '+')
	if plus < 0 {
		return ""
	}
	return address[plus+1 : at]
}

// shortMAC returns 80 bits of a MAC in Crockford's base 32, in upper case.
func shortMAC(secret []byte, purpose, body string) string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	sum := mac(secret, purpose, []byte(body))
	text := make([]byte, 0, macText)
	var bits, n uint
	for _, b := range sum[:macText*5/8] {
		bits, n = bits<<8|uint(b), n+8
		for ; n >= 5; n -= 5 {
			text = append(text, digits[bits>>(n-5)&31])
		}
	}
	return string(text)
}

// canonical reports whether a code is ten characters as package ticket writes them.
func canonical(code string) bool {
	n, err := ticket.ParseNumber("P-" + code)
	return err == nil && string(n) == "P-"+code
}

// ascii reports whether a text is in ASCII. Others change their length with their case.
func ascii(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0 }
