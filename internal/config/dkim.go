package config

import "strings"

// checkDKIM checks that mails are signed completely or not at all. What the key file contains is checked where it is read.
func (c *Config) checkDKIM(reject reject) {
	if c.DKIMSelector == "" && c.DKIMKeyFile == "" && c.DKIMDomain == "" {
		return
	}
	if c.DKIMSelector == "" {
		reject("SUPPORTDESK_DKIM_SELECTOR", "is required to sign emails")
	}
	if c.DKIMKeyFile == "" {
		reject("SUPPORTDESK_DKIM_KEY_FILE", "is required to sign emails")
	}
	if c.DKIMDomain == "" {
		_, c.DKIMDomain, _ = strings.Cut(c.From.Address, "@")
	}
}
