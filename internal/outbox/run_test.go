package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
)

// queue is one in memory, in skipped time.
type queue struct {
	outbox.Store
	begun time.Time

	mu        sync.Mutex
	owed      []int64
	next      time.Time // when the first may be sent, if none may now
	away      bool      // what is asked fails
	deaf      bool      // it can't be listened to
	wake      func()
	looks     []time.Duration // when a delivery was looked for, since the beginning
	listens   []time.Duration
	sent      []int64
	under     int // way
	most      int
	slow      time.Duration
	loadFails bool
}

var errAway = errors.New("the database is away")

func (q *queue) ClaimNextDelivery(context.Context, outbox.Queue, string, time.Duration) (k outbox.Key, found bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.looks = append(q.looks, time.Since(q.begun))
	if q.away {
		return k, false, errAway
	}
	if len(q.owed) == 0 {
		return k, false, nil
	}
	k = outbox.Key{Queue: outbox.AccountMails, N: q.owed[0]}
	q.owed = q.owed[1:]
	return k, true, nil
}

func (q *queue) NextDelivery(context.Context, outbox.Queue) (time.Time, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next, nil
}

func (q *queue) AwaitDeliveries(ctx context.Context, wake func()) error {
	q.mu.Lock()
	q.listens = append(q.listens, time.Since(q.begun))
	deaf := q.deaf
	q.wake = wake
	q.mu.Unlock()
	if deaf {
		return errAway
	}
	wake()
	<-ctx.Done()
	return ctx.Err()
}

func (q *queue) ClaimDelivery(context.Context, outbox.Key, string, time.Duration) (bool, error) {
	return true, nil
}
func (q *queue) ReleaseDelivery(context.Context, outbox.Key, string) error { return nil }
func (q *queue) SettleDelivery(_ context.Context, k outbox.Key, status desk.DeliveryStatus, _ string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if status == desk.DeliverySent {
		q.sent = append(q.sent, k.N)
	}
	return nil
}

// Load is the transport of every queue.
func (q *queue) Load(context.Context, outbox.Key) (outbox.Delivery, error) {
	if q.loadFails {
		return outbox.Delivery{}, errAway
	}
	return outbox.Delivery{Status: desk.DeliveryOwed, Send: func(context.Context) error {
		q.count(1)
		time.Sleep(q.slow)
		q.count(-1)
		return nil
	}}, nil
}

func (q *queue) count(one int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.under += one
	q.most = max(q.most, q.under)
}

// copied reads a field of the queue. What reads it without the lock races with what the outbox does next.
func copied[T any](q *queue, field *T) T {
	q.mu.Lock()
	defer q.mu.Unlock()
	return *field
}

// does changes the queue.
func (q *queue) does(change func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	change()
}

// running runs an outbox on a queue, and ends it at the end of the test.
func running(t *testing.T, q *queue, test func(t *testing.T, stop func())) (log string) {
	t.Helper()
	var logged bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		q.begun = time.Now()
		o := outbox.New(q, map[outbox.Queue]outbox.Transport{outbox.AccountMails: q.Load}, slog.New(slog.NewTextHandler(&logged, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- o.Run(ctx, outbox.AccountMails) }()
		stop := sync.OnceFunc(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		test(t, stop)
		stop()
	})
	return logged.String()
}

func TestRun_sendsFourAtOnce(t *testing.T) {
	q := &queue{owed: []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}, slow: time.Second}
	running(t, q, func(t *testing.T, _ func()) {
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		if len(copied(q, &q.sent)) != 8 || copied(q, &q.most) != 4 {
			t.Errorf("after 2.5 s %v are sent, and %d were on their way at once", copied(q, &q.sent), copied(q, &q.most))
		}
	})
	if len(copied(q, &q.sent)) != 9 {
		t.Errorf("sent %v: it does not wait for what is on its way", copied(q, &q.sent))
	}
}

func TestRun_waitsUntilTheNextMayBeSentAndIsWoken(t *testing.T) {
	q := &queue{}
	running(t, q, func(t *testing.T, _ func()) {
		q.does(func() { q.looks, q.next = nil, q.begun.Add(40*time.Second) })
		time.Sleep(31 * time.Second) // a notification may be lost
		synctest.Wait()
		q.does(func() { q.owed = []int64{1} })
		time.Sleep(8 * time.Second)
		synctest.Wait()
		if want := []time.Duration{30 * time.Second}; !slices.Equal(copied(q, &q.looks), want) {
			t.Errorf("looked at %v, want %v", copied(q, &q.looks), want)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !slices.Equal(copied(q, &q.sent), []int64{1}) {
			t.Errorf("sent %v when it may be", copied(q, &q.sent))
		}
		q.does(func() { q.owed, q.next = []int64{2}, time.Time{} })
		copied(q, &q.wake)()
		synctest.Wait()
		if !slices.Equal(copied(q, &q.sent), []int64{1, 2}) {
			t.Errorf("sent %v when it is woken", copied(q, &q.sent))
		}
	})
}

func TestRun_backsOffWhileTheStoreIsAwayAndSaysSoOnce(t *testing.T) {
	q := &queue{away: true, deaf: true}
	log := running(t, q, func(t *testing.T, _ func()) {
		time.Sleep(8 * time.Second)
		synctest.Wait()
		ms := time.Millisecond
		want := []time.Duration{0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 3100 * ms, 5100 * ms, 7100 * ms}
		if !slices.Equal(copied(q, &q.looks), want) || !slices.Equal(copied(q, &q.listens), want) {
			t.Errorf("looked at %v and listened at %v, want %v", copied(q, &q.looks), copied(q, &q.listens), want)
		}
		q.does(func() { q.away, q.deaf, q.owed = false, false, []int64{1} })
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !slices.Equal(copied(q, &q.sent), []int64{1}) {
			t.Errorf("sent %v after the outage", copied(q, &q.sent))
		}
	})
	for _, line := range []string{"can't look for deliveries", "not listening for deliveries", "looking for deliveries again", "listening for deliveries again"} {
		if n := strings.Count(log, `msg="`+line); n != 1 {
			t.Errorf("logged %d times: %s\n%s", n, line, log)
		}
	}
}

// TestRun_pausesAfterATryThatTheStoreFailed: a delivery that can't be loaded is due again at once.
func TestRun_pausesAfterATryThatTheStoreFailed(t *testing.T) {
	q := &queue{owed: slices.Repeat([]int64{1}, 1000), loadFails: true}
	running(t, q, func(t *testing.T, _ func()) {
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if left := len(q.owed); left != 1000-3*4 {
			t.Errorf("tried %d times in 5 s", 1000-left)
		}
		q.does(func() { q.owed = nil })
	})
}
