package mail

import (
	"crypto/x509"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// How the connection to the SMTP server is protected; the values of Config.TLS.
const (
	TLSNone     = "none"     // in clear
	TLSStartTLS = "starttls" // upgraded before anything is said, or not used at all
	TLSImplicit = "implicit" // TLS from the first byte, usually on port 465
)

const defaultTimeout = 30 * time.Second

// Config says how mails leave and what they point to.
type Config struct {
	Host     string // of the SMTP server
	Port     int
	Username string // empty: no authentication
	Password string
	TLS      string         // TLSNone, TLSStartTLS or TLSImplicit
	Roots    *x509.CertPool // authorities to trust; nil: the system's

	From    desk.Mailbox
	ReplyTo desk.Mailbox // optional
	Domain  string       // right-hand side of every Message-ID, and the name given in EHLO
	BaseURL string       // the website, such as https://support.example.com; a trailing slash is fine

	// Timeout limits connecting, and again telling one mail up to its final dot; zero means 30 seconds.
	Timeout time.Duration
}

// check returns the configuration in its normal form, or a fault with every field at fault.
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
	if _, err := writable(c.From); err != nil {
		complain("From", "%q is no mail address", c.From.Address)
	}
	if c.ReplyTo != (desk.Mailbox{}) {
		if _, err := writable(c.ReplyTo); err != nil {
			complain("ReplyTo", "%q is no mail address", c.ReplyTo.Address)
		}
	}
	if _, err := mail.ParseAddress("id@" + c.Domain); err != nil || !ascii(c.Domain) {
		complain("Domain", "%q is no domain name in ASCII", c.Domain)
	}
	site, err := url.Parse(c.BaseURL)
	if err != nil || site.Host == "" || (site.Scheme != "http" && site.Scheme != "https") {
		complain("BaseURL", "%q is no http or https address", c.BaseURL)
	} else if site.RawQuery != "" || site.Fragment != "" || site.User != nil {
		complain("BaseURL", "%q has more than a host and a path", c.BaseURL)
	}
}

// loopback names the hosts to which go-mail gives a password without TLS.
func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// writable gives a mailbox in the form that headers and SMTP take: the name on one line, the domain in ASCII. An
// address that no server could be told gives an *Undeliverable.
func writable(box desk.Mailbox) (mail.Address, error) {
	parsed, err := mail.ParseAddress(box.Address)
	// The whole of it must be the address: ParseAddress takes "Name <a@b>" and comments, too.
	if err != nil || len(box.Address) > 254 || parsed.String() != "<"+box.Address+">" || oneLine(box.Address, 0) != box.Address {
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
