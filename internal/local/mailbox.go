package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// MailboxOptions configures a Mailbox. The hooks are for tests: an error rejects the mail, with the code of an
// *smtp.SMTPError, and a rejected mail is not stored.
type MailboxOptions struct {
	Dir         string // one .eml file per mail; created if missing
	Addr        string // host:port; port 0 picks a free one on 127.0.0.1
	Recent      int    // number of newest mails in memory and on the first page; 0: 1000
	OnRecipient func(from, to string) error
	OnData      func(Message) error
}

const (
	defaultRecent = 1000
	mailSuffix    = ".eml"
)

// Mailbox receives all mail over SMTP, stores it and shows it. A mail acknowledged with 250 is on disk; only the newest
// are in memory.
type Mailbox struct {
	opts     MailboxOptions
	server   *smtp.Server
	listener net.Listener
	lock     *os.File
	served   chan struct{}

	mu      sync.Mutex
	recent  []Message     // the newest, by ID: at least opts.Recent if there are as many, and fewer than twice that
	last    int           // newest ID; 0: none
	total   int           // on disk
	changed chan struct{} // closed and replaced on arrival
	closed  bool
}

// StartMailbox loads the mails in Dir and serves SMTP on Addr. A port or directory in use is a fault.
func StartMailbox(opts MailboxOptions) (*Mailbox, error) {
	if opts.Recent <= 0 {
		opts.Recent = defaultRecent
	}
	m := &Mailbox{opts: opts, served: make(chan struct{}), changed: make(chan struct{})}
	var err error
	if m.lock, err = openLock(opts.Dir, "lock"); err != nil {
		return nil, err
	}
	if !tryLock(m.lock) {
		_ = m.lock.Close()
		return nil, fault.New(fault.Conflict, "another mailbox is using %s: stop it, or choose another directory", opts.Dir)
	}
	if err = m.readRecent(); err != nil {
		_ = m.lock.Close()
		return nil, err
	}
	if m.listener, err = listen(opts.Addr); err != nil {
		_ = m.lock.Close()
		return nil, err
	}
	m.server = newSMTP(m)
	go func() {
		defer close(m.served)
		_ = m.server.Serve(m.listener) // until Stop
	}()
	return m, nil
}

func listen(addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("parse mailbox address: %w", err)
	}
	if port == "0" {
		free, err := freePort()
		if err != nil {
			return nil, err
		}
		port = strconv.Itoa(free)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fault.New(fault.Conflict, "port %s is in use: choose another for the mailbox, or stop the process that uses it", port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	return listener, nil
}

// Addr returns the host:port of the SMTP server.
func (m *Mailbox) Addr() string { return m.listener.Addr().String() }

// Messages returns the newest mails in order of arrival, at most MailboxOptions.Recent.
func (m *Mailbox) Messages() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.recent[max(0, len(m.recent)-m.opts.Recent):])
}

// Wait returns the first mail, among the newest or future ones, for which match returns true, or the error of ctx.
func (m *Mailbox) Wait(ctx context.Context, match func(Message) bool) (Message, error) {
	for seen := 0; ; {
		m.mu.Lock()
		first, _ := slices.BinarySearchFunc(m.recent, seen+1, byID)
		fresh, changed, last, total := slices.Clone(m.recent[first:]), m.changed, m.last, m.total
		m.mu.Unlock()
		if i := slices.IndexFunc(fresh, match); i >= 0 {
			return fresh[i], nil
		}
		seen = last
		select {
		case <-changed:
		case <-ctx.Done():
			return Message{}, fmt.Errorf("wait for a mail among %d: %w", total, ctx.Err())
		}
	}
}

// Stop closes all connections. A mail that has not been acknowledged is not stored.
func (m *Mailbox) Stop() error {
	m.mu.Lock()
	stopped := m.closed
	m.closed = true
	m.mu.Unlock()
	if stopped {
		return nil
	}
	_ = closeListener(m.listener) // the server closes it again
	_ = m.server.Close()
	<-m.served
	return unlock(m.lock)
}

// keep stores a mail atomically under the next number.
func (m *Mailbox) keep(e envelope, raw []byte) error {
	message := parseMessage(e, raw)
	if m.opts.OnData != nil {
		if err := m.opts.OnData(message); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errors.New("the mailbox is closed")
	}
	message.ID = m.last + 1
	if err := m.write(message.ID, append(e.header(), raw...)); err != nil {
		return err
	}
	if len(m.recent) >= 2*m.opts.Recent-1 { // amortised
		m.recent = slices.Clone(m.recent[len(m.recent)-m.opts.Recent+1:])
	}
	m.recent = append(m.recent, message)
	m.last, m.total = message.ID, m.total+1
	close(m.changed)
	m.changed = make(chan struct{})
	return nil
}
