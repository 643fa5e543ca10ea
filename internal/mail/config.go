package mail

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
)

// The values of Config.TLS.
const (
	TLSNone     = "none"     // unencrypted
	TLSStartTLS = "starttls" // STARTTLS before authentication and mail; mandatory
	TLSImplicit = "implicit" // TLS from the first byte, usually on port 465
)

const defaultTimeout = 30 * time.Second

// Config is the SMTP server, the sender and the website that mails link to.
type Config struct {
	Host     string // of the SMTP server
	Port     int
	Username string // empty: no authentication
	Password string
	TLS      string         // TLSNone, TLSStartTLS or TLSImplicit
	Roots    *x509.CertPool // trusted certificate authorities; nil: the system's

	From    desk.Mailbox
	Replies string // address at which answers are received, with an extension after a plus sign; empty: they are not read
	Prefix  string // of ticket numbers
	Domain  string // right-hand side of every Message-ID, and the host name in EHLO
	BaseURL string // of the website, such as https://support.example.com; may end in a slash
	DKIM    DKIM

	// Timeout limits connecting, and separately the transmission of a mail up to the final dot. Zero means 30 seconds.
	Timeout time.Duration
}

// check returns the normalized configuration with defaults, or a fault that lists every invalid field.
func (c Config) check() (Config, error) {
	var wrong []fault.Detail
	complain := func(field, format string, args ...any) {
		wrong = append(wrong, fault.Detail{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if c.Host == "" {
		complain("Host", "is empty")
	}
	if c.Port < 1 || c.Port > 65535 {
		complain("Port", "%d is not between 1 and 65535", c.Port)
	}
	switch c.TLS {
	case TLSStartTLS, TLSImplicit:
	case TLSNone:
		if c.Username != "" && !loopback(c.Host) {
			complain("TLS", "%q would send the password in clear to %s", c.TLS, c.Host)
		}
	default:
		complain("TLS", "%q is none of %s, %s and %s", c.TLS, TLSNone, TLSStartTLS, TLSImplicit)
	}
	c.checkNames(complain)
	c.DKIM.check(c.From.Address, complain)
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.Timeout < 0 {
		complain("Timeout", "%s is negative", c.Timeout)
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if len(wrong) > 0 {
		return c, fault.Fields(wrong...)
	}
	return c, nil
}

func (c Config) checkNames(complain func(field, format string, args ...any)) {
	if _, err := parseMailbox(c.From); err != nil {
		complain("From", "%q is not an email address", c.From.Address)
	}
	if _, err := mail.ParseAddress("id@" + c.Domain); err != nil || !ascii(c.Domain) {
		complain("Domain", "%q is not a domain name in ASCII", c.Domain)
	}
	if _, err := link.ReplyAddress(c.Replies, strings.Repeat("x", link.ReplyTokenSize(c.Prefix))); c.Replies != "" && err != nil {
		complain("Replies", "%q has a local part too long for a token, or is not an email address", c.Replies)
	}
	site, err := url.Parse(c.BaseURL)
	if err != nil || site.Host == "" || (site.Scheme != "http" && site.Scheme != "https") {
		complain("BaseURL", "%q is no http or https address", c.BaseURL)
	} else if site.RawQuery != "" || site.Fragment != "" || site.User != nil {
		complain("BaseURL", "%q has more than a host and a path", c.BaseURL)
	}
}

// loopback reports whether host is one to which go-mail sends a password without TLS.
func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// parseMailbox returns a mailbox in the form of headers and SMTP: the name in one line, the domain in ASCII. It returns
// an *Undeliverable for an invalid address.
func parseMailbox(box desk.Mailbox) (mail.Address, error) {
	parsed, err := mail.ParseAddress(box.Address)
	// ParseAddress also accepts "Name <a@b>" and comments, which are no addresses.
	if err != nil || len(box.Address) > desk.MaxAddress || parsed.String() != "<"+box.Address+">" || oneLine(box.Address, 0) != box.Address {
		return mail.Address{}, errAddress
	}
	address := parsed.Address
	if at := strings.LastIndexByte(address, '@'); !ascii(address[at+1:]) {
		domain, err := idna.Lookup.ToASCII(address[at+1:])
		if err != nil {
			return mail.Address{}, errAddress
		}
		address = address[:at+1] + domain
	}
	return mail.Address{Name: strings.ReplaceAll(oneLine(box.Name, maxName), "=?", "= ?"), Address: address}, nil
}

// replyAddress returns the address at which the recipient of a token answers, or "" if answers are not read.
func (c Config) replyAddress(token string) (string, error) {
	if c.Replies == "" || token == "" {
		return "", nil
	}
	address, err := link.ReplyAddress(c.Replies, token)
	if errors.Is(err, link.ErrNoRoom) { // a number with an earlier, longer prefix
		return c.Replies, nil
	}
	return address, err
}
