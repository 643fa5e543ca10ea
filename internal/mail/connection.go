package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// dialer opens connections: TCP, TLS, EHLO and authentication, which go-mail does.
type dialer struct {
	host     string
	implicit bool // TLS from the first byte
	tls      *tls.Config
	timeout  time.Duration
	options  []gomail.Option
}

func newDialer(cfg Config) (*dialer, error) {
	d := &dialer{
		host: cfg.Host, implicit: cfg.TLS == TLSImplicit, timeout: cfg.Timeout,
		tls: &tls.Config{ServerName: cfg.Host, RootCAs: cfg.Roots, MinVersion: tls.VersionTLS12},
	}
	policy := gomail.NoTLS
	if cfg.TLS == TLSStartTLS {
		policy = gomail.TLSMandatory
	}
	d.options = []gomail.Option{
		gomail.WithPort(cfg.Port), gomail.WithTimeout(cfg.Timeout), gomail.WithHELO(cfg.Domain),
		gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(d.tls),
	}
	if cfg.Username != "" {
		d.options = append(d.options, gomail.WithUsername(cfg.Username), gomail.WithPassword(cfg.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthSCRAMSHA256))
	}
	_, err := gomail.NewClient(d.host, d.options...)
	if err != nil {
		return nil, fmt.Errorf("configure SMTP client: %w", err)
	}
	return d, nil
}

// connection is one that a server has accepted. Not for concurrent use.
type connection struct {
	raw     net.Conn // below any TLS: closing it ends whatever is under way
	smtp    *smtp.Client
	timeout time.Duration
}

// dial connects, in the time-out and until ctx ends; go-mail itself heeds a context only in part.
func (d *dialer) dial(ctx context.Context) (*connection, error) {
	c := &connection{timeout: d.timeout}
	unguard := func() bool { return true }
	open := func(dialing context.Context, network, address string) (net.Conn, error) {
		raw, err := new(net.Dialer).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		c.raw = raw
		unguard = c.guard(ctx)
		if !d.implicit {
			return raw, nil
		}
		secure := tls.Client(raw, d.tls)
		return secure, secure.HandshakeContext(dialing)
	}
	client, err := gomail.NewClient(d.host, append(slices.Clip(d.options), gomail.WithDialContextFunc(open))...)
	if err != nil {
		return nil, fmt.Errorf("configure SMTP client: %w", err)
	}
	c.smtp, err = client.DialToSMTPClientWithContext(ctx)
	if !unguard() {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		c.drop() // go-mail leaves it open
		return nil, fmt.Errorf("connect to mail server: %w", err)
	}
	return c, nil
}

// guard ends the connection when ctx ends. The function it returns calls that off, and reports whether in time.
func (c *connection) guard(ctx context.Context) func() bool {
	return context.AfterFunc(ctx, func() { c.raw.Close() })
}

// deliver hands one mail over. After an error the connection is of no more use.
func (c *connection) deliver(ctx context.Context, p parcel) *failure {
	unguard := c.guard(ctx)
	f := c.transact(p)
	if !unguard() && f != nil {
		f.cause = errors.Join(ctx.Err(), f.cause)
	}
	return f
}

// transact is go-mail's own sending without its RSET, which can fail after the mail was taken.
func (c *connection) transact(p parcel) *failure {
	if err := c.smtp.UpdateDeadline(c.timeout); err != nil {
		return &failure{stage: "deadline", cause: err}
	}
	c.smtp.SkipSMTPUTF8(!p.unicode) // asked for without need, it keeps mail from servers further on that lack it
	if err := c.smtp.Mail(p.from); err != nil {
		return &failure{stage: "MAIL", cause: err}
	}
	if err := c.smtp.Rcpt(p.to); err != nil {
		return &failure{stage: "RCPT", cause: err}
	}
	content, err := c.smtp.Data()
	if err != nil {
		return &failure{stage: "DATA", cause: err}
	}
	if _, err := content.Write(p.message); err != nil {
		return &failure{stage: "message", content: true, cause: err}
	}
	if err := content.Close(); err != nil {
		return &failure{stage: "message", content: true, cause: err}
	}
	return nil
}

// unicode reports whether the server takes addresses beyond ASCII.
func (c *connection) unicode() bool {
	ok, _ := c.smtp.Extension("SMTPUTF8")
	return ok
}

// quit takes leave of the server. It waits for the answer briefly: nothing depends on it.
func (c *connection) quit() {
	if err := c.smtp.UpdateDeadline(min(c.timeout, 2*time.Second)); err == nil {
		_ = c.smtp.Quit() // the server has all it needs, whatever it says
	}
	c.drop()
}

func (c *connection) drop() {
	if c.raw != nil {
		c.raw.Close()
	}
}
