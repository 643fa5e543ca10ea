package inbound

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"strings"
)

// traceHeaders are the headers that transports add. They differ between two deliveries of one mail.
var traceHeaders = map[string]bool{
	"received": true, "return-path": true, "delivered-to": true, "x-original-to": true, "envelope-to": true, "delivery-date": true,
	"authentication-results": true, "received-spf": true, "arc-seal": true, "arc-message-signature": true,
	"arc-authentication-results": true, "x-received": true, "x-virus-scanned": true, "x-spam-status": true, "x-spam-score": true,
	"x-spam-level": true, "x-spam-flag": true, "x-spam-checker-version": true,
}

// maxLine bounds the memory for a line, in bytes. A longer one is hashed in parts.
const maxLine = 64 << 10

// fingerprint computes the SHA-256 of a mail without its trace headers and with uniform line ends, so that the same mail
// has the same fingerprint by whatever way it arrives. The Message-ID alone is not enough: senders repeat it or have none.
type fingerprint struct {
	sum     hash.Hash
	line    []byte
	within  bool // line continues one of which the beginning was hashed already
	body    bool
	skip    bool // the current header is a trace header
	pending int  // empty lines of the body that are hashed only before a line with text
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
		f.body, f.skip = true, false
	default:
		f.begin()
	}
	f.hash(append(f.line, '\n'))
	f.line, f.within = f.line[:0], false
}

// begin handles the beginning of a line: it decides whether a header is hashed.
func (f *fingerprint) begin() {
	if !f.within && !f.body && len(f.line) > 0 && f.line[0] != ' ' && f.line[0] != '\t' {
		f.skip = isTrace(f.line)
	}
}

func (f *fingerprint) hash(text []byte) {
	for ; f.pending > 0; f.pending-- {
		f.sum.Write([]byte{'\n'})
	}
	if !f.skip {
		f.sum.Write(text)
	}
}

// Sum returns the fingerprint of what was written. Empty lines at the end of the mail, which transports add and remove, do not
// count.
func (f *fingerprint) Sum() []byte {
	if len(f.line) > 0 || f.within {
		f.endLine()
	}
	return f.sum.Sum(nil)
}

func isTrace(line []byte) bool {
	name, _, found := bytes.Cut(line, []byte{':'})
	return found && traceHeaders[strings.ToLower(string(bytes.TrimSpace(name)))]
}
