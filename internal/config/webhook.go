package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Webhook is the URL and the secret of a webhook.
type Webhook struct {
	URL    string
	Secret string
}

// secretVariable returns the variable that contains the secret of a webhook.
func secretVariable(name string) string {
	return "SUPPORTDESK_WEBHOOK_SECRET_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// minSecret is the minimum length in bytes; a shorter key is easier to guess than the MAC.
const minSecret = 16

// parseWebhooks parses SUPPORTDESK_WEBHOOKS, such as "ops=https://ops.example/hook,watch=https://…", and reads a secret
// for each. Error messages contain names only, because URLs may contain secrets.
func (c *Config) parseWebhooks(getenv func(string) string, reject reject) {
	const variable = "SUPPORTDESK_WEBHOOKS"
	for _, entry := range c.Webhooks {
		name, address, found := strings.Cut(strings.TrimSpace(entry), "=")
		u, err := url.Parse(address)
		_, again := c.ParsedWebhooks[name]
		switch {
		case !found || !policy.ValidWebhook(name):
			reject(variable, "has an entry that is not NAME=URL, with a name of lower-case letters, digits and hyphens")
			continue
		case again:
			reject(variable, "names %s twice", name)
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			reject(variable, "has no http or https URL for %s", name)
			continue
		case u.Scheme == "http" && !c.allowsHTTP(u.Hostname()):
			reject(variable, "has a URL for %s that is not https; if its network is trusted, add the host to SUPPORTDESK_WEBHOOK_HTTP_HOSTS", name)
		}
		secret := getenv(secretVariable(name))
		if len(secret) < minSecret {
			reject(secretVariable(name), "must have at least %d characters: it signs the calls of the webhook %s", minSecret, name)
		}
		if c.ParsedWebhooks == nil {
			c.ParsedWebhooks = map[string]Webhook{}
		}
		c.ParsedWebhooks[name] = Webhook{URL: address, Secret: secret}
	}
}

// allowsHTTP reports whether a host may be called without TLS.
func (c *Config) allowsHTTP(host string) bool {
	return isLoopback(host) || slices.Contains(c.WebhookHTTPHosts, host)
}
