package page

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Streams of server-sent events.
const (
	heartbeat            = 20 * time.Second // proxies cut what is silent for long
	writeTimeout         = 15 * time.Second // for one event; a browser that does not read is let go
	sessionCheckInterval = 5 * time.Second  // whether the session lives, with the next event; a busy desk sends many
	sessionCheckTimeout  = 5 * time.Second  // for the database to say so
	maxStreams           = 30               // of one person: tabs, on all their devices
)

var errStreams = fault.New(fault.Limited, "this is open too often at once; close some of its tabs")

// streams counts those that are open, by whose they are.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

// join takes a place, unless all are taken; leave frees it.
func (s *streams) join(whose string) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[whose] >= maxStreams {
		return nil, false
	}
	if s.open == nil {
		s.open = map[string]int{}
	}
	s.open[whose]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[whose]--; s.open[whose] == 0 {
			delete(s.open, whose)
		}
	}, true
}

// streamOwner a stream is: the person's whom this visit is let in as, or a visitor's.
func (v *Visit) streamOwner() string {
	switch {
	case v.Session.used != nil:
		return string(v.Session.used.Person)
	case v.SignedIn():
		return string(v.Person.ID)
	default:
		return v.Source()
	}
}

// Stream answers with server-sent events until the client goes, the server stops, the session ends or follow returns. It
// is free of the request's time limit. send must be called from follow's own goroutine; its error means that the client
// has gone, or is let in no more. The session must not be changed. Limited: this person has too many open.
func (v *Visit) Stream(follow func(ctx context.Context, send func(event, data string) error) error) error {
	leave, ok := v.engine.streams.join(v.streamOwner())
	if !ok {
		return errStreams
	}
	defer leave()
	ctx, cancel := context.WithCancel(v.info.Connection)
	defer cancel()
	if v.engine.Stopping != nil {
		go func() {
			select {
			case <-v.engine.Stopping:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	write := v.beginStream()
	if err := write("retry: 1000\n\n"); err != nil {
		return nil // the client has gone, which is how a stream ends
	}
	looked := time.Now()
	_ = follow(ctx, func(event, data string) error {
		if time.Since(looked) >= v.engine.lookAgain {
			if err := v.Session.check(ctx); fault.KindOf(err) == fault.Unauthenticated {
				return err
			} // while the database is away there is nothing to tell anybody
			looked = time.Now()
		}
		return write(message(event, data))
	})
	return nil
}

// beginStream sets the headers of a stream, and returns what writes to it at once. gin's c.Stream knows no deadline for
// writing, and panics behind scs.
func (v *Visit) beginStream() (write func(text string) error) {
	h := v.gin.Writer.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	v.gin.Status(http.StatusOK)
	out := http.NewResponseController(v.gin.Writer)
	return func(text string) error {
		if err := out.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		if _, err := v.gin.Writer.WriteString(text); err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		return out.Flush()
	}
}

// Heartbeat is what a stream sends when it has nothing to tell for so long.
func Heartbeat() <-chan time.Time { return time.After(heartbeat) }

// message is one event. Its data may have several lines.
func message(event, data string) string {
	if event == "" {
		return ": \n\n"
	}
	return "event: " + event + "\ndata: " + strings.ReplaceAll(data, "\n", "\ndata: ") + "\n\n"
}
