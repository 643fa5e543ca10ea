package mail_test

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// memoryStore is an in-memory store of one mail that can fail.
type memoryStore struct {
	unused
	claims
	data     desk.MailData
	loadErr  error
	failures int // of the next records
	tries    int
	state    string
	reason   string
	deferred time.Time
	onRecord func(context.Context)

	recordErr error // of every record
}

var errStore = errors.New("the database is away")

func (b *memoryStore) LoadMail(context.Context, ticket.Number, int) (desk.MailData, desk.DeliveryStatus, error) {
	return b.data, cmp.Or(desk.DeliveryStatus(b.state), desk.DeliveryOwed), b.loadErr
}

func (b *memoryStore) SettleDelivery(ctx context.Context, _ outbox.Key, status desk.DeliveryStatus, reason string) error {
	return b.record(ctx, string(status), reason)
}

func (b *memoryStore) DeferDelivery(context.Context, outbox.Key, string, time.Duration) (time.Time, error) {
	if b.deferred.IsZero() {
		b.deferred = time.Now()
	}
	return b.deferred, b.recordErr
}

// fourthMail is the key of a sampleMail.
var fourthMail = outbox.Key{Queue: outbox.TicketMails, Ticket: number, N: 4}

// ticketOutbox returns an outbox that delivers from a store.
func ticketOutbox(b *memoryStore, s interface {
	Send(context.Context, desk.MailData) error
}) *outbox.Outbox {
	return outbox.New(b, map[outbox.Queue]outbox.Transport{outbox.TicketMails: mail.TicketMails(b.LoadMail, s.Send)}, slog.New(slog.DiscardHandler))
}

func (b *memoryStore) record(ctx context.Context, state, reason string) error {
	b.tries++
	if b.onRecord != nil {
		b.onRecord(ctx)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.recordErr != nil {
		return b.recordErr
	}
	if b.failures > 0 {
		b.failures--
		return errStore
	}
	b.state, b.reason = state, reason
	b.settle()
	return nil
}

// fakeSender counts mails and always returns the same error.
type fakeSender struct {
	sent int
	err  error
	then func()
}

func (w *fakeSender) Send(context.Context, desk.MailData) error {
	w.sent++
	if w.then != nil {
		w.then()
	}
	return w.err
}

func TestDeliver_sendsOnceAndRecords(t *testing.T) {
	server := newServer(t, behaviour{})
	outbox := &memoryStore{data: sampleMail(ticket.MailReply)}
	p := ticketOutbox(outbox, newSender(t, server.config()))
	for range 3 {
		if bounced, err := p.Deliver(t.Context(), fourthMail); bounced || err != nil {
			t.Fatal(bounced, err)
		}
	}
	server.only(t)
	if outbox.state != "sent" || outbox.tries != 1 {
		t.Errorf("recorded %q in %d tries", outbox.state, outbox.tries)
	}
}

func TestDeliver_recordsABounceWithItsReason(t *testing.T) {
	server := newServer(t, behaviour{rcpt: func(*session) error {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no\nsuch user"}
	}})
	outbox := &memoryStore{data: sampleMail(ticket.MailReply), failures: 1}
	p := ticketOutbox(outbox, newSender(t, server.config()))
	if bounced, err := p.Deliver(t.Context(), fourthMail); !bounced || err != nil {
		t.Fatal(bounced, err)
	}
	if outbox.state != "bounced" || outbox.reason != "550 5.1.1 no such user" {
		t.Errorf("recorded %q, %q", outbox.state, outbox.reason)
	}
	outbox.state, outbox.data.To.Address = "", "nobody"
	if bounced, err := p.Deliver(t.Context(), fourthMail); !bounced || err != nil || outbox.reason != "This is not a valid email address." {
		t.Fatal(bounced, err, outbox.reason)
	}
}

func TestDeliver_sendsNothingToADisabledPerson(t *testing.T) {
	outbox, w := &memoryStore{data: sampleMail(ticket.MailCustomerReply)}, &fakeSender{}
	outbox.data.Disabled = true
	if bounced, err := ticketOutbox(outbox, w).Deliver(t.Context(), fourthMail); !bounced || err != nil {
		t.Fatal(bounced, err)
	}
	if w.sent != 0 || outbox.state != "bounced" || outbox.reason != "the recipient has been disabled" {
		t.Errorf("sent %d times, recorded %q, %q", w.sent, outbox.state, outbox.reason)
	}
}

func TestDeliver_insistsOnRecordingWhatWasSent(t *testing.T) {
	const outage = 15 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		outbox, w := &memoryStore{data: sampleMail(ticket.MailReply)}, &fakeSender{}
		up := time.Now().Add(outage)
		outbox.onRecord = func(context.Context) {
			if time.Now().Before(up) {
				outbox.failures = 1
			}
		}
		if bounced, err := ticketOutbox(outbox, w).Deliver(t.Context(), fourthMail); bounced || err != nil {
			t.Fatal(bounced, err)
		}
		if w.sent != 1 || outbox.state != "sent" {
			t.Errorf("sent %d times, recorded %q", w.sent, outbox.state)
		}
		if late := time.Since(up); late > 2*time.Second {
			t.Errorf("recorded %s after the outage", late)
		}
	})
}

func TestDeliver_doesNotInsistOnWhatCanNeverBe(t *testing.T) {
	outbox, w := &memoryStore{data: sampleMail(ticket.MailReply), recordErr: fault.New(fault.NotFound, "there is no such email")}, &fakeSender{}
	_, err := ticketOutbox(outbox, w).Deliver(t.Context(), fourthMail)
	if fault.KindOf(err) != fault.NotFound || outbox.tries != 1 {
		t.Errorf("%v after %d tries", err, outbox.tries)
	}
}

func TestDeliver_givesUpRecordingWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		outbox, w := &memoryStore{data: sampleMail(ticket.MailReply), failures: 1_000_000}, &fakeSender{}
		begun := time.Now()
		if _, err := ticketOutbox(outbox, w).Deliver(ctx, fourthMail); !errors.Is(err, errStore) {
			t.Fatal(err)
		}
		if took := time.Since(begun); w.sent != 1 || took != 20*time.Minute {
			t.Errorf("sent %d times, gave up recording after %s", w.sent, took)
		}
	})
}

func TestDeliver_recordsWhatWasSentAsItsContextEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	outbox, w := &memoryStore{data: sampleMail(ticket.MailReply)}, &fakeSender{then: cancel}
	if _, err := ticketOutbox(outbox, w).Deliver(ctx, fourthMail); err != nil || outbox.state != "sent" {
		t.Errorf("recorded %q, %v", outbox.state, err)
	}
}

func TestDeliver_triesOnceMoreToRecordWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		outbox := &memoryStore{data: sampleMail(ticket.MailReply), failures: 1000}
		outbox.onRecord = func(trying context.Context) {
			if end, ok := trying.Deadline(); !ok || time.Until(end) > 5*time.Second || trying.Err() != nil {
				t.Errorf("a try has until %s, %v", end, trying.Err())
			}
			if outbox.tries == 2 {
				cancel()
			}
		}
		if _, err := ticketOutbox(outbox, &fakeSender{}).Deliver(ctx, fourthMail); !errors.Is(err, errStore) || outbox.tries != 3 {
			t.Errorf("%v after %d tries", err, outbox.tries)
		}
	})
}

var (
	unreachable = fault.New(fault.Unavailable, "the mail server cannot be reached")
	fullMailbox = fault.Wrap(&mail.Deferral{Code: 452, Enhanced: "4.2.2", Reason: "mailbox full"}, fault.Limited, "later")
)

func TestDeliver_givesUpAMailDeferredForFiveDays(t *testing.T) {
	const day = 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		outbox, w := &memoryStore{data: sampleMail(ticket.MailReply)}, &fakeSender{}
		p := ticketOutbox(outbox, w)
		for _, try := range []struct {
			after   time.Duration
			answer  error
			bounces bool
		}{
			{0, unreachable, false}, // counts for nothing
			{9 * day, fullMailbox, false},
			{4 * day, fullMailbox, false},
			{2 * day, unreachable, false},
			{0, fault.New(fault.Limited, "not about this mail"), false},
			{0, fullMailbox, true},
		} {
			time.Sleep(try.after)
			w.err = try.answer
			bounced, err := p.Deliver(t.Context(), fourthMail)
			if bounced != try.bounces || !bounced && !errors.Is(err, try.answer) || bounced && err != nil {
				t.Errorf("%v: %t, %v", try, bounced, err)
			}
		}
		if want := "given up after 5 days: 452 4.2.2 mailbox full"; outbox.state != "bounced" || outbox.reason != want {
			t.Errorf("recorded %q, %q", outbox.state, outbox.reason)
		}
	})
}

func TestDeliver_losesNoMailWhoseDeferralCannotBeRecorded(t *testing.T) {
	outbox, w := &memoryStore{data: sampleMail(ticket.MailReply), recordErr: errStore}, &fakeSender{err: fullMailbox}
	if bounced, err := ticketOutbox(outbox, w).Deliver(t.Context(), fourthMail); bounced || !errors.Is(err, errStore) {
		t.Error(bounced, err)
	}
}

func TestDeliver_recordsNothingAfterATemporaryFailure(t *testing.T) {
	outbox, w := &memoryStore{data: sampleMail(ticket.MailReply)}, &fakeSender{err: unreachable}
	bounced, err := ticketOutbox(outbox, w).Deliver(t.Context(), fourthMail)
	if bounced || fault.KindOf(err) != fault.Unavailable || outbox.tries != 0 {
		t.Errorf("%t, %v, %d records", bounced, err, outbox.tries)
	}
	outbox.loadErr = errStore
	if _, err := ticketOutbox(outbox, w).Deliver(t.Context(), fourthMail); !errors.Is(err, errStore) || w.sent != 1 {
		t.Errorf("%v, sent %d times", err, w.sent)
	}
}

// unused has the methods of a store for other queues.
type unused struct{ outbox.Store }
