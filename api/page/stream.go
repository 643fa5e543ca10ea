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

// Limits of streams of server-sent events.
const (
	heartbeat            = 20 * time.Second // proxies close idle connections
	writeTimeout         = 15 * time.Second // for one event; a browser that does not read is disconnected
	sessionCheckInterval = 5 * time.Second  // at most so often, with the next event
	sessionCheckTimeout  = 5 * time.Second  // for the database to respond
	maxStreams           = 30               // of one person, in all tabs and on all devices
)

var errStreams = fault.New(fault.Limited, "this is open in too many tabs; close some of them")

// streams counts the open streams by owner.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

// join counts one more stream of an owner, unless maxStreams are open. The caller must call leave when it ends.
func (s *streams) join(owner string) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[owner] >= maxStreams {
		return nil, false
	}
	if s.open == nil {
		s.open = map[string]int{}
	}
	s.open[owner]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[owner]--; s.open[owner] == 0 {
			delete(s.open, owner)
		}
	}, true
}

// streamOwner returns the key by which streams are counted: the ID of the visit's person, or a visitor's address.
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

// Stream responds with server-sent events until the client disconnects, the server stops, the session ends or follow
// returns. The request's time limit does not apply. send must be called from follow's goroutine; its error means that
// the client has disconnected or its session has ended. The session must not be changed. Stream returns a Limited fault
// if this person has too many streams open.
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
		return nil // the client has disconnected, which is how a stream ends
	}
	checked := time.Now()
	_ = follow(ctx, func(event, data string) error {
		if time.Since(checked) >= v.engine.sessionCheckInterval {
			if err := v.Session.check(ctx); fault.KindOf(err) == fault.Unauthenticated {
				return err
			} // while the database is unavailable there are no changes to send
			checked = time.Now()
		}
		return write(message(event, data))
	})
	return nil
}

// beginStream sets the headers of a stream, and returns a function that writes and flushes. gin's c.Stream has no write
// deadline, and panics with scs.
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

// Heartbeat returns a channel that receives when a stream without events must send a comment.
func Heartbeat() <-chan time.Time { return time.After(heartbeat) }

// message returns one server-sent event, or a comment if event is empty. Data may have several lines.
func message(event, data string) string {
	if event == "" {
		return ": \n\n"
	}
	return "event: " + event + "\ndata: " + strings.ReplaceAll(data, "\n", "\ndata: ") + "\n\n"
}
