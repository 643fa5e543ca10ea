package link

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Reply is what an address for replies says: a mail to it is about a ticket, and was asked of a person.
type Reply struct {
	Number ticket.Number
	Person ticket.PersonID
	// Public is whether what staff write to the address is meant for the requester. Otherwise it is a note.
	Public bool
	// Alone is whether the mail was for that person alone of the ticket's customers, so that an answer is not for the others.
	Alone bool
	// Issued is when the address was made, in whole seconds, UTC: it ends when the person's links are revoked.
	Issued time.Time
}

const (
	replies    = "supportdesk reply address\x00"
	messageIDs = "supportdesk message id\x00"
)

// A reply token consists of the ticket's number without its hyphen, the ten characters of the person's ID, seven characters
// with the flags and the instant of its issue, and a MAC of 80 bits, all in Crockford's base 32 and lower case: mail systems
// change the case of the local part of addresses. It is 51 characters at most, so that 64 bytes of a local part leave 12 for the
// name, and 18 for a number with a prefix of two characters.
const (
	codeSize  = 10 // characters of a number after the hyphen, and of a person's ID
	issueText = 7  // characters of the flags and the instant: 2 and 33 bits
	macText   = 16 // characters of a MAC: 80 bits
	replyTail = codeSize + codeSize + issueText + macText

	maxPrefix = 8 // characters of a number before its hyphen

	issueBits = 33 // seconds since 1970, until 2242
	public    = 1 << issueBits
	alone     = 1 << (issueBits + 1)

	maxLocalPart = 64 // bytes (RFC 5321)
)

// digits are those of Crockford's base 32.
const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ReplyTokenSize returns the length of the tokens for tickets whose numbers have a prefix.
func ReplyTokenSize(prefix string) int { return len(prefix) + replyTail }

// ReplyToken returns the token of an address for replies. It is deterministic and does not expire: whether the person may
// still write to the ticket, and whether their links were revoked since it was issued, is the caller's to check. It returns an
// error for a number or an ID in another form than package ticket makes.
func ReplyToken(secret []byte, r Reply) (string, error) {
	prefix, code, _ := strings.Cut(string(r.Number), "-")
	person, ok := strings.CutPrefix(string(r.Person), "P-")
	if number, err := ticket.ParseNumber(string(r.Number)); err != nil || number != r.Number || !ok || !canonical(person) {
		return "", fmt.Errorf("make a reply token: %q and %q are no number and ID", r.Number, r.Person)
	}
	issue := r.Issued.Unix()
	if issue < 0 || issue >= public {
		return "", fmt.Errorf("make a reply token: %s is out of range", r.Issued)
	}
	if r.Public {
		issue |= public
	}
	if r.Alone {
		issue |= alone
	}
	body := prefix + code + person + encodeIssue(issue)
	return strings.ToLower(body + shortMAC(secret, replies, body)), nil
}

// VerifyReply verifies a token of ReplyToken, in upper or lower case. It returns a NotFound fault for an invalid token.
func VerifyReply(secret []byte, token string) (Reply, error) {
	if len(token) <= replyTail || len(token) > maxPrefix+replyTail || !ascii(token) {
		return Reply{}, errNone
	}
	token = strings.ToUpper(token)
	body, sum := token[:len(token)-macText], token[len(token)-macText:]
	if !hmac.Equal([]byte(sum), []byte(shortMAC(secret, replies, body))) {
		return Reply{}, errNone
	}
	prefix, rest := body[:len(token)-replyTail], body[len(token)-replyTail:]
	issue := decodeIssue(rest[2*codeSize:])
	r := Reply{
		Number: ticket.Number(prefix + "-" + rest[:codeSize]),
		Person: ticket.PersonID("P-" + rest[codeSize:2*codeSize]),
		Public: issue&public != 0, Alone: issue&alone != 0,
		Issued: time.Unix(issue&(public-1), 0).UTC(),
	}
	return r, nil
}

func encodeIssue(issue int64) string {
	var text [issueText]byte
	for i := issueText - 1; i >= 0; i-- {
		text[i] = digits[issue&31]
		issue >>= 5
	}
	return string(text[:])
}

// decodeIssue reads what encodeIssue wrote.
func decodeIssue(text string) (issue int64) {
	for _, c := range text {
		issue = issue<<5 | int64(strings.IndexRune(digits, c))
	}
	return issue
}

// ErrNoRoom is returned for an address whose local part is too long for a token.
var ErrNoRoom = errors.New("the local part of the address is too long for a token")

// ReplyAddress returns an address with a token as its detail, such as support+hm7q2k9xm4td…@example.com.
func ReplyAddress(address, token string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return "", fmt.Errorf("make a reply address: %q is no address", address)
	}
	if at+1+len(token) > maxLocalPart {
		return "", fmt.Errorf("make a reply address of %q: %w", address, ErrNoRoom)
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
