// Package mailtest is a mailbox for tests: an SMTP server that stores mail, rejects what the test chooses, and can be
// stopped and restarted. For tests only.
package mailtest

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/local"
)

// patience is how long Wait waits before it fails the test.
const patience = 30 * time.Second

// Message is a received mail.
type Message = local.Message

// Sink is an SMTP server that ends with the test. Its methods are safe for concurrent use.
type Sink struct {
	t    testing.TB
	dir  string
	addr string

	mu         sync.Mutex
	run        *run
	rejectRcpt func(from, to string) *smtp.SMTPError
	rejectData func(Message) *smtp.SMTPError
}

// run is the period between a start and the next.
type run struct {
	box             *local.Mailbox
	ended, replaced chan struct{}
}

// New starts a sink that accepts all mail.
func New(t testing.TB) *Sink {
	t.Helper()
	s := &Sink{t: t, dir: t.TempDir(), addr: "127.0.0.1:0"}
	var err error
	if s.run, err = s.start(); err != nil {
		t.Fatalf("start the mail sink: %v", err)
	}
	s.addr = s.run.box.Addr()
	t.Cleanup(s.Stop)
	return s
}

func (s *Sink) start() (*run, error) {
	box, err := local.StartMailbox(local.MailboxOptions{
		Dir: s.dir, Addr: s.addr, OnRecipient: s.onRecipient, OnData: s.onData, Recent: math.MaxInt / 4, // all
	})
	if err != nil {
		return nil, err
	}
	return &run{box: box, ended: make(chan struct{}), replaced: make(chan struct{})}, nil
}

// Addr returns the host:port of the SMTP server. It stays the same across restarts.
func (s *Sink) Addr() string { return s.addr }

// RejectRecipients lets refuse answer every RCPT from now on. If refuse is nil or returns nil, the recipient is accepted.
func (s *Sink) RejectRecipients(refuse func(from, to string) *smtp.SMTPError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejectRcpt = refuse
}

// RejectMails lets refuse answer every mail at the end of DATA, like RejectRecipients. Rejected mails are not stored.
func (s *Sink) RejectMails(refuse func(Message) *smtp.SMTPError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejectData = refuse
}

func (s *Sink) onRecipient(from, to string) error {
	s.mu.Lock()
	refuse := s.rejectRcpt
	s.mu.Unlock()
	if refuse != nil {
		if err := refuse(from, to); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sink) onData(m Message) error {
	s.mu.Lock()
	refuse := s.rejectData
	s.mu.Unlock()
	if refuse != nil {
		if err := refuse(m); err != nil {
			return err
		}
	}
	return nil
}

// Stop closes all connections and rejects new ones. It is idempotent.
func (s *Sink) Stop() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.run.ended:
		return
	default:
	}
	if err := s.run.box.Stop(); err != nil {
		s.t.Errorf("stop the mail sink: %v", err)
	}
	close(s.run.ended)
}

// Restart serves again after Stop, on the same port with the same mails.
func (s *Sink) Restart() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := s.start()
	if err != nil {
		s.t.Errorf("restart the mail sink: %v", err)
		return
	}
	close(s.run.replaced)
	s.run = next
}

// Messages returns all mails in order of arrival, including those from before a restart.
func (s *Sink) Messages() []Message { return s.current().box.Messages() }

func (s *Sink) current() *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run
}

// Wait returns the first mail, received already or in the future, for which match returns true, also across restarts.
// It fails the test after 30 seconds.
func (s *Sink) Wait(t testing.TB, match func(Message) bool) Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		run := s.current()
		m, err := run.wait(ctx, match)
		if err == nil {
			return m
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%v; there are %q", err, subjects(s.Messages()))
		case <-run.replaced:
		}
	}
}

// WaitCount returns all mails as soon as there are n.
func (s *Sink) WaitCount(t testing.TB, n int) []Message {
	t.Helper()
	if n > 0 {
		s.Wait(t, func(m Message) bool { return m.ID >= n }) // IDs count from 1
	}
	return s.Messages()
}

// wait ends with the run at the latest.
func (r *run) wait(ctx context.Context, match func(Message) bool) (Message, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-r.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	return r.box.Wait(ctx, match)
}

func subjects(messages []Message) []string {
	all := make([]string, len(messages))
	for i, m := range messages {
		all[i] = m.Subject
	}
	return all
}
