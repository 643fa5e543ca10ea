package postfixtest_test

import (
	"fmt"
	"io"
	"net"
	"net/smtp"
	"sync/atomic"
	"testing"
	"time"

	lmtp "github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/postfixtest"
)

// sink accepts mails by LMTP and counts them.
type sink struct{ mails *atomic.Int64 }

func (s sink) NewSession(*lmtp.Conn) (lmtp.Session, error) { return s, nil }
func (s sink) Mail(string, *lmtp.MailOptions) error        { return nil }
func (s sink) Rcpt(string, *lmtp.RcptOptions) error        { return nil }
func (s sink) Reset()                                      {}
func (s sink) Logout() error                               { return nil }

func (s sink) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	s.mails.Add(1)
	return err
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

func TestServer_keepsMailsUntilTheyCanBeDelivered(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s := postfixtest.Start(t, "desk.example", address)
	send := func(n int) {
		mail := fmt.Appendf(nil, "From: a@client.example\r\nTo: support@desk.example\r\nSubject: %d\r\n\r\nHello.\r\n", n)
		if err := smtp.SendMail(s.Addr, nil, "a@client.example", []string{"support@desk.example"}, mail); err != nil {
			t.Fatal(err)
		}
	}
	send(1)
	send(2)
	if queued := len(s.Queue()); queued != 2 {
		t.Fatalf("%d mails wait, want 2", queued)
	}
	if err := smtp.SendMail(s.Addr, nil, "a@client.example", []string{"a@elsewhere.example"}, nil); err == nil {
		t.Error("Postfix relays to elsewhere")
	}
	if listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	var mails atomic.Int64
	server := lmtp.NewServer(sink{&mails})
	server.LMTP = true
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	await(t, "the queue is empty", func() bool { return len(s.Queue()) == 0 })
	if killed := s.Kill("qmgr"); killed != 1 {
		t.Errorf("%d queue managers were killed", killed)
	}
	send(3)
	await(t, "the queue is empty", func() bool { return len(s.Queue()) == 0 })
	if sent := s.Sent(); len(sent) != 3 || mails.Load() != 3 {
		t.Errorf("the log says %v, and %d mails arrived", sent, mails.Load())
	}
}
