package config

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// IMAPMailbox is a mailbox that is read by IMAP.
type IMAPMailbox struct {
	Name      string
	Scheme    string // imaps: TLS, imap: STARTTLS, imap+plain: neither
	Server    string // host:port
	User      string
	Folder    string
	Password  string // or
	TokenFile string // file of an access token
}

// maxMailboxes bounds how many mailboxes are read: each has a connection of its own, and is claimed every few seconds.
const maxMailboxes = 16

// imapPorts are the default ports by scheme.
var imapPorts = map[string]string{"imaps": "993", "imap": "143", "imap+plain": "143"}

func imapVariable(prefix, name string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// parseIMAP parses SUPPORTDESK_IMAP_MAILBOXES, such as "support=imaps://user@host/INBOX,orders=imap://…", and reads a secret for
// each.
func (c *Config) parseIMAP(getenv func(string) string, reject reject) {
	const variable = "SUPPORTDESK_IMAP_MAILBOXES"
	seen := map[string]bool{}
	if len(c.IMAPMailboxes) > maxMailboxes {
		reject(variable, "names %d mailboxes; at most %d can be read", len(c.IMAPMailboxes), maxMailboxes)
		return
	}
	for _, entry := range c.IMAPMailboxes {
		name, address, found := strings.Cut(strings.TrimSpace(entry), "=")
		u, err := url.Parse(address)
		switch {
		case !found || !policy.ValidWebhook(name):
			reject(variable, "has an entry that is not NAME=URL, with a name of lower-case letters, digits and hyphens")
			continue
		case seen[name]:
			reject(variable, "names %s twice", name)
			continue
		case err != nil || imapPorts[u.Scheme] == "" || u.Hostname() == "" || u.User.Username() == "":
			reject(variable, "has no URL such as imaps://user@host/INBOX for %s", name)
			continue
		}
		seen[name] = true
		if _, within := u.User.Password(); within {
			reject(variable, "contains the password of %s, which belongs in %s", name, imapVariable("SUPPORTDESK_IMAP_PASSWORD_", name))
		}
		if u.Scheme == "imap+plain" && !isLoopback(u.Hostname()) {
			reject(variable, "has an unencrypted connection for %s, which is possible on this machine only", name)
		}
		c.ParsedIMAP = append(c.ParsedIMAP, imapMailbox(name, u, getenv, reject))
	}
	if len(c.ParsedIMAP) > 0 && len(c.MailAddresses) == 0 {
		reject("SUPPORTDESK_MAIL_ADDRESSES", "is required where mail is received")
	}
}

func imapMailbox(name string, u *url.URL, getenv func(string) string, reject reject) IMAPMailbox {
	port := u.Port()
	if port == "" {
		port = imapPorts[u.Scheme]
	}
	m := IMAPMailbox{
		Name: name, Scheme: u.Scheme, Server: net.JoinHostPort(u.Hostname(), port), User: u.User.Username(), Folder: strings.TrimPrefix(u.Path, "/"),
		Password: getenv(imapVariable("SUPPORTDESK_IMAP_PASSWORD_", name)), TokenFile: getenv(imapVariable("SUPPORTDESK_IMAP_TOKEN_FILE_", name)),
	}
	if m.Folder == "" {
		m.Folder = "INBOX"
	}
	if (m.Password == "") == (m.TokenFile == "") {
		reject(imapVariable("SUPPORTDESK_IMAP_PASSWORD_", name), "or %s is required, and not both", imapVariable("SUPPORTDESK_IMAP_TOKEN_FILE_", name))
	}
	return m
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
