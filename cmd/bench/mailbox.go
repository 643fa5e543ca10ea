package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/mail"
	"regexp"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// mailbox is an SMTP server that notes when mails arrive, and stores nothing: its cost is not the product's.
type mailbox struct {
	server   *smtp.Server
	listener net.Listener

	mu      sync.Mutex
	total   int
	counts  map[string]int // by ticket
	first   []arrival      // the first mail of each ticket, in order
	changed chan struct{}  // closed and replaced at each arrival
}

type arrival struct {
	number string
	at     time.Time
}

func startMailbox() (*mailbox, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	m := &mailbox{listener: listener, counts: map[string]int{}, changed: make(chan struct{})}
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{m}, nil }))
	m.server.Domain = "localhost"
	m.server.ErrorLog = log.New(io.Discard, "", 0)
	go func() { _ = m.server.Serve(listener) }() // until stop
	return m, nil
}

func (m *mailbox) stop() { _ = m.server.Close() }

type mailSession struct{ mailbox *mailbox }

func (*mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (*mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (*mailSession) Reset()                               {}
func (*mailSession) Logout() error                        { return nil }

var numberInSubject = regexp.MustCompile(`\[([A-Z0-9]+-[0-9A-Z]{10})\]`)

func (s *mailSession) Data(r io.Reader) error {
	message, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, message.Body); err != nil {
		return err
	}
	number := ""
	if found := numberInSubject.FindStringSubmatch(message.Header.Get("Subject")); found != nil {
		number = found[1]
	}
	s.mailbox.note(number)
	return nil
}

func (m *mailbox) note(number string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total++
	if number != "" {
		m.counts[number]++
		if m.counts[number] == 1 {
			m.first = append(m.first, arrival{number, time.Now()})
		}
	}
	close(m.changed)
	m.changed = make(chan struct{})
}

// await waits until a condition holds, which is checked under the lock after each arrival.
func (m *mailbox) await(ctx context.Context, what string, holds func() bool) error {
	for {
		m.mu.Lock()
		ok, changed, total := holds(), m.changed, m.total
		m.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s, with %d mails: %w", what, total, ctx.Err())
		}
	}
}

// awaitReceipts waits for the first mails of n tickets in all.
func (m *mailbox) awaitReceipts(ctx context.Context, n int) error {
	return m.await(ctx, fmt.Sprint(n, " receipts"), func() bool { return len(m.first) >= n })
}

// awaitMails waits until there are n mails about a ticket.
func (m *mailbox) awaitMails(ctx context.Context, number string, n int) error {
	return m.await(ctx, fmt.Sprint("mail ", n, " of ", number), func() bool { return m.counts[number] >= n })
}

// receipts returns the first mails of all tickets, in order of arrival.
func (m *mailbox) receipts() []arrival {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]arrival(nil), m.first...)
}
