// Package config reads and validates the configuration from the environment. It knows names, types and defaults, and
// nothing of what they are used for.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caarlos0/env/v11"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxSMTPTimeout keeps one delivery attempt within the time-out of its activity.
const maxSMTPTimeout = 2 * time.Minute

// Config is the configuration of a process. Temporal's own variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
// TEMPORAL_API_KEY, TEMPORAL_TLS…) are read by its library.
type Config struct {
	DatabaseURL   string `env:"SUPPORTDESK_DATABASE_URL,required,notEmpty"` // postgres://…; see LoadWithoutDatabase
	DatabaseConns int32  `env:"SUPPORTDESK_DATABASE_CONNS" envDefault:"16"` // maximum number of connections per process

	TemporalAddress string `env:"TEMPORAL_ADDRESS"`            // only validated here; read by Temporal's library
	TemporalUIURL   string `env:"SUPPORTDESK_TEMPORAL_UI_URL"` // for links on staff pages; empty: none

	HTTPAddress    string   `env:"SUPPORTDESK_HTTP_ADDRESS" envDefault:":8080"`        // listen address of the API
	HealthAddress  string   `env:"SUPPORTDESK_HEALTH_ADDRESS" envDefault:":8081"`      // listen address of the worker's /healthz and /readyz; "off": none
	MailHealth     string   `env:"SUPPORTDESK_MAIL_HEALTH_ADDRESS" envDefault:":8082"` // the same of mail, which may run on the same host
	MetricsAddress string   `env:"SUPPORTDESK_METRICS_ADDRESS" envDefault:"off"`       // listen address of /metrics, which is never on the others; "off": none
	BaseURL        string   `env:"SUPPORTDESK_BASE_URL" envDefault:"http://localhost:8080"`
	TrustedProxies []string `env:"SUPPORTDESK_TRUSTED_PROXIES"` // addresses or networks whose X-Forwarded-For is trusted
	NumberPrefix   string   `env:"SUPPORTDESK_NUMBER_PREFIX" envDefault:"HM"`

	LimitFactor int `env:"SUPPORTDESK_ALLOWANCES" envDefault:"1"` // factor for the built-in rate limits of people; 0: no limits

	SMTPHost     string        `env:"SUPPORTDESK_SMTP_HOST" envDefault:"localhost"`
	SMTPPort     int           `env:"SUPPORTDESK_SMTP_PORT" envDefault:"587"`
	SMTPUsername string        `env:"SUPPORTDESK_SMTP_USERNAME"`
	SMTPPassword string        `env:"SUPPORTDESK_SMTP_PASSWORD"`
	SMTPTLS      string        `env:"SUPPORTDESK_SMTP_TLS" envDefault:"starttls"` // none, starttls or implicit
	SMTPTimeout  time.Duration `env:"SUPPORTDESK_SMTP_TIMEOUT" envDefault:"30s"`
	MailFrom     string        `env:"SUPPORTDESK_MAIL_FROM" envDefault:"Support <support@localhost>"`
	MailDomain   string        `env:"SUPPORTDESK_MAIL_DOMAIN"`                      // in Message-IDs; default: the domain of MailFrom
	MailRate     float64       `env:"SUPPORTDESK_MAILS_PER_SECOND" envDefault:"50"` // across all workers

	DKIMSelector string `env:"SUPPORTDESK_DKIM_SELECTOR"` // empty: emails are not signed
	DKIMDomain   string `env:"SUPPORTDESK_DKIM_DOMAIN"`   // default: the domain of MailFrom
	DKIMKeyFile  string `env:"SUPPORTDESK_DKIM_KEY_FILE"` // a private key in PEM

	MailAddresses   []string `env:"SUPPORTDESK_MAIL_ADDRESSES"`                                // ADDRESS or ADDRESS=CATEGORY: at which the desk receives mail; the first is the address for replies; empty: mail is not read
	IncomingLMTP    string   `env:"SUPPORTDESK_INCOMING_LMTP_ADDRESS"`                         // listen address for mail by LMTP; empty: none
	IncomingSMTP    string   `env:"SUPPORTDESK_INCOMING_SMTP_ADDRESS"`                         // listen address for mail by SMTP; empty: none
	IncomingCert    string   `env:"SUPPORTDESK_INCOMING_TLS_CERTIFICATE"`                      // PEM file for STARTTLS; empty: not offered
	IncomingKey     string   `env:"SUPPORTDESK_INCOMING_TLS_KEY"`                              // PEM file
	IncomingSecret  string   `env:"SUPPORTDESK_INCOMING_HTTP_SECRET"`                          // signs the mails that relays post to the API; empty: none are accepted
	IMAPMailboxes   []string `env:"SUPPORTDESK_IMAP_MAILBOXES"`                                // NAME=URL; the secrets are in SUPPORTDESK_IMAP_PASSWORD_NAME or SUPPORTDESK_IMAP_TOKEN_FILE_NAME
	IncomingMaxSize int64    `env:"SUPPORTDESK_INCOMING_MAX_SIZE" envDefault:"41943040"`       // bytes of a mail; larger ones are refused
	IncomingPerHost int      `env:"SUPPORTDESK_INCOMING_CONNECTIONS_PER_HOST" envDefault:"20"` // of 100 at once by LMTP and 100 by SMTP; hosts of our own are not limited
	AuthServID      string   `env:"SUPPORTDESK_AUTHSERV_ID"`                                   // name that our own mail server writes into its Authentication-Results; empty: senders are verified here
	FormAddresses   []string `env:"SUPPORTDESK_FORM_ADDRESSES"`                                // from which forms on websites send, with the person who filled them in in Reply-To
	InternalHosts   []string `env:"SUPPORTDESK_INTERNAL_HOSTS"`                                // mail servers of our own that add a Received field: names, domains with a dot before them, addresses or networks
	ScannerURL      string   `env:"SUPPORTDESK_SCANNER_URL"`                                   // clamd:// or rspamd+http:// ; empty: mails are not scanned

	BlobURL      string `env:"SUPPORTDESK_BLOB_URL" envDefault:"file:///var/lib/supportdesk/blobs"` // file:///folder or s3://bucket?region=…; the bytes of files
	FileMiB      int    `env:"SUPPORTDESK_FILE_MIB" envDefault:"10"`                                // maximum size of a file
	FileCount    int    `env:"SUPPORTDESK_FILES" envDefault:"10"`                                   // maximum number of a message's files
	FilesMiB     int    `env:"SUPPORTDESK_FILES_MIB" envDefault:"25"`                               // maximum size of a message's files together
	MailFilesMiB int    `env:"SUPPORTDESK_MAIL_FILES_MIB" envDefault:"5"`                           // up to this size together they are attached to its email; larger ones are links

	Webhooks         []string `env:"SUPPORTDESK_WEBHOOKS"`           // NAME=URL; the secrets are in SUPPORTDESK_WEBHOOK_SECRET_NAME
	WebhookHTTPHosts []string `env:"SUPPORTDESK_WEBHOOK_HTTP_HOSTS"` // hosts that may be called without TLS, in addition to this machine

	OIDCIssuer       string `env:"SUPPORTDESK_OIDC_ISSUER"` // URL of the OpenID provider for staff; empty: none
	OIDCClientID     string `env:"SUPPORTDESK_OIDC_CLIENT_ID"`
	OIDCClientSecret string `env:"SUPPORTDESK_OIDC_CLIENT_SECRET"`
	OIDCName         string `env:"SUPPORTDESK_OIDC_NAME" envDefault:"OpenID"` // on the button

	WorkerSteps int `env:"SUPPORTDESK_WORKER_STEPS" envDefault:"16"`
	WorkerMails int `env:"SUPPORTDESK_WORKER_MAILS" envDefault:"8"`
	// ImmediateMails is whether mails are first tried within workflow tasks. Workers of releases that don't know this can't continue
	// histories in which it happened.
	ImmediateMails bool `env:"SUPPORTDESK_WORKER_IMMEDIATE_MAILS" envDefault:"true"`
	WorkerTickets  int  `env:"SUPPORTDESK_WORKER_TICKETS" envDefault:"10000"` // cached workflows, about 70 KB each

	WorkerDeployment string `env:"SUPPORTDESK_WORKER_DEPLOYMENT" envDefault:"supportdesk"` // name under which Temporal knows the versions of the workers; "off": workers have no version
	WorkerBuild      string `env:"SUPPORTDESK_WORKER_BUILD"`                               // version of this worker; default: that of the program
	WorkerPromotion  string `env:"SUPPORTDESK_WORKER_PROMOTION" envDefault:"automatic"`    // automatic: a new version gets all tasks when its first worker starts; manual: when an operator says so

	EmergencyParallel int     `env:"SUPPORTDESK_EMERGENCY_PARALLEL" envDefault:"16"`     // concurrent updates of tickets in an emergency
	FanoutRate        float64 `env:"SUPPORTDESK_EMERGENCY_PER_SECOND" envDefault:"2000"` // maximum updates per second

	EmergencyDelay time.Duration `env:"SUPPORTDESK_EMERGENCY_SETTLE" envDefault:"1m"` // delay of announcements after the last change

	ReconcileEvery time.Duration `env:"SUPPORTDESK_RECONCILE_EVERY" envDefault:"15s"`     // interval of the search for lost workflows
	ReconcileAfter time.Duration `env:"SUPPORTDESK_RECONCILE_PATIENCE" envDefault:"1m"`   // how long work may be due, undecided or queued before a ticket is checked
	ReconcileRate  float64       `env:"SUPPORTDESK_RECONCILE_PER_SECOND" envDefault:"50"` // maximum tickets per second

	ShutdownTimeout time.Duration `env:"SUPPORTDESK_SHUTDOWN_TIMEOUT" envDefault:"25s"`
	LogLevel        slog.Level    `env:"SUPPORTDESK_LOG_LEVEL" envDefault:"info"`
	LogFormat       string        `env:"SUPPORTDESK_LOG_FORMAT" envDefault:"text"` // text or json

	From           mail.Address       `env:"-"` // parsed MailFrom
	ReplyAddress   string             `env:"-"` // the first of MailAddresses, in lower case; empty: replies are not read
	Mailboxes      map[string]string  `env:"-"` // parsed MailAddresses: the category of new tickets by address, in lower case
	ParsedWebhooks map[string]Webhook `env:"-"` // parsed Webhooks, by name
	ParsedIMAP     []IMAPMailbox      `env:"-"` // parsed IMAPMailboxes
}

// Load reads and validates the environment. The error lists every invalid variable.
func Load(getenv func(string) string) (Config, error) {
	var c Config
	params, err := env.GetFieldParams(&c)
	if err != nil {
		return c, fmt.Errorf("describe the configuration: %w", err)
	}
	environment := map[string]string{}
	for _, p := range params {
		if value := getenv(p.Key); value != "" {
			environment[p.Key] = value
		}
	}
	var p problems
	if err := env.ParseWithOptions(&c, env.Options{Environment: environment}); err != nil {
		all, ok := errors.AsType[env.AggregateError](err)
		if !ok {
			return c, fmt.Errorf("configuration: %w", err)
		}
		for _, err := range all.Errors {
			p.conversionError(err, environment)
		}
	}
	c.check(p.reject)
	c.parseWebhooks(getenv, p.reject)
	c.parseIMAP(getenv, p.reject)
	if len(p.errs) > 0 {
		return c, fmt.Errorf("configuration: %w", errors.Join(p.errs...))
	}
	return c, nil
}

// LoadWithoutDatabase is Load for what does not use the database: its address may be missing, and is not returned.
func LoadWithoutDatabase(getenv func(string) string) (Config, error) {
	c, err := Load(func(key string) string {
		if key == "SUPPORTDESK_DATABASE_URL" {
			return "postgres://unused"
		}
		return getenv(key)
	})
	c.DatabaseURL = ""
	return c, err
}

// problems collects the first error of each variable.
type problems struct {
	errs  []error
	names map[string]bool
}

func (p *problems) reject(name, format string, args ...any) {
	if p.names[name] {
		return
	}
	if p.names == nil {
		p.names = map[string]bool{}
	}
	p.names[name] = true
	p.errs = append(p.errs, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
}

// conversionError replaces an error of the library, which names fields and Go types, by one about the variable.
func (p *problems) conversionError(err error, environment map[string]string) {
	parse, ok := errors.AsType[env.ParseError](err)
	if !ok { // missing required variables are reported already
		p.errs = append(p.errs, err)
		return
	}
	field, _ := reflect.TypeFor[Config]().FieldByName(parse.Name)
	name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
	p.reject(name, "is not %s: %q", typeText(field.Type), environment[name])
}

func typeText(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "a time such as 30s or 5m"
	case reflect.TypeFor[slog.Level]():
		return "debug, info, warn or error"
	case reflect.TypeFor[float64]():
		return "a number"
	case reflect.TypeFor[bool]():
		return "true or false"
	default:
		return "a whole number in range"
	}
}

// maxAllowances keeps the intervals of rate limits above a nanosecond, and their products in range.
const maxAllowances = 1000

func (c *Config) check(reject reject) {
	c.checkAddresses(reject)
	checkURL(reject, "SUPPORTDESK_BASE_URL", c.BaseURL)
	if c.TemporalUIURL != "" {
		checkURL(reject, "SUPPORTDESK_TEMPORAL_UI_URL", c.TemporalUIURL)
	}
	checkHostPort(reject, "SUPPORTDESK_HTTP_ADDRESS", c.HTTPAddress)
	if c.HealthAddress != "off" {
		checkHostPort(reject, "SUPPORTDESK_HEALTH_ADDRESS", c.HealthAddress)
	}
	if c.MailHealth != "off" {
		checkHostPort(reject, "SUPPORTDESK_MAIL_HEALTH_ADDRESS", c.MailHealth)
	}
	if c.MetricsAddress != "off" {
		checkHostPort(reject, "SUPPORTDESK_METRICS_ADDRESS", c.MetricsAddress)
	}
	from, err := mail.ParseAddress(c.MailFrom)
	if err != nil || !desk.ValidAddress(from.Address) {
		reject("SUPPORTDESK_MAIL_FROM", "is not an email address: %q", c.MailFrom)
	} else {
		c.From = *from
		if c.MailDomain == "" {
			_, c.MailDomain, _ = strings.Cut(from.Address, "@")
		}
	}
	if !ticket.ValidPrefix(c.NumberPrefix) {
		reject("SUPPORTDESK_NUMBER_PREFIX", "is not one to eight capital letters or digits: %q", c.NumberPrefix)
	}
	oneOf(reject, "SUPPORTDESK_SMTP_TLS", c.SMTPTLS, "none", "starttls", "implicit")
	oneOf(reject, "SUPPORTDESK_LOG_FORMAT", c.LogFormat, "text", "json")
	oneOf(reject, "SUPPORTDESK_WORKER_PROMOTION", c.WorkerPromotion, "automatic", "manual")
	c.checkVersion(reject)
	positive(reject, "SUPPORTDESK_DATABASE_CONNS", c.DatabaseConns)
	if c.LimitFactor < 0 || c.LimitFactor > maxAllowances {
		reject("SUPPORTDESK_ALLOWANCES", "is not a number from 0 to %d: %d", maxAllowances, c.LimitFactor)
	}
	if c.SMTPPort < 1 || c.SMTPPort > 65535 {
		reject("SUPPORTDESK_SMTP_PORT", "is not a port: %d", c.SMTPPort)
	}
	c.checkDKIM(reject)
	c.checkOIDC(reject)
	c.checkIncoming(reject)
	c.checkFiles(reject)
	c.checkLimits(reject)
}

// maxVersionBytes is the length of names and builds up to which Temporal accepts both: half of an ID of 1000 bytes, less a prefix.
const maxVersionBytes = 480

// checkVersion checks the worker's version as Temporal does, which would only let the worker's polls fail.
func (c *Config) checkVersion(reject reject) {
	if strings.ContainsAny(c.WorkerDeployment, ".:") {
		reject("SUPPORTDESK_WORKER_DEPLOYMENT", "contains a dot or a colon: %q", c.WorkerDeployment)
	}
	if c.WorkerBuild == "unversioned" {
		reject("SUPPORTDESK_WORKER_BUILD", "is %q, which means workers without a version", c.WorkerBuild)
	}
	for _, variable := range [][2]string{
		{"SUPPORTDESK_WORKER_DEPLOYMENT", c.WorkerDeployment}, {"SUPPORTDESK_WORKER_BUILD", c.WorkerBuild},
	} {
		name, value := variable[0], variable[1]
		switch {
		case strings.HasPrefix(value, "__"):
			reject(name, "begins with two underscores: %q", value)
		case len(value) > maxVersionBytes:
			reject(name, "is longer than %d bytes", maxVersionBytes)
		case strings.TrimSpace(value) != value || !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
			reject(name, "begins or ends with a space, or contains what is not text: %q", value)
		}
	}
}

// maxFileMiB bounds the sizes of files: every page of the product transfers one in a request.
const maxFileMiB = 1024

// checkFiles checks the store of files and their limits.
func (c *Config) checkFiles(reject reject) {
	if u, err := url.Parse(c.BlobURL); err != nil || u.Scheme != "file" && u.Scheme != "s3" {
		reject("SUPPORTDESK_BLOB_URL", "is not a file:/// or s3:// URL") // not shown, because it may contain a secret
	}
	if c.FileMiB < 1 || c.FileMiB > maxFileMiB {
		reject("SUPPORTDESK_FILE_MIB", "is not a number from 1 to %d: %d", maxFileMiB, c.FileMiB)
	}
	if c.FileCount < 1 || c.FileCount > maxFiles {
		reject("SUPPORTDESK_FILES", "is not a number from 1 to %d: %d", maxFiles, c.FileCount)
	}
	if c.FilesMiB < c.FileMiB || c.FilesMiB > maxFileMiB {
		reject("SUPPORTDESK_FILES_MIB", "is not a number from SUPPORTDESK_FILE_MIB to %d: %d", maxFileMiB, c.FilesMiB)
	}
	if c.MailFilesMiB < 0 || c.MailFilesMiB > maxMailMiB {
		reject("SUPPORTDESK_MAIL_FILES_MIB", "is not a number from 0 to %d: %d", maxMailMiB, c.MailFilesMiB)
	}
}

const (
	maxFiles   = 100
	maxMailMiB = 50 // mail servers accept no more; an email is composed in memory
)

// FileLimits returns the limits of a message's files.
func (c Config) FileLimits() desk.FileLimits {
	return desk.FileLimits{Size: int64(c.FileMiB) << 20, Count: c.FileCount, Total: int64(c.FilesMiB) << 20}
}

// checkLimits checks rates, intervals and time-outs.
func (c *Config) checkLimits(reject reject) {
	positive(reject, "SUPPORTDESK_SMTP_TIMEOUT", c.SMTPTimeout)
	if c.SMTPTimeout > maxSMTPTimeout {
		reject("SUPPORTDESK_SMTP_TIMEOUT", "must be at most two minutes: %s", c.SMTPTimeout)
	}
	positive(reject, "SUPPORTDESK_MAILS_PER_SECOND", c.MailRate)
	positive(reject, "SUPPORTDESK_WORKER_STEPS", c.WorkerSteps)
	positive(reject, "SUPPORTDESK_WORKER_MAILS", c.WorkerMails)
	positive(reject, "SUPPORTDESK_WORKER_TICKETS", c.WorkerTickets)
	positive(reject, "SUPPORTDESK_EMERGENCY_PARALLEL", c.EmergencyParallel)
	positive(reject, "SUPPORTDESK_EMERGENCY_PER_SECOND", c.FanoutRate)
	if c.EmergencyDelay < 0 {
		reject("SUPPORTDESK_EMERGENCY_SETTLE", "is negative: %s", c.EmergencyDelay)
	}
	positive(reject, "SUPPORTDESK_RECONCILE_EVERY", c.ReconcileEvery)
	positive(reject, "SUPPORTDESK_RECONCILE_PATIENCE", c.ReconcileAfter)
	positive(reject, "SUPPORTDESK_RECONCILE_PER_SECOND", c.ReconcileRate)
	positive(reject, "SUPPORTDESK_SHUTDOWN_TIMEOUT", c.ShutdownTimeout)
}

// checkOIDC requires all settings of a provider or none.
func (c *Config) checkOIDC(reject reject) {
	if c.OIDCIssuer == "" && c.OIDCClientID == "" && c.OIDCClientSecret == "" {
		return
	}
	checkURL(reject, "SUPPORTDESK_OIDC_ISSUER", c.OIDCIssuer)
	if c.OIDCClientID == "" {
		reject("SUPPORTDESK_OIDC_CLIENT_ID", "is required for sign-in with OpenID Connect")
	}
	if c.OIDCClientSecret == "" {
		reject("SUPPORTDESK_OIDC_CLIENT_SECRET", "is required for sign-in with OpenID Connect")
	}
}

// checkAddresses validates addresses that are used only later, so that mistakes are reported at startup.
func (c *Config) checkAddresses(reject reject) {
	if u, err := url.Parse(c.DatabaseURL); c.DatabaseURL != "" && (err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql") {
		reject("SUPPORTDESK_DATABASE_URL", "is not a postgres:// URL") // not shown, because it may contain a password
	}
	if c.TemporalAddress != "" {
		checkHostPort(reject, "TEMPORAL_ADDRESS", c.TemporalAddress)
	}
	for _, proxy := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(proxy); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(proxy); err != nil {
			reject("SUPPORTDESK_TRUSTED_PROXIES", "is not a list of addresses or networks: %q", proxy)
		}
	}
}
