// Package config is everything that the environment says, read once and checked at once. It knows names, types and
// defaults, and nothing of what they are used for.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Config is one process's configuration. Temporal's own variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
// TEMPORAL_API_KEY, TEMPORAL_TLS…) are read by Temporal's library.
type Config struct {
	DatabaseURL   string `env:"SUPPORTDESK_DATABASE_URL,required,notEmpty"` // postgres://…
	DatabaseConns int32  `env:"SUPPORTDESK_DATABASE_CONNS" envDefault:"16"` // connections at most, a process

	HTTPAddress    string   `env:"SUPPORTDESK_HTTP_ADDRESS" envDefault:":8080"`   // of the API
	HealthAddress  string   `env:"SUPPORTDESK_HEALTH_ADDRESS" envDefault:":8081"` // of the worker's /healthz and /readyz; "off": none
	BaseURL        string   `env:"SUPPORTDESK_BASE_URL" envDefault:"http://localhost:8080"`
	TrustedProxies []string `env:"SUPPORTDESK_TRUSTED_PROXIES"` // addresses or networks whose X-Forwarded-For counts
	NumberPrefix   string   `env:"SUPPORTDESK_NUMBER_PREFIX" envDefault:"HM"`

	SMTPHost     string        `env:"SUPPORTDESK_SMTP_HOST" envDefault:"localhost"`
	SMTPPort     int           `env:"SUPPORTDESK_SMTP_PORT" envDefault:"587"`
	SMTPUsername string        `env:"SUPPORTDESK_SMTP_USERNAME"`
	SMTPPassword string        `env:"SUPPORTDESK_SMTP_PASSWORD"`
	SMTPTLS      string        `env:"SUPPORTDESK_SMTP_TLS" envDefault:"starttls"` // none, starttls or implicit
	SMTPTimeout  time.Duration `env:"SUPPORTDESK_SMTP_TIMEOUT" envDefault:"30s"`
	MailFrom     string        `env:"SUPPORTDESK_MAIL_FROM" envDefault:"Support <support@localhost>"`
	MailDomain   string        `env:"SUPPORTDESK_MAIL_DOMAIN"`                      // of Message-IDs; default: that of MailFrom
	MailRate     float64       `env:"SUPPORTDESK_MAILS_PER_SECOND" envDefault:"50"` // across all workers

	WorkerSteps   int `env:"SUPPORTDESK_WORKER_STEPS" envDefault:"16"`
	WorkerMails   int `env:"SUPPORTDESK_WORKER_MAILS" envDefault:"8"`
	WorkerTickets int `env:"SUPPORTDESK_WORKER_TICKETS" envDefault:"10000"` // kept in memory, about 50 KB each

	ShutdownTimeout time.Duration `env:"SUPPORTDESK_SHUTDOWN_TIMEOUT" envDefault:"25s"`
	LogLevel        slog.Level    `env:"SUPPORTDESK_LOG_LEVEL" envDefault:"info"`
	LogFormat       string        `env:"SUPPORTDESK_LOG_FORMAT" envDefault:"text"` // text or json

	From mail.Address `env:"-"` // MailFrom, read
}

// Load reads and checks the environment. The error names every variable that is wrong, not only the first.
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
	var problems []error
	if err := env.ParseWithOptions(&c, env.Options{Environment: environment}); err != nil {
		all, ok := errors.AsType[env.AggregateError](err)
		if !ok {
			return c, fmt.Errorf("configuration: %w", err)
		}
		problems = append(problems, all.Errors...)
	}
	problems = append(problems, c.check()...)
	if len(problems) > 0 {
		return c, fmt.Errorf("configuration: %w", errors.Join(problems...))
	}
	return c, nil
}

func (c *Config) check() []error {
	var problems []error
	reject := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
	}
	if u, err := url.Parse(c.BaseURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		reject("SUPPORTDESK_BASE_URL", "is not an http or https address: %q", c.BaseURL)
	}
	for name, address := range map[string]string{
		"SUPPORTDESK_HTTP_ADDRESS": c.HTTPAddress, "SUPPORTDESK_HEALTH_ADDRESS": c.HealthAddress,
	} {
		if _, _, err := net.SplitHostPort(address); err != nil && address != "off" {
			reject(name, "is not host:port: %q", address)
		}
	}
	from, err := mail.ParseAddress(c.MailFrom)
	if err != nil {
		reject("SUPPORTDESK_MAIL_FROM", "is not a mail address: %q", c.MailFrom)
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
	positive(reject, "SUPPORTDESK_DATABASE_CONNS", c.DatabaseConns)
	positive(reject, "SUPPORTDESK_SMTP_PORT", c.SMTPPort)
	positive(reject, "SUPPORTDESK_SMTP_TIMEOUT", c.SMTPTimeout)
	positive(reject, "SUPPORTDESK_MAILS_PER_SECOND", c.MailRate)
	positive(reject, "SUPPORTDESK_WORKER_STEPS", c.WorkerSteps)
	positive(reject, "SUPPORTDESK_WORKER_MAILS", c.WorkerMails)
	positive(reject, "SUPPORTDESK_WORKER_TICKETS", c.WorkerTickets)
	positive(reject, "SUPPORTDESK_SHUTDOWN_TIMEOUT", c.ShutdownTimeout)
	return problems
}

type reject func(name, format string, args ...any)

func oneOf(reject reject, name, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	reject(name, "is not %s: %q", strings.Join(allowed, " or "), value)
}

func positive[N int | int32 | float64 | time.Duration](reject reject, name string, value N) {
	if value <= 0 {
		reject(name, "must be more than zero: %v", value)
	}
}
