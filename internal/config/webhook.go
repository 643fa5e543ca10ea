package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Hook is where a webhook leads and what signs its calls.
type Hook struct {
	URL    string
	Secret string
}

// secretOf is the variable that holds a webhook's secret.
func secretOf(name string) string {
	return "SUPPORTDESK_WEBHOOK_SECRET_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// minSecret is in bytes: a shorter key is guessed sooner than the MAC is broken.
const minSecret = 16

// readHooks reads SUPPORTDESK_WEBHOOKS, such as "ops=https://ops.example/hook,watch=https://…", with a secret for each.
// Nothing it refuses is shown but names: addresses may hold secrets too.
func (c *Config) readHooks(getenv func(string) string, reject reject) {
	const variable = "SUPPORTDESK_WEBHOOKS"
	for _, entry := range c.Webhooks {
		name, address, found := strings.Cut(strings.TrimSpace(entry), "=")
		u, err := url.Parse(address)
		_, again := c.Hooks[name]
		switch {
		case !found || !policy.ValidWebhook(name):
			reject(variable, "has an entry that is not NAME=ADDRESS, with a name of small letters, digits and hyphens")
			continue
		case again:
			reject(variable, "names %s twice", name)
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			reject(variable, "has no http or https address for %s", name)
			continue
		case u.Scheme == "http" && !c.plainly(u.Hostname()):
			reject(variable, "has an address for %s that is not https; if its network is trusted, name its host in SUPPORTDESK_WEBHOOK_HTTP_HOSTS", name)
		}
		secret := getenv(secretOf(name))
		if len(secret) < minSecret {
			reject(secretOf(name), "must be %d characters at least: it signs what the webhook %s is told", minSecret, name)
		}
		if c.Hooks == nil {
			c.Hooks = map[string]Hook{}
		}
		c.Hooks[name] = Hook{URL: address, Secret: secret}
	}
}

// plainly reports whether a host may be called without TLS.
func (c *Config) plainly(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback() || slices.Contains(c.WebhookHTTPHosts, host)
}
