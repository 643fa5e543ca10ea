package link

import (
	"crypto/hmac"
	"fmt"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MessageID is what the Message-ID of a ticket's mail says. Everything but a verified MAC can be guessed by others.
type MessageID struct {
	Number ticket.Number
	N      int    // of the mail within its ticket, from 1
	Epoch  int64  // of the database; 0: it was never restored
	MAC    string // of MessageIDMAC; empty: the mail was sent without one
	Domain string
}

// macMark precedes the MAC in a Message-ID, which no epoch begins with.
const macMark = "m"

// MessageIDMAC returns the part of a Message-ID that proves that the desk made it: the letter m and 80 bits in lower case.
// In <hm-7q2k9xm4td.3.m0123456789abcdef@example.com>, it is the last part before the at sign. It is deterministic, and the
// same for every domain, because the domain may be reconfigured.
func MessageIDMAC(secret []byte, number ticket.Number, n int, epoch int64) string {
	return macMark + strings.ToLower(shortMAC(secret, messageIDs, fmt.Sprintf("%s.%d.%d", number, n, epoch)))
}

// maxMessageID is the length in bytes beyond which a Message-ID is none of ours.
const maxMessageID = 400

// ParseMessageID parses a Message-ID, with or without angle brackets, in any case. It reports false for one that was never
// made for a ticket's mail. It proves nothing: see Verify.
func ParseMessageID(id string) (MessageID, bool) {
	if len(id) > maxMessageID || !ascii(id) {
		return MessageID{}, false
	}
	if inner, ok := strings.CutPrefix(id, "<"); ok {
		if id, ok = strings.CutSuffix(inner, ">"); !ok {
			return MessageID{}, false
		}
	}
	left, domain, ok := strings.Cut(strings.ToLower(id), "@")
	if !ok || domain == "" || strings.ContainsAny(domain, "@<> \t\r\n") {
		return MessageID{}, false
	}
	parts := strings.Split(left, ".")
	m := MessageID{Domain: domain}
	if last := len(parts) - 1; last >= 2 && strings.HasPrefix(parts[last], macMark) {
		if m.MAC, parts = parts[last], parts[:last]; len(m.MAC) != len(macMark)+macText {
			return MessageID{}, false
		}
	}
	return m, m.parseNumbers(parts)
}

// parseNumbers parses the number of the ticket, that of the mail and, if there is one, the epoch.
func (m *MessageID) parseNumbers(parts []string) bool {
	if len(parts) != 2 && len(parts) != 3 {
		return false
	}
	number, err := ticket.ParseNumber(parts[0])
	if err != nil || strings.ToLower(string(number)) != parts[0] {
		return false
	}
	m.Number = number
	n, ok := positive(parts[1], 32)
	m.N = int(n)
	if ok && len(parts) == 3 {
		m.Epoch, ok = positive(parts[2], 64)
	}
	return ok
}

// positive parses a number above 0 that is written in the one way that fmt writes it.
func positive(s string, bits int) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, bits)
	return n, err == nil && n > 0 && strconv.FormatInt(n, 10) == s
}

// Verify reports whether the Message-ID was made with the secret. A mail that was sent without a MAC can't be verified, but
// looked up.
func (m MessageID) Verify(secret []byte) bool {
	return m.MAC != "" && hmac.Equal([]byte(m.MAC), []byte(MessageIDMAC(secret, m.Number, m.N, m.Epoch)))
}
