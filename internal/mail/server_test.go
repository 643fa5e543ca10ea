package mail_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/mail"
)

// behaviour is how a server answers. Each hook gets the session's number and the mail's number in it, both from 1.
type behaviour struct {
	mail, rcpt, data func(s *session) error
	password         string // asked for when set
	unicode          bool
	startTLS         bool
	implicitTLS      bool
}

// received is a mail that the server took.
type received struct {
	from string
	to   []string
	utf8 bool
	data []byte
	tls  bool
}

// server is a real SMTP server on a port of its own.
type server struct {
	behaviour
	port  int
	roots *x509.CertPool

	mu       sync.Mutex
	mails    []received
	sessions int
	contents int // how often a whole mail was received, accepted or not
	conns    map[*smtp.Conn]bool
	hanging  chan struct{} // closed at the end of the test
	ended    chan struct{} // one for each session that has ended
}

func newServer(t testing.TB, b behaviour) *server {
	t.Helper()
	s := &server{behaviour: b, conns: map[*smtp.Conn]bool{}, hanging: make(chan struct{}), ended: make(chan struct{}, 10_000)}
	certificate, roots := newCertificate(t)
	s.roots = roots
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	backend := smtp.NewServer(smtp.BackendFunc(s.newSession))
	backend.Domain, backend.ErrorLog = "mx.test", log.New(io.Discard, "", 0)
	backend.EnableSMTPUTF8 = b.unicode
	backend.AllowInsecureAuth = !b.startTLS
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	if b.startTLS {
		backend.TLSConfig = config
	}
	if b.implicitTLS {
		listener = tls.NewListener(listener, config)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		backend.Serve(listener)
	}()
	t.Cleanup(func() {
		close(s.hanging)
		backend.Close()
		<-served
	})
	return s
}

func (s *server) config() mail.Config {
	cfg := config()
	cfg.Port, cfg.Roots = s.port, s.roots
	switch {
	case s.startTLS:
		cfg.TLS = mail.TLSStartTLS
	case s.implicitTLS:
		cfg.TLS = mail.TLSImplicit
	}
	if s.password != "" {
		cfg.Username, cfg.Password = "desk", s.password
	}
	return cfg
}

func (s *server) newSession(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions++
	s.conns[c] = true
	plain := &session{server: s, conn: c, number: s.sessions}
	if s.password != "" {
		return &guarded{session: plain}, nil
	}
	return plain, nil
}

func (s *server) all() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.mails...)
}

func (s *server) only(t testing.TB) received {
	t.Helper()
	all := s.all()
	if len(all) != 1 {
		t.Fatalf("the server has %d mails, want 1", len(all))
	}
	return all[0]
}

func (s *server) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = nil
}

func (s *server) counts() (sessions, contents int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions, s.contents
}

// hangUp ends every connection without a word.
func (s *server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Conn().Close()
	}
}

type session struct {
	server  *server
	conn    *smtp.Conn
	number  int // of the session
	mails   int // received in it, this one included
	current received
}

func (s *session) hook(f func(*session) error) error {
	if f == nil {
		return nil
	}
	return f(s)
}

func (s *session) Mail(from string, o *smtp.MailOptions) error {
	s.mails++
	_, secure := s.conn.TLSConnectionState()
	s.current = received{from: from, utf8: o.UTF8, tls: secure}
	return s.hook(s.server.mail)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.current.to = append(s.current.to, to)
	return s.hook(s.server.rcpt)
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	s.server.contents++
	s.server.mu.Unlock()
	if err := s.hook(s.server.data); err != nil {
		return err
	}
	s.current.data = bytes.Clone(data)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.current)
	return nil
}

func (s *session) Reset() {}

func (s *session) Logout() error {
	select {
	case s.server.ended <- struct{}{}:
	default:
	}
	return nil
}

// hang answers nothing until the test ends.
func (s *session) hang() error {
	<-s.server.hanging
	return errors.New("test over")
}

// drop ends the connection without a word.
func (s *session) drop() error {
	s.conn.Conn().Close()
	return errors.New("dropped")
}

// guarded asks for a password first.
type guarded struct {
	*session
	known bool
}

func (g *guarded) AuthMechanisms() []string { return []string{sasl.Plain} }

func (g *guarded) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "desk" || password != g.server.password {
			return smtp.ErrAuthFailed
		}
		g.known = true
		return nil
	}), nil
}

func (g *guarded) Mail(from string, o *smtp.MailOptions) error {
	if !g.known {
		return smtp.ErrAuthRequired
	}
	return g.session.Mail(from, o)
}

func newCertificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func clientTLS(s *server) *tls.Config { return &tls.Config{ServerName: "127.0.0.1", RootCAs: s.roots} }
