package mail_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// claims are those on one mail.
type claims struct {
	mu      sync.Mutex
	by      string
	until   time.Time
	settled bool
	away    bool // what is asked fails
}

func (c *claims) ClaimDelivery(_ context.Context, _ outbox.Key, try string, lasts time.Duration) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away {
		return false, errStore
	}
	if !c.settled && c.by != "" && c.by != try && time.Now().Before(c.until) {
		return false, nil
	}
	c.by, c.until = try, time.Now().Add(lasts)
	return true, nil
}

func (c *claims) ReleaseDelivery(ctx context.Context, _ outbox.Key, try string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away || ctx.Err() != nil {
		return errStore
	}
	if c.by == try {
		c.by = ""
	}
	return nil
}

func (c *claims) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled = true
}

func TestDeliver_allowsNoSecondAttemptDuringTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox := &memoryStore{data: sampleMail(ticket.MailReply)}
		slow := &fakeSender{then: func() { time.Sleep(9 * time.Minute) }}
		p := ticketOutbox(outbox, slow)
		var first sync.WaitGroup
		first.Go(func() {
			if bounced, err := p.Deliver(t.Context(), fourthMail); bounced || err != nil {
				t.Error(bounced, err)
			}
		})
		synctest.Wait()
		others := ticketOutbox(outbox, slow) // in another process
		for range 8 {
			time.Sleep(time.Minute)
			if _, err := others.Deliver(t.Context(), fourthMail); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("got %v", err)
			}
		}
		first.Wait()
		if slow.sent != 1 || outbox.state != "sent" {
			t.Errorf("sent %d times, recorded %q", slow.sent, outbox.state)
		}
	})
}

func TestDeliver_leavesTheMailToTheNextTryAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	outbox := &memoryStore{data: sampleMail(ticket.MailReply)}
	stopped := ticketOutbox(outbox, &fakeSender{err: unreachable, then: cancel})
	if _, err := stopped.Deliver(ctx, fourthMail); !errors.Is(err, unreachable) {
		t.Fatal(err)
	}
	if _, err := ticketOutbox(outbox, &fakeSender{}).Deliver(t.Context(), fourthMail); err != nil {
		t.Error(err)
	}
}

func TestDeliver_leavesTheMailOfADeadTryToTheNextAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox := &memoryStore{data: sampleMail(ticket.MailReply)}
		dying := ticketOutbox(outbox, &fakeSender{err: unreachable, then: func() { outbox.away = true }})
		if _, err := dying.Deliver(t.Context(), fourthMail); !errors.Is(err, unreachable) {
			t.Fatal(err)
		}
		outbox.away = false
		next := ticketOutbox(outbox, &fakeSender{})
		if _, err := next.Deliver(t.Context(), fourthMail); fault.KindOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		if _, err := next.Deliver(t.Context(), fourthMail); err != nil {
			t.Error(err)
		}
	})
}

func TestDeliver_sendsNothingThatItCannotClaim(t *testing.T) {
	outbox, w := &memoryStore{data: sampleMail(ticket.MailReply), claims: claims{away: true}}, &fakeSender{}
	if _, err := ticketOutbox(outbox, w).Deliver(t.Context(), fourthMail); !errors.Is(err, errStore) || w.sent != 0 {
		t.Errorf("%v, sent %d times", err, w.sent)
	}
}
