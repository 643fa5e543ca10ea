package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	Desk        Desk   // the desk whose mail is passed on; zero: none
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
	if err := m.store(message.ID, append(e.header(), raw...)); err != nil {
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

func (m *Mailbox) path(id int) string {
	return filepath.Join(m.opts.Dir, fmt.Sprintf("%06d%s", id, mailSuffix))
}

func byID(message Message, id int) int { return message.ID - id }

// store stores a mail atomically. Without fsync, a power failure can lose the newest mails.
func (m *Mailbox) store(id int, text []byte) error {
	_ = os.Mkdir(m.opts.Dir, privateDir) // removed by hand, say; if it can't be made, the write says why
	if err := ReplaceFile(m.path(id), text, false); err != nil {
		return fmt.Errorf("store mail: %w", err)
	}
	return nil
}

// readRecent loads the newest mails of earlier runs and counts all. Unreadable ones are skipped, but their numbers stay
// in use.
func (m *Mailbox) readRecent() error {
	entries, err := os.ReadDir(m.opts.Dir)
	if err != nil {
		return fmt.Errorf("list the mails: %w", err)
	}
	var ids []int
	for _, entry := range entries {
		number, isMail := strings.CutSuffix(entry.Name(), mailSuffix)
		if id, err := strconv.Atoi(number); isMail && err == nil && filepath.Base(m.path(id)) == entry.Name() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	m.total = len(ids)
	for _, id := range ids[max(0, len(ids)-m.opts.Recent):] {
		m.last = id
		if message, err := m.read(id); err == nil {
			m.recent = append(m.recent, message)
		}
	}
	return nil
}

// read reads a mail from disk. The error is fs.ErrNotExist if there is none; a power failure may leave an empty file.
func (m *Mailbox) read(id int) (Message, error) {
	text, err := os.ReadFile(m.path(id))
	if err == nil && len(text) == 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return Message{}, fmt.Errorf("read a mail: %w", err)
	}
	e, raw := cutEnvelope(text)
	message := parseMessage(e, raw)
	message.ID = id
	return message, nil
}

func (m *Mailbox) newest() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

// find returns a mail by ID.
func (m *Mailbox) find(id int) (Message, bool) {
	recent := m.Messages()
	if i, found := slices.BinarySearchFunc(recent, id, byID); found {
		return recent[i], true
	}
	message, err := m.read(id)
	return message, err == nil
}

// newestFirst yields the mails before an ID, newest first: those in memory, then those on disk one at a time.
// Unreadable ones are skipped.
func (m *Mailbox) newestFirst(before int) iter.Seq[Message] {
	return func(yield func(Message) bool) {
		recent := m.Messages()
		oldest := min(before, m.newest()+1)
		for _, message := range slices.Backward(recent) {
			oldest = min(oldest, message.ID)
			if message.ID < before && !yield(message) {
				return
			}
		}
		for id := oldest - 1; id > 0; id-- {
			message, err := m.read(id)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err == nil && !yield(message) {
				return
			}
		}
	}
}
