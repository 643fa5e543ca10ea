package message

import (
	"bufio"
	"io"
	"strings"
)

// noteProtection records that a multipart is signed or encrypted. No signature is verified.
func (r *reader) noteProtection(p part) {
	switch p.media {
	case "multipart/signed":
		r.Signed = true
	case "multipart/encrypted":
		r.Encrypted = true
	}
}

// innerSource returns a source for a mail or part that was encoded within another one.
func innerSource(in io.Reader) *source {
	return &source{in: bufio.NewReaderSize(in, bufferSize), at: -1, lineStart: true}
}

// controlPart begins the first part of a mail that PGP encrypted (RFC 3156).
const (
	controlPart = "Version: 1"
	maxControl  = 200 // bytes of it
)

// protectionName names what programs attach without a name to a mail that is encrypted or signed.
func (p part) protectionName() string {
	switch {
	case p.media == "application/pgp-signature":
		return "signature.asc"
	case p.media == "application/pkcs7-signature" || p.media == "application/x-pkcs7-signature":
		return "smime.p7s"
	case p.parent == "multipart/encrypted":
		return "encrypted.asc"
	}
	return ""
}

const (
	beginSigned    = "-----BEGIN PGP SIGNED MESSAGE-----\n"
	beginSignature = "\n-----BEGIN PGP SIGNATURE-----"
	beginMessage   = "-----BEGIN PGP MESSAGE-----"
	endMessage     = "-----END PGP MESSAGE-----"
)

// armor reads text that PGP signed or encrypted without MIME.
func (r *reader) armor(text string) (words, error) {
	if signed, is := dearmor(text); is {
		r.Signed = true
		return words{text: signed}, nil
	}
	before, rest, is := strings.Cut(text, beginMessage)
	if !is || before != "" && !strings.HasSuffix(before, "\n") {
		return words{text: text}, nil
	}
	r.Encrypted = true
	secret, after, _ := strings.Cut(rest, endMessage)
	p := part{media: "application/pgp-encrypted", name: "message.asc"}
	err := r.file(p, strings.NewReader(beginMessage+secret+endMessage+"\n"))
	return words{text: before + strings.TrimPrefix(after, "\n")}, err
}

// dearmor returns text without the armor of a signature, if it is whole.
func dearmor(text string) (string, bool) {
	before, rest, is := strings.Cut(text, beginSigned)
	if !is || before != "" && !strings.HasSuffix(before, "\n") {
		return "", false
	}
	_, body, fields := strings.Cut(rest, "\n\n") // the fields of the armor end with an empty line
	signed, signature, begins := strings.Cut(body, beginSignature)
	_, after, ends := strings.Cut(signature, "-----END PGP SIGNATURE-----")
	if !fields || !begins || !ends {
		return "", false
	}
	signed = strings.TrimPrefix(strings.ReplaceAll("\n"+signed, "\n- ", "\n"), "\n")
	return before + signed + after, true
}
