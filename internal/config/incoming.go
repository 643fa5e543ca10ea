package config

import (
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
)

const (
	minIncomingSize = 64 << 10 // bytes
	maxConnections  = 100      // that are accepted at once
)

// checkIncoming checks how mail is received, and parses MailAddresses.
func (c *Config) checkIncoming(reject reject) {
	if len(c.MailAddresses) > 0 {
		c.Mailboxes = map[string]string{}
	}
	for i, entry := range c.MailAddresses {
		address, category, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if !desk.ValidAddress(address) || strings.Contains(address, "+") {
			reject("SUPPORTDESK_MAIL_ADDRESSES", "is not a list of ADDRESS or ADDRESS=CATEGORY, without a plus sign: %q", entry)
			continue
		}
		c.Mailboxes[strings.ToLower(address)] = category
		if i == 0 {
			c.ReplyAddress = strings.ToLower(address)
		}
	}
	for _, address := range c.FormAddresses {
		if !desk.ValidAddress(address) {
			reject("SUPPORTDESK_FORM_ADDRESSES", "is not a list of addresses: %q", address)
		}
	}
	for _, door := range []struct{ variable, address string }{
		{"SUPPORTDESK_INCOMING_LMTP_ADDRESS", c.IncomingLMTP}, {"SUPPORTDESK_INCOMING_SMTP_ADDRESS", c.IncomingSMTP},
	} {
		if door.address == "" {
			continue
		}
		checkHostPort(reject, door.variable, door.address)
		if len(c.MailAddresses) == 0 {
			reject("SUPPORTDESK_MAIL_ADDRESSES", "is required where mail is received")
		}
	}
	if c.IncomingSecret != "" && len(c.IncomingSecret) < minSecret {
		reject("SUPPORTDESK_INCOMING_HTTP_SECRET", "must have at least %d characters", minSecret)
	}
	if c.IncomingSecret != "" && len(c.MailAddresses) == 0 {
		reject("SUPPORTDESK_MAIL_ADDRESSES", "is required where mail is received")
	}
	if (c.IncomingCert == "") != (c.IncomingKey == "") {
		reject("SUPPORTDESK_INCOMING_TLS_KEY", "and SUPPORTDESK_INCOMING_TLS_CERTIFICATE need each other")
	}
	if c.IncomingMaxSize < minIncomingSize {
		reject("SUPPORTDESK_INCOMING_MAX_SIZE", "must be at least %d bytes: %d", minIncomingSize, c.IncomingMaxSize)
	}
	if c.IncomingPerHost < 1 || c.IncomingPerHost > maxConnections {
		reject("SUPPORTDESK_INCOMING_CONNECTIONS_PER_HOST", "is not a number from 1 to %d: %d", maxConnections, c.IncomingPerHost)
	}
}
