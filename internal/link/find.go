package link

import (
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"strings"
	"time"
)

// Secrets are those with which the tokens in the desk's emails are made.
type Secrets struct {
	Links   []byte // of New, NewEscalation and NewFile
	Replies []byte // of ReplyToken
}

// TokenStart is how the token of every link begins: its version and the first bytes of an expiry before the year 2106.
const TokenStart = "AQAAAA"

// holds is what the token of a link may be about: a ticket, or a file.
var holds = regexp.MustCompile(`^[A-Z0-9]{1,8}-[0-9A-Z]{10,40}$`)

// TokenSize returns the length in characters of the token of a link that begins as s does. It is 0 if none begins so, or if too
// little of it is there.
func TokenSize(s string) int {
	const enough = (head + 3) / 3 * 4 // characters in which the head is
	if !strings.HasPrefix(s, TokenStart) || len(s) < enough {
		return 0
	}
	start, err := base64.RawURLEncoding.DecodeString(s[:enough])
	if err != nil || binary.BigEndian.Uint64(start[1:]) < uint64(time.Unix(1<<30, 0).Unix()) {
		return 0
	}
	number, person := int(start[head-2]), int(start[head-1])
	size := base64.RawURLEncoding.EncodedLen(head + number + person + macSize)
	if number == 0 || person == 0 || size > maxToken {
		return 0
	}
	if about := base64.RawURLEncoding.EncodedLen(head + number); len(s) >= about {
		data, err := base64.RawURLEncoding.DecodeString(s[:about])
		if err != nil || !holds.Match(data[head:]) {
			return 0
		}
	}
	return size
}

// MadeToken reports whether the desk made the token of a link, which may have expired.
func (s Secrets) MadeToken(token string) bool {
	for _, purpose := range []string{conversation, escalation, file} {
		if _, err := read(s.Links, purpose, token, time.Time{}); err == nil {
			return true
		}
	}
	return false
}

// FindReplyToken returns where the next token of an address for replies is that the desk made, in upper or lower case, in a text
// without spaces. end is 0 if there is none. A token that stands between letters and digits costs up to 8 verifications a character
// of the text: tries is how many of them may be made yet.
func (s Secrets) FindReplyToken(text string, tries *int) (start, end int) {
	run, letters := 0, 0 // characters of a token before end, and how many of the last ones are letters
	for end := 1; end <= len(text); end++ {
		if !isReplyChar(text[end-1]) {
			run, letters = 0, 0
			continue
		}
		run++
		if text[end-1] > '9' {
			letters++
		}
		if run > replyTail && text[end-1-replyTail] > '9' {
			letters--
		}
		if run < replyTail || letters == 0 {
			continue
		}
		for prefix := 1; prefix <= maxPrefix && end-replyTail-prefix >= 0 && isAlphanumeric(text[end-replyTail-prefix]); prefix++ {
			start := end - replyTail - prefix
			if start > 0 && isAlphanumeric(text[start-1]) {
				if *tries == 0 {
					continue
				}
				*tries--
			}
			if _, err := VerifyReply(s.Replies, text[start:end]); err == nil {
				return start, end
			}
		}
	}
	return 0, 0
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// isReplyChar reports whether a character is one of Crockford's base 32.
func isReplyChar(c byte) bool { return isAlphanumeric(c) && !strings.ContainsRune("ilouILOU", rune(c)) }
