package mail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// DKIM is what mails are signed with (RFC 6376). The zero value signs nothing.
type DKIM struct {
	Domain   string // the sender's or one above or below it, in ASCII
	Selector string // the public key is published at SELECTOR._domainkey.DOMAIN
	Key      crypto.Signer
}

// The lengths of RSA keys in bits: a shorter one is too weak, and receivers need not accept a longer one (RFC 8301).
const (
	minRSA = 2048
	maxRSA = 4096
)

// signedFields are the fields that a signature covers, whether a mail has them or not: one that is missing can't be added.
// Those that appear twice can't be added a second time.
var signedFields = []string{
	"From", "From", "Reply-To", "Reply-To", "To", "To", "Cc", "Cc", "Subject", "Subject", "Date", "Date",
	"Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type", "Content-Type", "Content-Transfer-Encoding",
	"Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post",
}

// ParseDKIMKey parses a private key in PEM: RSA of 2048 to 4096 bits (PKCS #1 or #8), or Ed25519 (PKCS #8).
func ParseDKIMKey(text []byte) (crypto.Signer, error) {
	key, err := gomail.PrivKeyFromPEM(text)
	if err != nil {
		return nil, fmt.Errorf("parse DKIM key: %w", err)
	}
	if err := checkDKIMKey(key); err != nil {
		return nil, err
	}
	return key, nil
}

func checkDKIMKey(key crypto.Signer) error {
	switch public := key.Public().(type) {
	case ed25519.PublicKey:
		return nil
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSA || bits > maxRSA {
			return fmt.Errorf("the RSA key has %d bits and must have %d to %d", bits, minRSA, maxRSA)
		}
		return nil
	default:
		return errors.New("the key is neither RSA nor Ed25519")
	}
}

// check reports what is wrong with the configuration, for mails from an address.
func (d DKIM) check(from string, complain func(field, format string, args ...any)) {
	if d.Domain == "" && d.Selector == "" && d.Key == nil {
		return
	}
	if !hostname(d.Selector) {
		complain("DKIM", "%q is not a selector", d.Selector)
	}
	_, domain, _ := strings.Cut(from, "@")
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	if !hostname(d.Domain) {
		complain("DKIM", "%q is not a domain name in ASCII", d.Domain)
	} else if !within(domain, d.Domain) && !within(d.Domain, domain) {
		complain("DKIM", "a signature of %s does not authenticate the sender's domain %s", d.Domain, domain)
	}
	if d.Key == nil {
		complain("DKIM", "has no key")
	} else if err := checkDKIMKey(d.Key); err != nil {
		complain("DKIM", "%v", err)
	}
}

// within reports whether a domain is another one or below it.
func within(domain, other string) bool {
	domain, other = strings.ToLower(domain), strings.ToLower(other)
	return domain == other || strings.HasSuffix(domain, "."+other)
}

// hostname reports whether a name consists of labels of letters, digits, hyphens and underscores.
func hostname(name string) bool {
	for label := range strings.SplitSeq(strings.ToLower(name), ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return len(name) <= 253
}

// sign returns a mail with a signature, or as it is if there is no key. Relaxed canonicalization lets relays fold lines and
// trim spaces. The signer of package go-mail breaks its own signature where it folds a long list of fields.
func (d DKIM) sign(message []byte) ([]byte, error) {
	if d.Key == nil {
		return message, nil
	}
	var signed bytes.Buffer
	err := dkim.Sign(&signed, bytes.NewReader(message), &dkim.SignOptions{
		Domain: d.Domain, Selector: d.Selector, Signer: d.Key, HeaderKeys: signedFields,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		return nil, fmt.Errorf("sign mail: %w", err)
	}
	return signed.Bytes(), nil
}
