package inbound

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/link"
)

// traceHeaders are the headers that transports add. They differ between two deliveries of one mail.
var traceHeaders = map[string]bool{
	"received": true, "return-path": true, "delivered-to": true, "x-original-to": true, "envelope-to": true, "delivery-date": true,
	"authentication-results": true, "received-spf": true, "arc-seal": true, "arc-message-signature": true,
	"arc-authentication-results": true, "x-received": true, "x-virus-scanned": true, "x-spam-status": true, "x-spam-score": true,
	"x-spam-level": true, "x-spam-flag": true, "x-spam-checker-version": true,
}

// answerHeaders are the headers in which a mail has the address for replies or the Message-ID of a mail that it answers.
var answerHeaders = append([]string{"To", "Cc", "In-Reply-To", "References"}, recipientHeaders...)

func isAnswer(header string) bool {
	return slices.ContainsFunc(answerHeaders, func(name string) bool { return strings.EqualFold(name, header) })
}

const (
	maxLine    = 64 << 10 // bytes of a line in memory; a longer one is hashed in parts
	maxAnswers = 16 << 10 // bytes of answerHeaders in memory; the rest is not searched
)

// fingerprint computes the SHA-256 of a mail without its trace headers and with uniform line ends, so that the same mail
// has the same fingerprint by whatever way it arrives. The Message-ID alone is not enough: senders repeat it or have none.
// On the way it collects what a mail answers.
type fingerprint struct {
	sum     hash.Hash
	line    []byte
	within  bool // line continues one of which the beginning was hashed already
	body    bool
	header  string // name of the current header, in lower case
	pending int    // empty lines of the body that are hashed only before a line with text

	dated    bool      // it has a Date or a Message-ID
	received hash.Hash // of its Received headers; nil: it has none
	answers  []byte    // its answerHeaders
}

func newFingerprint() *fingerprint { return &fingerprint{sum: sha256.New()} }

// Write never fails.
func (f *fingerprint) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			f.add(p)
			break
		}
		f.add(p[:end])
		f.endLine()
		p = p[end+1:]
	}
	return n, nil
}

// add adds a part of a line.
func (f *fingerprint) add(part []byte) {
	f.line = append(f.line, part...)
	if len(f.line) > maxLine {
		f.begin()
		f.hash(f.line)
		f.line, f.within = f.line[:0], true
	}
}

func (f *fingerprint) endLine() {
	f.line = bytes.TrimSuffix(f.line, []byte{'\r'})
	switch {
	case len(f.line) == 0 && !f.within && f.body:
		f.pending++
		return
	case len(f.line) == 0 && !f.within:
		f.body, f.header = true, ""
	default:
		f.begin()
	}
	f.hash(append(f.line, '\n'))
	f.line, f.within = f.line[:0], false
}

// begin handles the beginning of a line: it finds the name of a header.
func (f *fingerprint) begin() {
	if f.within || f.body || len(f.line) == 0 || f.line[0] == ' ' || f.line[0] == '\t' {
		return
	}
	name, _, found := bytes.Cut(f.line, []byte{':'})
	f.header = ""
	if found {
		f.header = strings.ToLower(string(bytes.TrimSpace(name)))
	}
	switch f.header {
	case "date", "message-id":
		f.dated = true
	case "received":
		if f.received == nil {
			f.received = sha256.New()
		}
	}
}

func (f *fingerprint) hash(text []byte) {
	for ; f.pending > 0; f.pending-- {
		f.sum.Write([]byte{'\n'})
	}
	switch {
	case !traceHeaders[f.header]:
		f.sum.Write(text)
	case f.header == "received":
		f.received.Write(text)
	}
	if !f.body && isAnswer(f.header) {
		f.answers = append(f.answers, text[:min(len(text), maxAnswers-len(f.answers))]...)
	}
}

// Sum returns the fingerprint of what was written. Empty lines at the end of the mail, which transports add and remove, do not
// count. Mails with neither Date nor Message-ID may be equal without being the same, such as those of a program that reports the same
// every day. A server that tries one again has added a Received header, which is the same then and another one in the next mail.
// If there is none, the client is not a mail server that tries again for days, so that the mail is the same one within the day on which
// it arrived; the zero time for a mailbox, in which the same mail may be found at any time.
func (f *fingerprint) Sum(day time.Time) []byte {
	if len(f.line) > 0 || f.within {
		f.endLine()
	}
	switch {
	case f.dated:
	case f.received != nil:
		f.sum.Write(f.received.Sum(nil))
	case !day.IsZero():
		f.sum.Write([]byte(day.UTC().Format(time.DateOnly)))
	}
	return f.sum.Sum(nil)
}

// Answers returns the addresses with a detail and the Message-IDs in the headers, in order, that may be of this desk.
func (f *fingerprint) Answers() (all []string) {
	for _, word := range bytes.FieldsFunc(f.answers, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;:<>()\"", r) }) {
		answer := string(word)
		if _, is := link.ParseMessageID(answer); (is || link.TokenIn(answer) != "") && len(all) < maxAddressed {
			all = append(all, answer)
		}
	}
	return all
}
