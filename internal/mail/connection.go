package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// replyTime is how long a server may take to answer the final dot: it may look the mail over first, and whoever
// hangs up before its answer sends the mail twice (RFC 5321, section 4.5.3.2.6).
const replyTime = 10 * time.Minute

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

// deliver hands one mail over. After an error the connection is of no more use. It heeds ctx until the final dot: a
// mail that the server has in full is taken or not, and leaving before it says so only loses the answer.
func (c *connection) deliver(ctx context.Context, p outgoing) *failure {
	unguard := c.guard(ctx)
	content, f := c.tell(p)
	if !unguard() {
		if f == nil {
			f = &failure{stage: stageMessage, content: true}
		}
		f.cause = errors.Join(ctx.Err(), f.cause)
	}
	if f != nil {
		return f
	}
	return c.finish(content)
}

// tell is go-mail's own sending up to the final dot, without its RSET, which can fail after the mail was taken.
func (c *connection) tell(p outgoing) (io.Closer, *failure) {
	if err := c.smtp.UpdateDeadline(c.timeout); err != nil {
		return nil, &failure{stage: "deadline", cause: err}
	}
	c.smtp.SkipSMTPUTF8(!p.unicode) // asked for without need, it keeps mail from servers further on that lack it
	if err := c.smtp.Mail(p.from); err != nil {
		return nil, &failure{stage: stageMail, cause: err}
	}
	if err := c.smtp.Rcpt(p.to); err != nil {
		return nil, &failure{stage: stageRcpt, cause: err}
	}
	content, err := c.smtp.Data()
	if err != nil {
		return nil, &failure{stage: stageData, cause: err}
	}
	if _, err := content.Write(p.message); err != nil {
		return nil, &failure{stage: stageMessage, content: true, cause: err}
	}
	return content, nil
}

// finish sends the final dot and waits for the answer.
func (c *connection) finish(content io.Closer) *failure {
	if err := c.smtp.UpdateDeadline(replyTime); err != nil {
		return &failure{stage: "deadline", content: true, cause: err}
	}
	if err := content.Close(); err != nil {
		return &failure{stage: stageMessage, content: true, cause: err}
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
