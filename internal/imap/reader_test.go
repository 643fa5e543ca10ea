package imap_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/imap"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/logtest"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
)

// office stores what readers read.
type office struct {
	*store.Store
	t     *testing.T
	pool  *pgxpool.Pool
	blobs *blob.Store
	limit int64               // bytes of a mail
	slow  func(desk.Envelope) // called before a mail is stored; may be nil

	denied atomic.Int32 // claims that were
	log    *logtest.Buffer
}

func openOffice(t *testing.T, dsn string) *office {
	t.Helper()
	o := &office{t: t, log: new(logtest.Buffer), limit: limit}
	var err error
	if o.Store, err = store.Open(t.Context(), dsn, store.Options{MaxConns: 8}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	if o.pool, err = pgxpool.New(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.pool.Close)
	if o.blobs, err = blob.Open(t.Context(), "file://"+t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.blobs.Close() })
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(o.log.String())
		}
	})
	return o
}

const limit = 256 << 10

// Receive stores a mail.
func (o *office) Receive(ctx context.Context, e desk.Envelope, content io.Reader) (int64, error) {
	if o.slow != nil {
		o.slow(e)
	}
	return inbound.NewReceiver(o.blobs, o, o.limit).Receive(ctx, e, content)
}

// ClaimMailbox counts the claims that were denied.
func (o *office) ClaimMailbox(ctx context.Context, name, address, owner string, lasts time.Duration) (desk.MailboxPosition, bool, error) {
	p, held, err := o.Store.ClaimMailbox(ctx, name, address, owner, lasts)
	if err == nil && !held {
		o.denied.Add(1)
	}
	return p, held, err
}

// mailbox returns how the server's inbox is read.
func (d *dovecot) mailbox() imap.Mailbox {
	return imap.Mailbox{
		Name: "support", Server: d.address, User: user, Folder: "INBOX", Security: imap.None, Password: password, Recipient: "support@desk.example",
	}
}

// read reads a mailbox until stop is called or the test ends.
func (o *office) read(m imap.Mailbox, change ...func(*imap.Options)) (stop func()) {
	options := imap.Options{
		Mailbox: m, Limit: limit, Own: inbound.Addresses{"support@desk.example": ""}.Accepts, Lease: 3 * time.Second,
		Log: slog.New(slog.NewTextHandler(o.log, nil)),
	}
	for _, c := range change {
		c(&options)
	}
	ctx, cancel := context.WithCancel(o.t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = imap.New(o, o, options).Run(ctx) })
	stop = func() {
		cancel()
		running.Wait()
	}
	o.t.Cleanup(stop)
	return stop
}

// eventually waits for a condition.
func (o *office) eventually(what string, holds func() bool) {
	o.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			o.t.Fatalf("in vain: %s", what)
		}
	}
}

// stored returns how many mails are stored, without duplicates, and with them.
func (o *office) stored() (mails, all int) {
	if err := o.pool.QueryRow(o.t.Context(), `SELECT count(*) FILTER (WHERE status <> 'duplicate'), count(*) FROM incoming_mails`).Scan(&mails, &all); err != nil {
		return -1, -1 // the database is down
	}
	return mails, all
}

func (o *office) awaitStored(n int) {
	o.t.Helper()
	o.eventually(fmt.Sprintf("%d mails are stored", n), func() bool {
		mails, _ := o.stored()
		return mails == n
	})
}

// awaitRead waits until the mailbox was found without further mail and without failure.
func (o *office) awaitRead(uid int) desk.MailboxStatus {
	o.t.Helper()
	var status desk.MailboxStatus
	o.eventually(fmt.Sprintf("the mailbox is read up to %d", uid), func() bool {
		all, err := o.MailboxStatuses(o.t.Context())
		if err != nil || len(all) != 1 {
			return false
		}
		status = all[0]
		var last int
		err = o.pool.QueryRow(o.t.Context(), `SELECT last_uid FROM imap_mailboxes`).Scan(&last)
		return err == nil && last == uid && !status.ReadAt.IsZero() && status.Failing.IsZero()
	})
	return status
}

// owner returns who reads the mailbox.
func (o *office) owner() (owner string) {
	o.t.Helper()
	if err := o.pool.QueryRow(o.t.Context(), `SELECT claimed_by FROM imap_mailboxes`).Scan(&owner); err != nil {
		o.t.Fatal(err)
	}
	return owner
}

func open(t *testing.T) *office { return openOffice(t, pgtest.Template(t, "store", store.Migrate)) }

func TestReader_readsWhatIsThereAndWhatArrives(t *testing.T) {
	d := startDovecot(t, "")
	d.deliver(letters(1, 120)...)
	o := open(t)
	o.read(d.mailbox())
	o.awaitStored(120)
	o.awaitRead(120)
	d.deliver(letters(121, 123)...)
	o.awaitStored(123)
	o.awaitRead(123)
	if _, all := o.stored(); all != 123 {
		t.Errorf("%d rows for 123 mails", all)
	}
	m, err := o.Incoming(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if m.Source != desk.SourceIMAP || m.Mailbox != "support" || m.ReturnPath != "carla@shop.example" || fmt.Sprint(m.Recipients) != "[support+token@desk.example]" {
		t.Errorf("%+v", m.Envelope)
	}
	content, _, err := o.blobs.Open(t.Context(), m.Blob)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if text, err := io.ReadAll(content); err != nil || string(text) != letters(1, 1)[0] {
		t.Errorf("%q, %v", text, err)
	}
}

func TestReader_pollsWithoutIdle(t *testing.T) {
	d := startDovecot(t, "imap_capability = IMAP4rev1\n")
	o := open(t)
	o.read(d.mailbox(), func(o *imap.Options) { o.Poll = 50 * time.Millisecond })
	o.awaitRead(0)
	d.deliver(letters(1, 2)...)
	o.awaitStored(2)
}

func TestReader_continuesWhereItStopped(t *testing.T) {
	d := startDovecot(t, "")
	d.deliver(letters(1, 3)...)
	o := open(t)
	stop := o.read(d.mailbox())
	o.awaitRead(3)
	stop()
	d.deliver(letters(4, 5)...)
	o.read(d.mailbox())
	o.awaitRead(5)
	if mails, all := o.stored(); mails != 5 || all != 5 {
		t.Errorf("%d mails, %d rows", mails, all)
	}
}

func TestReader_readsAReplacedMailboxFromItsBeginning(t *testing.T) {
	d := startDovecot(t, "")
	d.deliver(letters(1, 5)...)
	o := open(t)
	o.read(d.mailbox())
	o.awaitRead(5)
	d.kill()
	d.empty()
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // Dovecot's UIDVALIDITY is the second of creation
	d.start()
	d.deliver(letters(4, 8)...)
	o.awaitStored(8)
	o.awaitRead(5)
	if mails, all := o.stored(); mails != 8 || all != 10 {
		t.Errorf("%d mails, %d rows; want 8, and 2 duplicates", mails, all)
	}
}

func TestReader_survivesAKilledServer(t *testing.T) {
	d := startDovecot(t, "")
	d.deliver(letters(1, 40)...)
	o := open(t)
	var reached sync.Once
	at := make(chan struct{})
	n := 0
	o.slow = func(desk.Envelope) {
		if n++; n == 20 {
			reached.Do(func() { close(at) })
		}
	}
	o.read(d.mailbox())
	<-at
	d.kill()
	o.eventually("the failure is recorded", func() bool {
		all, err := o.MailboxStatuses(t.Context())
		return err == nil && len(all) == 1 && !all[0].Failing.IsZero() && all[0].Error != "" && all[0].Unread(time.Now())
	})
	d.start()
	d.deliver(letters(41, 45)...)
	o.awaitStored(45)
	o.awaitRead(45)
	// The mail that was being read may have been stored in full, and is read again.
	if mails, all := o.stored(); mails != 45 || all > 46 {
		t.Errorf("%d mails, want 45; %d rows", mails, all)
	}
}

func TestReader_storesNoPartOfAMail(t *testing.T) {
	d := startDovecot(t, "")
	const size = 24 << 20 // more than the buffers between the processes
	mail := letter("Long", strings.Repeat(strings.Repeat("x", 70)+"\r\n", size/72))
	d.deliver(mail)
	o := open(t)
	o.limit = 2 * size
	var once sync.Once
	o.slow = func(desk.Envelope) { once.Do(d.kill) }
	o.read(d.mailbox(), func(options *imap.Options) { options.Limit = o.limit })
	o.eventually("the transfer fails", func() bool { return strings.Contains(o.log.String(), "a mailbox can't be read") })
	d.start()
	o.awaitRead(1)
	m, err := o.Incoming(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if mails, _ := o.stored(); mails != 1 || m.Size != int64(len(mail)) {
		t.Errorf("%d mails; the first has %d bytes, want %d", mails, m.Size, len(mail))
	}
}

func TestReader_survivesAKilledDatabase(t *testing.T) {
	d := startDovecot(t, "")
	d.deliver(letters(1, 10)...)
	server := pgtest.Cluster(t)
	dsn := server.Database(t)
	if err := store.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	o := openOffice(t, dsn)
	n, at := 0, make(chan struct{})
	down := make(chan struct{})
	o.slow = func(desk.Envelope) {
		if n++; n == 5 {
			close(at)
			<-down
		}
	}
	o.read(d.mailbox())
	<-at
	server.Kill()
	close(down)
	o.eventually("the outage is logged", func() bool { return strings.Contains(o.log.String(), "a mailbox can't be read") })
	server.Restart()
	d.deliver(letters(11, 12)...)
	o.awaitStored(12)
	o.awaitRead(12)
}

func TestReader_showsAWrongPassword(t *testing.T) {
	d := startDovecot(t, "")
	d.setPassword("another")
	o := open(t)
	o.read(d.mailbox())
	o.eventually("the failure is shown", func() bool {
		all, err := o.MailboxStatuses(t.Context())
		return err == nil && len(all) == 1 && all[0].Unread(time.Now()) && strings.Contains(all[0].Error, "AUTHENTICATIONFAILED")
	})
	if strings.Contains(o.log.String(), password) {
		t.Error("the password is in the log")
	}
	d.setPassword(password)
	d.deliver(letters(1, 1)...)
	o.awaitStored(1)
	o.awaitRead(1)
}

func TestReader_leavesALargeMailAndReadsTheNext(t *testing.T) {
	d := startDovecot(t, "")
	d.deliver(letter("Too large", strings.Repeat(strings.Repeat("x", 70)+"\r\n", limit/72)), letter("Small", "word"))
	for name, known := range map[string]int64{"by its size": limit, "by its content": 1 << 30} {
		t.Run(name, func(t *testing.T) { leavesALargeMail(t, d, known) })
	}
}

// leavesALargeMail has a mailbox read by a reader that knows a limit.
func leavesALargeMail(t *testing.T, d *dovecot, known int64) {
	o := open(t)
	o.read(d.mailbox(), func(o *imap.Options) { o.Limit = known })
	o.awaitStored(1)
	o.awaitRead(2)
	skipped, err := o.SkippedMails(t.Context(), time.Now().Add(-time.Hour), 10)
	if err != nil || len(skipped) != 1 {
		t.Fatal(skipped, err)
	}
	if m := skipped[0]; m.Subject != "Too large" || m.Sender != "carla@shop.example" || m.Size <= limit || m.Reason != "too large" || m.Mailbox != "support" {
		t.Errorf("%+v", m)
	}
}

// A server that can't read a mail's file says so for this mail alone.
func TestReader_leavesAMailThatTheServerDoesNotReturn(t *testing.T) {
	d := startDovecot(t, "")
	d.deliver(letter("Unreadable", "one"), letter("Readable", "two"))
	d.unreadable("Unreadable")
	o := open(t)
	o.read(d.mailbox())
	o.awaitStored(1)
	o.awaitRead(2)
	skipped, err := o.SkippedMails(t.Context(), time.Now().Add(-time.Hour), 10)
	if err != nil || len(skipped) != 1 || skipped[0].Reason != "the mail server doesn’t return it" || skipped[0].Mailbox != "support" {
		t.Errorf("%+v, %v", skipped, err)
	}
	if all, err := o.MailboxStatuses(t.Context()); err != nil || all[0].Unread(time.Now()) {
		t.Errorf("the mailbox counts as not read: %+v, %v", all, err)
	}
}

// If it is the last mail, that may be the server's fault alone, and the mail is read once the server returns it.
func TestReader_waitsForTheLastMailThatTheServerDoesNotReturn(t *testing.T) {
	d := startDovecot(t, "")
	d.deliver(letter("Readable", "one"), letter("Unreadable", "two"))
	readable := d.unreadable("Unreadable")
	o := open(t)
	o.read(d.mailbox())
	o.eventually("the mailbox is shown as not read", func() bool {
		all, err := o.MailboxStatuses(t.Context())
		return err == nil && len(all) == 1 && all[0].Unread(time.Now())
	})
	readable()
	o.awaitStored(2)
	o.awaitRead(2)
	if skipped, err := o.SkippedMails(t.Context(), time.Now().Add(-time.Hour), 10); err != nil || len(skipped) != 0 {
		t.Errorf("%+v, %v", skipped, err)
	}
}

func TestReader_oneOfTwoReads(t *testing.T) {
	d := startDovecot(t, "")
	o := open(t)
	var mu sync.Mutex
	reading := 0
	o.slow = func(desk.Envelope) {
		mu.Lock()
		defer mu.Unlock()
		reading++
	}
	stop := o.read(d.mailbox())
	o.awaitRead(0)
	owner := o.owner()
	o.read(d.mailbox())
	o.eventually("the second reader has tried", func() bool { return o.denied.Load() > 1 })
	d.deliver(letters(1, 30)...)
	o.awaitRead(30)
	if now := o.owner(); now != owner {
		t.Errorf("%s reads, and %s did", now, owner)
	}
	mu.Lock()
	if reading != 30 {
		t.Errorf("30 mails were read %d times", reading)
	}
	mu.Unlock()
	stop() // the other one takes over
	d.deliver(letters(31, 33)...)
	o.awaitRead(33)
	if mails, all := o.stored(); mails != 33 || all != 33 {
		t.Errorf("%d mails, %d rows", mails, all)
	}
}
