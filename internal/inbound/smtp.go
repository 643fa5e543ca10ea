package inbound

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/netutil"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/smtpreply"
)

const (
	maxRecipients  = 100              // of one mail
	maxLineLength  = 1 << 20          // bytes; RFC 5321 allows 1,000, and programs write more
	maxConnections = 100              // at once; further ones wait
	lineTimeout    = time.Minute      // for the client's next line, or the next part of a mail
	mailTimeout    = 30 * time.Minute // for a mail
)

// ServerOptions configures a Server.
type ServerOptions struct {
	LMTP      bool // else SMTP
	Name      string
	Limit     int64 // bytes of a mail
	Addresses Addresses
	TLS       *tls.Config // for STARTTLS; nil: not offered
	Log       *slog.Logger

	PerHost  int                   // simultaneous connections of one host; 0: no limit
	Internal func(netip.Addr) bool // hosts of our own, for which PerHost does not count; nil: none
}

// Server accepts mails for the desk by SMTP or LMTP. It relays nothing: every recipient must be an address of the desk.
type Server struct {
	receiver *Receiver
	options  ServerOptions
	smtp     *smtp.Server
	open     sync.RWMutex // read-locked for each mail that is being stored, and locked at the end
}

// NewServer returns a Server that stores mails with a Receiver.
func NewServer(r *Receiver, o ServerOptions) *Server {
	s := &Server{receiver: r, options: o}
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
	s.smtp.LMTP = o.LMTP
	s.smtp.Domain = o.Name
	s.smtp.MaxMessageBytes = o.Limit
	s.smtp.MaxRecipients = maxRecipients
	s.smtp.MaxLineLength = maxLineLength
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = lineTimeout, lineTimeout
	s.smtp.EnableSMTPUTF8, s.smtp.EnableBINARYMIME = true, true
	s.smtp.TLSConfig = o.TLS
	s.smtp.ErrorLog = log.New(io.Discard, "", 0) // disconnected clients are not worth logging
	return s
}

// Serve accepts connections until ctx ends, and then waits for the mails that are being stored.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = s.smtp.Close() })
	defer stop()
	err := s.smtp.Serve(lines{netutil.LimitListener(newHostLimit(l, s.options), maxConnections)})
	s.open.Lock()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("serve mail: %w", err)
}

// session is a connection of a mail server.
type session struct {
	server *Server
	conn   *smtp.Conn
	from   string
	to     []string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

var errNotOurs = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox here"}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !s.server.options.Addresses.Accepts(to) {
		return errNotOurs
	}
	s.to = append(s.to, to)
	return nil
}

var errEnding = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "the server is shutting down; try again later"}

// Data stores a mail. The server answers 250 only after it returns.
func (s *session) Data(r io.Reader) error {
	if !s.server.open.TryRLock() {
		return errEnding
	}
	defer s.server.open.RUnlock()
	// A client that disconnects after the last line still gets its mail stored, so its connection does not end the context.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	line := lineOf(s.conn.Conn())
	line.mailUntil(time.Now().Add(mailTimeout))
	defer line.mailUntil(time.Time{})
	id, err := s.server.receiver.Receive(ctx, s.envelope(), r)
	if err != nil {
		return s.reply(err)
	}
	s.server.options.Log.Info("mail received", "mail", id, "source", s.envelope().Source)
	return nil
}

func (s *session) envelope() desk.Envelope {
	source := desk.SourceSMTP
	if s.server.options.LMTP {
		source = desk.SourceLMTP
	}
	client, _, _ := net.SplitHostPort(s.conn.Conn().RemoteAddr().String()) // empty for a Unix socket
	return desk.Envelope{Source: source, Client: client, Helo: s.conn.Hostname(), ReturnPath: s.from, Recipients: s.to}
}

// reply returns the reply for a mail that was not accepted, and logs what is a failure of ours.
func (s *session) reply(err error) error {
	reply := smtpreply.For(err)
	if reply.Temporary() {
		s.server.options.Log.Error("a mail was not accepted", "error", err)
	}
	return reply
}

func (s *session) Reset() { s.from, s.to = "", nil }

func (s *session) Logout() error { return nil }
