package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// address is a log handler that sends the address on which a server listens.
type address chan string

func (a address) Enabled(context.Context, slog.Level) bool { return true }
func (a address) WithAttrs([]slog.Attr) slog.Handler       { return a }
func (a address) WithGroup(string) slog.Handler            { return a }
func (a address) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(attribute slog.Attr) bool {
		if attribute.Key == "address" {
			a <- attribute.Value.String()
		}
		return true
	})
	return nil
}

// serving starts serve on a free port; the error arrives when it returns.
func serving(t *testing.T, ctx context.Context, handler http.HandlerFunc, patience time.Duration) (url string, done <-chan error) {
	t.Helper()
	listening, returned := make(address, 1), make(chan error, 1)
	go func() { returned <- serve(ctx, "127.0.0.1:0", handler, patience, slog.New(listening)) }()
	select {
	case at := <-listening:
		return "http://" + at, returned
	case err := <-returned:
		t.Fatalf("serve: %v", err)
	}
	return "", nil
}

func TestServe_finishesWhatHasBegun(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	begun, finish := make(chan struct{}), make(chan struct{})
	url, done := serving(t, ctx, func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		if r.Context().Err() != nil {
			t.Error("the request was cancelled")
		}
		_, _ = io.WriteString(w, "whole")
	}, time.Minute)
	answer := make(chan string, 1)
	go func() {
		response, err := http.Get(url)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		answer <- string(body)
	}()
	<-begun
	stop()
	for { // new requests are refused while the old one goes on
		conn, err := net.Dial("tcp", url[len("http://"):])
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	select {
	case err := <-done:
		t.Fatalf("serve returns %v before the request is answered", err)
	default:
	}
	close(finish)
	if got := <-answer; got != "whole" {
		t.Errorf("the request got %q", got)
	}
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestServe_losesPatience(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	begun, finish := make(chan struct{}), make(chan struct{})
	url, done := serving(t, ctx, func(http.ResponseWriter, *http.Request) { close(begun); <-finish }, time.Millisecond)
	defer close(finish)
	go func() {
		if response, err := http.Get(url); err == nil {
			_ = response.Body.Close()
		}
	}()
	<-begun
	stop()
	if err := <-done; err == nil {
		t.Error("serve says that all is well, and a request was cut off")
	}
}

func TestServe_saysThatAnAddressIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	err = serve(t.Context(), taken.Addr().String(), http.NotFoundHandler(), time.Second, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Error("serve shares its address")
	}
}

func TestAwaitListener_endsWithWhomItAwaits(t *testing.T) {
	ended := make(chan struct{})
	close(ended)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	if err := awaitListener(t.Context(), at, ended); err != nil {
		t.Errorf("nothing is said to listen at %s: %v", at, err)
	}
	_ = free.Close()
	if err := awaitListener(t.Context(), at, ended); err == nil {
		t.Error("a closed listener is found")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := awaitListener(ctx, at, make(chan struct{})); err == nil {
		t.Error("the wait outlives its context")
	}
}
