package imap

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/holesalemart/supportdesk/internal/desk"
)

const (
	connectTime = 30 * time.Second
	commandTime = time.Minute
	mailTime    = 6 * time.Minute // for a mail; the client allows five minutes for its content
	// idleTime is how long a mailbox stays open before it is opened again. It is shorter than the 29 minutes after which servers
	// disconnect, so that a connection that died unnoticed, or a mailbox that was replaced, is found soon.
	idleTime = 5 * time.Minute
)

// session is a connection to the server of a mailbox.
type session struct {
	*Reader
	conn     net.Conn
	client   *imapclient.Client
	idle     bool          // the server supports IDLE
	changed  chan struct{} // has a value if the server announced mails
	position desk.MailboxPosition
	unhook   func() bool
}

// connect connects and signs in. The connection is closed when ctx ends.
func (r *Reader) connect(ctx context.Context) (*session, error) {
	dialer := net.Dialer{Timeout: connectTime}
	conn, err := dialer.DialContext(ctx, "tcp", r.options.Mailbox.Server)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	s := &session{Reader: r, conn: conn, changed: make(chan struct{}, 1)}
	s.unhook = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if err := s.within(connectTime, s.greet); err != nil {
		s.close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := s.within(commandTime, s.signIn); err != nil {
		s.close()
		return nil, fmt.Errorf("sign in: %w", err)
	}
	return s, nil
}

func (s *session) close() {
	s.unhook()
	_ = s.conn.Close()
	if s.client != nil {
		_ = s.client.Close() // waits for the client's goroutine
	}
}

// within closes the connection if do takes longer than limit. The client waits for responses without limit.
func (s *session) within(limit time.Duration, do func() error) error {
	var expired atomic.Bool
	timer := time.AfterFunc(limit, func() {
		expired.Store(true)
		_ = s.conn.Close()
	})
	defer timer.Stop()
	err := do()
	if err != nil && expired.Load() {
		return fmt.Errorf("no response within %s: %w", limit, err)
	}
	return err
}

// greet encrypts the connection, if it is to be, and waits for the server's greeting.
func (s *session) greet() (err error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.options.TLS != nil {
		config = s.options.TLS.Clone()
	}
	if config.ServerName, _, err = net.SplitHostPort(s.options.Mailbox.Server); err != nil {
		return err
	}
	options := &imapclient.Options{TLSConfig: config, UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: s.notice}}
	switch s.options.Mailbox.Security {
	case StartTLS:
		s.client, err = imapclient.NewStartTLS(s.conn, options)
		return err
	case TLS:
		encrypted := tls.Client(s.conn, config)
		if err := encrypted.Handshake(); err != nil {
			return err
		}
		s.client = imapclient.New(encrypted, options)
	case None:
		s.client = imapclient.New(s.conn, options)
	}
	return s.client.WaitGreeting()
}

// notice is called when the server announces how many mails there are.
func (s *session) notice(data *imapclient.UnilateralDataMailbox) {
	if data.NumMessages == nil {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default: // one is pending
	}
}

// forgetChanges prepares for looking for mails: those announced until now are found, and those announced later are looked for again.
func (s *session) forgetChanges() {
	select {
	case <-s.changed:
	default:
	}
}

func (s *session) signIn() error {
	m := s.options.Mailbox
	if m.TokenFile == "" {
		if err := s.client.Login(m.User, m.Password).Wait(); err != nil {
			return err
		}
	} else {
		token, err := os.ReadFile(m.TokenFile)
		if err != nil {
			return fmt.Errorf("read the access token: %w", err)
		}
		if err := s.client.Authenticate(&xoauth2{user: m.User, token: string(bytes.TrimSpace(token))}); err != nil {
			return err
		}
	}
	s.idle = s.client.Caps().Has(goimap.CapIdle)
	return nil
}

var errNoUIDs = errors.New("the server does not number mails permanently (UIDVALIDITY)")

// examine opens the folder, without changing flags. If its UIDs have become invalid, it is read from the beginning.
func (s *session) examine() error {
	return s.within(commandTime, func() error {
		data, err := s.client.Select(s.options.Mailbox.Folder, &goimap.SelectOptions{ReadOnly: true}).Wait()
		if err != nil {
			return fmt.Errorf("open the folder: %w", err)
		}
		if data.UIDValidity == 0 {
			return errNoUIDs
		}
		if s.position.Validity != data.UIDValidity {
			if s.position.Validity != 0 {
				s.options.Log.Warn("the mailbox was replaced or renumbered, so all its mails are read again")
			}
			s.position = desk.MailboxPosition{Validity: data.UIDValidity}
		}
		return nil
	})
}

// await waits until the server announces mails, or until an instant.
func (s *session) await(ctx context.Context, until time.Time) error {
	if !s.idle {
		s.pause(ctx, min(s.options.Poll, time.Until(until)))
		return s.within(commandTime, func() error { return s.client.Noop().Wait() })
	}
	var command *imapclient.IdleCommand
	err := s.within(commandTime, func() (err error) {
		command, err = s.client.Idle()
		return err
	})
	if err != nil {
		return err
	}
	s.pause(ctx, time.Until(until))
	return s.within(commandTime, func() error {
		return errors.Join(command.Close(), command.Wait())
	})
}

// pause waits for an announcement, the end of the connection, or a time.
func (s *session) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.changed:
	case <-s.client.Closed():
	case <-timer.C:
	}
}
