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

// MailboxOptions say where mails are kept and where SMTP is served. The two hooks are for tests: an error refuses
// the mail, with the code of an *smtp.SMTPError, and a mail that is refused is not kept.
type MailboxOptions struct {
	Dir         string // one .eml file a mail; made when missing
	Addr        string // host:port; port 0 picks a free one on 127.0.0.1
	Recent      int    // how many of the newest are held in memory and listed at once; 1000 when 0
	OnRecipient func(from, to string) error
	OnData      func(Message) error
}

const (
	defaultRecent = 1000
	mailSuffix    = ".eml"
)

// Mailbox takes every mail over SMTP, keeps it and shows it. What it answered 250 for is on disk; of that, only the
// newest are held in memory, so that neither a long life nor a rush fills it.
type Mailbox struct {
	opts     MailboxOptions
	server   *smtp.Server
	listener net.Listener
	lock     *os.File
	served   chan struct{}

	mu      sync.Mutex
	recent  []Message     // the newest, by ID: at least opts.Recent of them, if there are as many, and fewer than twice that
	last    int           // ID of the newest; 0 without any
	total   int           // on disk
	changed chan struct{} // closed and replaced at every arrival
	closed  bool
}

// StartMailbox reads the mails kept in Dir and serves SMTP on Addr. A port or a directory in use is a fault.
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
		return nil, fault.New(fault.Conflict, "another mailbox runs on %s: stop it, or choose another directory", opts.Dir)
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
		return nil, fmt.Errorf("read the mailbox's address: %w", err)
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
		return nil, fault.New(fault.Conflict, "port %s is in use: the mailbox needs another, or end what listens there", port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	return listener, nil
}

// Addr is the host:port that takes SMTP.
func (m *Mailbox) Addr() string { return m.listener.Addr().String() }

// Messages are the newest mails in order of arrival: MailboxOptions.Recent at most.
func (m *Mailbox) Messages() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.recent[max(0, len(m.recent)-m.opts.Recent):])
}

// Wait returns the first mail, among the newest or still to come, that match accepts, or ctx's error.
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

// Stop cuts every connection. A mail that was not answered yet is not kept.
func (m *Mailbox) Stop() error {
	m.mu.Lock()
	stopped := m.closed
	m.closed = true
	m.mu.Unlock()
	if stopped {
		return nil
	}
	_ = closeListener(m.listener) // the server closes it again, once it has heard of it
	_ = m.server.Close()
	<-m.served
	return unlock(m.lock)
}

// keep writes a mail under the next number, complete or not at all.
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
	if len(m.recent) >= 2*m.opts.Recent-1 { // rarely, so that a mail costs no more for those before it
		m.recent = slices.Clone(m.recent[len(m.recent)-m.opts.Recent+1:])
	}
	m.recent = append(m.recent, message)
	m.last, m.total = message.ID, m.total+1
	close(m.changed)
	m.changed = make(chan struct{})
	return nil
}
