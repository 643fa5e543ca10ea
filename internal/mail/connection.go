package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// replyTime limits the wait for the reply to the final dot. The server may scan the mail first, and a client that gives
// up before the reply sends the mail twice (RFC 5321, section 4.5.3.2.6).
const replyTime = 10 * time.Minute

// dialer opens SMTP connections. go-mail does TLS, EHLO and authentication.
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

// connection is an open SMTP session. It is not safe for concurrent use.
type connection struct {
	raw     net.Conn // below TLS; closing it ends any command under way
	smtp    *smtp.Client
	timeout time.Duration
}

// dial connects within the time-out and until ctx ends. go-mail itself observes a context only in part.
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
		c.drop() // go-mail does not close it
		return nil, fmt.Errorf("connect to mail server: %w", err)
	}
	return c, nil
}

// guard closes the connection when ctx ends, until the returned function is called, which reports whether ctx had not ended.
func (c *connection) guard(ctx context.Context) func() bool {
	return context.AfterFunc(ctx, func() { c.raw.Close() })
}

// deliver sends a mail. After a failure the connection can't be used again. It observes ctx only before the final dot:
// afterwards the server may have accepted the mail, and only its reply says so.
func (c *connection) deliver(ctx context.Context, p outgoing) *failure {
	unguard := c.guard(ctx)
	content, f := c.transmit(p)
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

// transmit sends a mail up to the final dot. Unlike go-mail's own method it sends no RSET, which can fail after the mail
// was accepted.
func (c *connection) transmit(p outgoing) (io.Closer, *failure) {
	if err := c.smtp.UpdateDeadline(c.timeout); err != nil {
		return nil, &failure{stage: "deadline", cause: err}
	}
	c.smtp.SkipSMTPUTF8(!p.needsUTF8) // requested without need, it stops mail at later servers that don't support it
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

// finish sends the final dot and waits for the reply.
func (c *connection) finish(content io.Closer) *failure {
	if err := c.smtp.UpdateDeadline(replyTime); err != nil {
		return &failure{stage: "deadline", content: true, cause: err}
	}
	if err := content.Close(); err != nil {
		return &failure{stage: stageMessage, content: true, cause: err}
	}
	return nil
}

// supportsUTF8 reports whether the server accepts addresses that are not ASCII.
func (c *connection) supportsUTF8() bool {
	ok, _ := c.smtp.Extension("SMTPUTF8")
	return ok
}

// quit sends QUIT and closes the connection. It waits two seconds at most for the reply, on which nothing depends.
func (c *connection) quit() {
	if err := c.smtp.UpdateDeadline(min(c.timeout, 2*time.Second)); err == nil {
		_ = c.smtp.Quit() // every mail is settled already
	}
	c.drop()
}

func (c *connection) drop() {
	if c.raw != nil {
		c.raw.Close()
	}
}

const (
	idleTime = 20 * time.Second // shorter than the idle time-out of common servers
	idleMax  = 4                // connections
)

// idle is a pool of open connections, each kept for idleTime after its last mail.
type idle struct {
	mu          sync.Mutex
	connections []*idleConnection // the longest idle first
	quitting    sync.WaitGroup
	closed      bool
}

type idleConnection struct {
	*connection
	expiry *time.Timer
}

// get removes and returns the most recently used connection, or returns nil.
func (i *idle) get() *connection {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.connections) == 0 {
		return nil
	}
	last := i.connections[len(i.connections)-1]
	i.connections = i.connections[:len(i.connections)-1]
	last.expiry.Stop()
	return last.connection
}

// put adds a working connection to the pool, or closes it if the pool is full or closed.
func (i *idle) put(c *connection) {
	i.mu.Lock()
	full := i.closed || len(i.connections) >= idleMax
	if !full {
		r := &idleConnection{connection: c}
		r.expiry = time.AfterFunc(idleTime, func() { i.expire(r) })
		i.connections = append(i.connections, r)
	}
	i.mu.Unlock()
	if full {
		c.quit()
	}
}

// expire closes a connection, unless it was removed while its timer fired.
func (i *idle) expire(r *idleConnection) {
	i.mu.Lock()
	at := slices.Index(i.connections, r)
	if at < 0 {
		i.mu.Unlock()
		return
	}
	i.connections = slices.Delete(i.connections, at, at+1)
	i.quitting.Add(1)
	i.mu.Unlock()
	defer i.quitting.Done()
	r.quit()
}

// close closes all connections, and makes put close those in use.
func (i *idle) close() {
	i.mu.Lock()
	i.closed = true
	kept := i.connections
	i.connections = nil
	i.mu.Unlock()
	for _, r := range kept {
		r.expiry.Stop()
		r.quit()
	}
	i.quitting.Wait()
}
