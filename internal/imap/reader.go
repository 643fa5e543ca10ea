// Package imap reads mailboxes by IMAP and passes their mails on to be stored. It relies on UIDVALIDITY and UIDs alone, never on
// flags, and changes nothing in a mailbox. The position in a mailbox is recorded after a mail is stored, so none is lost; one that
// is read twice is recognized by its content elsewhere. The package knows nothing of what becomes of a mail.
package imap

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
)

// receiver stores mails.
type receiver interface {
	Receive(ctx context.Context, e desk.Envelope, content io.Reader) (int64, error)
}

// positions keeps how far each mailbox is read, and who reads it.
type positions interface {
	ClaimMailbox(ctx context.Context, name, address, owner string, lasts time.Duration) (p desk.MailboxPosition, held bool, err error)
	AdvanceMailbox(ctx context.Context, name, owner string, p desk.MailboxPosition, read bool) error
	SkipMail(ctx context.Context, owner string, p desk.MailboxPosition, m desk.SkippedMail) error
	ReleaseMailbox(ctx context.Context, name, owner, failure string) error
}

// Security is how a connection is encrypted.
type Security int

// The kinds of encryption.
const (
	TLS      Security = iota // from the first byte
	StartTLS                 // required, before signing in
	None                     // for servers on this machine only
)

// Mailbox is where a mailbox is, and how to sign in to it.
type Mailbox struct {
	Name      string
	Server    string // host:port
	User      string
	Folder    string
	Security  Security
	Password  string
	TokenFile string // file of an OAuth 2.0 access token, read at every sign-in; then there is no password
	Recipient string // of mails that don't name one of the desk's addresses as their recipient
}

// address identifies the mailbox for which positions are kept.
func (m Mailbox) address() string { return m.User + "@" + m.Server + "/" + m.Folder }

const (
	defaultLease = 30 * time.Second // how long a mailbox stays claimed by a reader that has died
	defaultPoll  = 30 * time.Second // between checks, where the server has no IDLE
	minPause     = time.Second      // between failures
	maxPause     = 2 * time.Minute
	releaseTime  = 5 * time.Second
	maxFailure   = 500 // bytes of an error that is shown to staff
)

// Options configures a Reader. Lease and Poll may be 0, for their defaults.
type Options struct {
	Mailbox Mailbox
	Limit   int64                     // bytes of a mail; a larger one stays in the mailbox
	Own     func(address string) bool // whether the desk receives mail at an address
	TLS     *tls.Config               // nil: the system's certificate authorities
	Lease   time.Duration
	Poll    time.Duration
	Log     *slog.Logger
}

// Reader reads a mailbox. Of several readers of one mailbox, in this process or others, one reads at a time.
type Reader struct {
	options   Options
	receiver  receiver
	positions positions
	owner     string
	outage    *loop.Outage

	breaking desk.MailboxPosition // of the mail at which connections break
	breaks   int                  // how often they did
}

// New returns a Reader that stores mails with a receiver.
func New(r receiver, p positions, o Options) *Reader {
	if o.Lease == 0 {
		o.Lease = defaultLease
	}
	if o.Poll == 0 {
		o.Poll = defaultPoll
	}
	o.Log = o.Log.With("mailbox", o.Mailbox.Name)
	return &Reader{options: o, receiver: r, positions: p, owner: rand.Text(), outage: loop.NewOutage(loop.Options{
		First: minPause, Max: maxPause, Log: o.Log, Failing: "a mailbox can't be read", Recovered: "the mailbox is read again",
	})}
}

// Run reads until ctx ends. Its error is always nil.
func (r *Reader) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		held, err := r.hold(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			loop.Sleep(ctx, r.outage.Failed(err))
		case !held:
			loop.Sleep(ctx, r.options.Lease/3)
		}
	}
	return nil
}

var errLeaseLost = errors.New("the claim on the mailbox has expired")

// hold claims the mailbox and reads it until that fails. held is false if another reader has it.
func (r *Reader) hold(ctx context.Context) (held bool, err error) {
	position, held, err := r.claim(ctx)
	if err != nil || !held {
		return false, err
	}
	reading, cancel := context.WithCancelCause(ctx)
	renewed := time.Now()
	stop := loop.Every(reading, r.options.Lease/3, func(ctx context.Context) {
		switch _, held, err := r.claim(ctx); {
		case err == nil && held:
			renewed = time.Now()
		case err == nil || time.Since(renewed) > r.options.Lease:
			cancel(errLeaseLost)
		}
	})
	err = r.read(reading, position)
	stop()
	if lost := context.Cause(reading); lost != nil && ctx.Err() == nil {
		err = lost
	}
	cancel(nil)
	r.release(ctx, err)
	return true, err
}

func (r *Reader) claim(ctx context.Context) (desk.MailboxPosition, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.Lease)
	defer cancel()
	m := r.options.Mailbox
	return r.positions.ClaimMailbox(ctx, m.Name, m.address(), r.owner, r.options.Lease)
}

// release ends the claim and records why the mailbox can't be read, unless the reader was asked to end. If the database does
// not respond, the claim expires.
func (r *Reader) release(ctx context.Context, err error) {
	failure := ""
	if err != nil && ctx.Err() == nil && fault.KindOf(err) != fault.Conflict {
		failure = err.Error()
		failure = failure[:min(len(failure), maxFailure)]
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if err := r.positions.ReleaseMailbox(ctx, r.options.Mailbox.Name, r.owner, failure); err != nil {
		r.options.Log.Warn("the claim on a mailbox was not released", "error", err)
	}
}

// read reads new mails as they arrive, until that fails.
func (r *Reader) read(ctx context.Context, position desk.MailboxPosition) error {
	s, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	for s.position = position; ; {
		if err := s.examine(); err != nil {
			return err
		}
		for until := time.Now().Add(idleTime); time.Now().Before(until); {
			s.forgetChanges()
			if err := s.readNew(ctx); err != nil {
				return fmt.Errorf("read mails: %w", err)
			}
			r.outage.Recovered()
			if err := s.await(ctx, until); err != nil {
				return fmt.Errorf("wait for mails: %w", err)
			}
		}
	}
}
