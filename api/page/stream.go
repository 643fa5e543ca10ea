package page

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Streams of server-sent events.
const (
	heartbeat   = 20 * time.Second // proxies cut what is silent for long
	writingTime = 15 * time.Second // for one event; a browser that does not read is let go
)

// Stream answers with server-sent events until the client goes, the server stops or follow returns. It is free of the
// request's time limit. send must be called from follow's own goroutine; its error means that the client has gone.
// The session must not be changed.
func (v *Visit) Stream(follow func(ctx context.Context, send func(event, data string) error) error) error {
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
	h := v.gin.Writer.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(v.gin.Writer)
	write := func(text string) error {
		if err := out.SetWriteDeadline(time.Now().Add(writingTime)); err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		if _, err := v.gin.Writer.WriteString(text); err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		return out.Flush()
	}
	v.gin.Status(http.StatusOK)
	if err := write("retry: 1000\n\n"); err != nil {
		return nil //nolint:nilerr // the client has gone, which is how a stream ends
	}
	_ = follow(ctx, func(event, data string) error { return write(message(event, data)) })
	return nil
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
