package mail_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func newSender(t testing.TB, cfg mail.Config) *mail.Sender {
	t.Helper()
	s, err := mail.NewSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func undeliverable(t *testing.T, err error) *mail.Undeliverable {
	t.Helper()
	refused, ok := errors.AsType[*mail.Undeliverable](err)
	if !ok {
		t.Fatalf("got %v, want an *Undeliverable", err)
	}
	return refused
}

func temporary(t *testing.T, err error) {
	t.Helper()
	if _, permanent := errors.AsType[*mail.Undeliverable](err); err == nil || permanent || fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("got %v of kind %s, want an Unavailable fault", err, fault.KindOf(err))
	}
}

// checkDeferral checks that a *Deferral is returned for replies after RCPT, and not for earlier ones.
func checkDeferral(t *testing.T, err error, stage string, code int, reason string) {
	t.Helper()
	if fault.KindOf(err) != fault.Limited {
		t.Fatalf("got %v of kind %s, want a Limited fault", err, fault.KindOf(err))
	}
	deferral, ok := errors.AsType[*mail.Deferral](err)
	if ok != (stage != "mail") || ok && *deferral != (mail.Deferral{Code: code, Enhanced: "4.1.1", Reason: reason}) {
		t.Errorf("got %v, %+v", err, deferral)
	}
}

func TestSend_speaksEveryKindOfConnection(t *testing.T) {
	for name, b := range map[string]behaviour{
		"in clear":              {},
		"in clear and password": {password: "s3cret"},
		"STARTTLS":              {startTLS: true},
		"STARTTLS and password": {startTLS: true, password: "s3cret"},
		"TLS":                   {implicitTLS: true},
		"TLS and password":      {implicitTLS: true, password: "s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, b)
			if err := newSender(t, server.config()).Send(t.Context(), sampleMail(ticket.MailReceipt)); err != nil {
				t.Fatal(err)
			}
			got := server.only(t)
			if got.from != "support@holesalemart.example" || !slices.Equal(got.to, []string{"customer@demo.example"}) {
				t.Errorf("envelope %q to %q", got.from, got.to)
			}
			if got.tls != (b.startTLS || b.implicitTLS) {
				t.Errorf("TLS was used: %t", got.tls)
			}
		})
	}
}

func TestSend_isTemporaryWhenTheServerDoesNotTrustUsOrWeIt(t *testing.T) {
	for name, tt := range map[string]struct {
		b      behaviour
		change func(*mail.Config)
	}{
		"wrong password":      {behaviour{password: "s3cret"}, func(c *mail.Config) { c.Password = "wrong" }},
		"no password":         {behaviour{password: "s3cret"}, func(c *mail.Config) { c.Username = "" }},
		"unknown certificate": {behaviour{startTLS: true}, func(c *mail.Config) { c.Roots = nil }},
		"no STARTTLS":         {behaviour{}, func(c *mail.Config) { c.TLS = mail.TLSStartTLS }},
		"TLS to clear server": {behaviour{}, func(c *mail.Config) { c.TLS = mail.TLSImplicit; c.Timeout = time.Second }},
		"no AUTH":             {behaviour{}, func(c *mail.Config) { c.Username, c.Password = "desk", "s3cret" }},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, tt.b)
			cfg := server.config()
			tt.change(&cfg)
			temporary(t, newSender(t, cfg).Send(t.Context(), sampleMail(ticket.MailReceipt)))
			if got := server.all(); len(got) != 0 {
				t.Errorf("the server took %d mails", len(got))
			}
		})
	}
}

func TestSend_distinguishesPermanentFromTemporaryReplies(t *testing.T) {
	canary := "the mailbox of Demo <customer@demo.example>"
	reply := func(code int) func(*session) error {
		enhanced := smtp.EnhancedCode{code / 100, 1, 1}
		return func(*session) error { return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: canary} }
	}
	for _, stage := range []string{"mail", "rcpt", "data"} {
		for _, code := range []int{421, 450, 451, 452, 500, 503, 530, 535, 550, 552, 553, 554, 571} {
			t.Run(fmt.Sprintf("%s %d", stage, code), func(t *testing.T) {
				server := newServer(t, behaviourAt(stage, reply(code)))
				err := newSender(t, server.config()).Send(t.Context(), sampleMail(ticket.MailReply))
				if strings.Contains(err.Error(), "Demo") || strings.Contains(err.Error(), "maria") {
					t.Errorf("the error shows what the server said: %v", err)
				}
				if code < 500 && code != 421 {
					checkDeferral(t, err, stage, code, canary)
					return
				}
				if code == 421 || stage == "mail" || slices.Contains([]int{500, 503, 530, 535}, code) {
					temporary(t, err)
					return
				}
				refused := undeliverable(t, err)
				if refused.Code != code || refused.Enhanced != "5.1.1" || refused.Reason != canary {
					t.Errorf("got %+v", refused)
				}
			})
		}
	}
}

func behaviourAt(stage string, hook func(*session) error) behaviour {
	switch stage {
	case "mail":
		return behaviour{mail: hook}
	case "rcpt":
		return behaviour{rcpt: hook}
	default:
		return behaviour{data: hook}
	}
}

func TestSend_isTemporaryWhenTheConversationBreaks(t *testing.T) {
	for _, stage := range []string{"mail", "rcpt", "data"} {
		t.Run("dropped at "+stage, func(t *testing.T) {
			server := newServer(t, behaviourAt(stage, (*session).drop))
			temporary(t, newSender(t, server.config()).Send(t.Context(), sampleMail(ticket.MailReply)))
		})
	}
	for _, stage := range []string{"mail", "rcpt"} { // for the answer to the final dot see reply_test.go
		t.Run("silence at "+stage, func(t *testing.T) {
			server := newServer(t, behaviourAt(stage, (*session).hang))
			cfg := server.config()
			cfg.Timeout = 100 * time.Millisecond
			begun := time.Now()
			temporary(t, newSender(t, cfg).Send(t.Context(), sampleMail(ticket.MailReply)))
			if took := time.Since(begun); took > 25*time.Second { // its own is 30 seconds
				t.Errorf("took %s", took)
			}
		})
	}
	t.Run("no listener", func(t *testing.T) {
		cfg := config()
		cfg.Port = freePort(t)
		temporary(t, newSender(t, cfg).Send(t.Context(), sampleMail(ticket.MailReply)))
	})
}

func TestSend_leavesNoConnectionOpenAfterAFailure(t *testing.T) {
	server := newServer(t, behaviour{})
	cfg := server.config()
	cfg.TLS = mail.TLSStartTLS
	temporary(t, newSender(t, cfg).Send(t.Context(), sampleMail(ticket.MailReply)))
	select {
	case <-server.ended:
	case <-time.After(time.Minute):
		t.Error("the connection is still open")
	}
}

// mute accepts connections and says nothing.
func mute(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestSend_endsWithItsContext(t *testing.T) {
	named := make(chan struct{})
	server := newServer(t, behaviour{rcpt: func(s *session) error { close(named); return s.hang() }})
	silent := server.config()
	silent.Port = mute(t)
	for name, tt := range map[string]struct {
		cfg mail.Config
		at  <-chan struct{}
	}{
		"before the greeting": {silent, closed()},
		"after the recipient": {server.config(), named},
	} {
		t.Run(name, func(t *testing.T) {
			tt.cfg.Timeout = time.Minute
			s := newSender(t, tt.cfg)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-tt.at; cancel() }()
			err := s.Send(ctx, sampleMail(ticket.MailReply))
			temporary(t, err)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want it to be context.Canceled", err)
			}
		})
	}
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestSend_reusesItsConnection(t *testing.T) {
	server := newServer(t, behaviour{startTLS: true, password: "s3cret"})
	s := newSender(t, server.config())
	for range 5 {
		if err := s.Send(t.Context(), sampleMail(ticket.MailReply)); err != nil {
			t.Fatal(err)
		}
	}
	sessions, contents := server.counts()
	if contents != 5 || sessions > 2 { // go-smtp begins a second session after STARTTLS
		t.Errorf("%d mails in %d sessions", contents, sessions)
	}
}

func TestSend_reusesItsConnectionBeyondTheTimeout(t *testing.T) {
	server := newServer(t, behaviour{})
	cfg := server.config()
	cfg.Timeout = 3 * time.Second
	s := newSender(t, cfg)
	for begun := time.Now(); time.Since(begun) < cfg.Timeout+time.Second; time.Sleep(100 * time.Millisecond) {
		if err := s.Send(t.Context(), sampleMail(ticket.MailReply)); err != nil {
			t.Fatal(err)
		}
	}
	if sessions, contents := server.counts(); sessions != 1 || contents < 2 {
		t.Errorf("%d mails in %d sessions, want 1 session", contents, sessions)
	}
}

func TestSend_dialsAgainWhenTheServerLeftAnIdleConnection(t *testing.T) {
	t.Run("silently", func(t *testing.T) {
		server := newServer(t, behaviour{})
		s := newSender(t, server.config())
		for range 3 {
			if err := s.Send(t.Context(), sampleMail(ticket.MailReply)); err != nil {
				t.Fatal(err)
			}
			server.hangUp()
		}
		if sessions, contents := server.counts(); sessions != 3 || contents != 3 {
			t.Errorf("%d mails in %d sessions, want 3 in 3", contents, sessions)
		}
	})
	t.Run("with 421", func(t *testing.T) {
		server := newServer(t, behaviour{mail: func(s *session) error {
			if s.mails > 1 {
				return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "too many mails"}
			}
			return nil
		}})
		s := newSender(t, server.config())
		for range 3 {
			if err := s.Send(t.Context(), sampleMail(ticket.MailReply)); err != nil {
				t.Fatal(err)
			}
		}
		if sessions, contents := server.counts(); sessions != 3 || contents != 3 {
			t.Errorf("%d mails in %d sessions, want 3 in 3", contents, sessions)
		}
	})
}

func TestSend_neverRepeatsWhatTheServerMayHaveTaken(t *testing.T) {
	server := newServer(t, behaviour{data: func(s *session) error {
		if s.mails == 2 {
			return s.drop()
		}
		return nil
	}})
	s := newSender(t, server.config())
	if err := s.Send(t.Context(), sampleMail(ticket.MailReply)); err != nil {
		t.Fatal(err)
	}
	temporary(t, s.Send(t.Context(), sampleMail(ticket.MailReply)))
	if sessions, contents := server.counts(); sessions != 1 || contents != 2 {
		t.Errorf("received %d times in %d sessions, want 2 in 1", contents, sessions)
	}
}

func TestSend_dialsAgainOnlyOnce(t *testing.T) {
	server := newServer(t, behaviour{mail: func(s *session) error {
		if s.number == 1 && s.mails == 1 {
			return nil
		}
		return s.drop()
	}})
	s := newSender(t, server.config())
	if err := s.Send(t.Context(), sampleMail(ticket.MailReply)); err != nil {
		t.Fatal(err)
	}
	temporary(t, s.Send(t.Context(), sampleMail(ticket.MailReply)))
	if sessions, _ := server.counts(); sessions != 2 {
		t.Errorf("%d sessions, want 2", sessions)
	}
}

func TestSend_goesOnAfterARefusal(t *testing.T) {
	server := newServer(t, behaviour{rcpt: func(s *session) error {
		if strings.HasPrefix(s.current.to[0], "gone@") {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		}
		return nil
	}})
	s := newSender(t, server.config())
	for _, to := range []string{"customer@demo.example", "gone@customer.example", "customer@demo.example"} {
		l := sampleMail(ticket.MailReply)
		l.To.Address = to
		if err := s.Send(t.Context(), l); (err != nil) != strings.HasPrefix(to, "gone@") {
			t.Errorf("%s: %v", to, err)
		}
	}
	if got := server.all(); len(got) != 2 {
		t.Errorf("%d mails, want 2", len(got))
	}
}

func TestSend_manyAtOnce(t *testing.T) {
	server := newServer(t, behaviour{})
	s := newSender(t, server.config())
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			l := sampleMail(ticket.MailReply)
			l.N = n + 1
			if err := s.Send(t.Context(), l); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	for _, m := range server.all() {
		ids[parse(t, m.data).Header.Get("Message-Id")] = true
	}
	if len(ids) != 40 {
		t.Errorf("%d different mails, want 40", len(ids))
	}
}
