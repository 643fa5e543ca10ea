package inbound_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/store"
)

// benchmarkMail returns a mail of usual size that differs from any other.
func benchmarkMail(n int64) []byte {
	mail := fmt.Appendf(nil, "Message-ID: <%d@client.example>\r\nFrom: ann@client.example\r\nTo: support@desk.example\r\nSubject: My order\r\n\r\n", n)
	return append(mail, bytes.Repeat([]byte("These are words of a customer about an order that is late.\r\n"), 350)...)
}

// BenchmarkLMTP accepts mails by LMTP, beside the least that storing them as safely can cost in the same database and on the
// same disk: a file with its entry in its folder, and then one row, all flushed, without moving the mail over a connection
// first. The metric "of-bare" is the number of mails per second divided by that. "unsafe/s" is the same without flushing the
// folder, after which a loss of power may take the file's name, and "of-unsafe" the rate as a part of it.
func BenchmarkLMTP(b *testing.B) {
	dir, err := os.MkdirTemp("", "supportdesk-bench-*") // b.TempDir may lie where the server's user can't go
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	pg, err := local.StartPostgres(b.Context(), local.PostgresOptions{Dir: filepath.Join(dir, "postgresql")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = pg.Stop() })
	dsn, err := pg.EnsureDatabase(b.Context(), "supportdesk")
	if err == nil {
		err = store.Migrate(b.Context(), dsn)
	}
	if err != nil {
		b.Fatal(err)
	}
	address := benchmarkDoor(b, dsn, filepath.Join(dir, "blobs"))
	bare := bareStore(b, dsn, filepath.Join(dir, "bare"))
	for _, connections := range []int{1, 8} {
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			clients := make([]*mailServer, connections)
			for i := range clients {
				clients[i] = newMailServer(b, address)
			}
			deliver := func(client int, mail []byte) error { return clients[client].deliver(mail) }
			durable := func(_ int, mail []byte) error { return bare(mail, true) }
			// The first mails wait for connections to the database and for statements to be prepared.
			timed(b, warmUp*connections, connections, deliver)
			timed(b, warmUp*connections, connections, durable)
			b.ResetTimer()
			var accepted, stored, unsafe time.Duration
			for n := range batches(b.N) { // in turn, so that what else the machine does hits all alike
				accepted += timed(b, n, connections, deliver)
				b.StopTimer()
				stored += timed(b, n, connections, durable)
				unsafe += timed(b, n, connections, func(_ int, mail []byte) error { return bare(mail, false) })
				b.StartTimer()
			}
			b.ReportMetric(float64(b.N)/accepted.Seconds(), "mails/s")
			b.ReportMetric(float64(b.N)/stored.Seconds(), "bare/s")
			b.ReportMetric(float64(b.N)/unsafe.Seconds(), "unsafe/s")
			b.ReportMetric(stored.Seconds()/accepted.Seconds(), "of-bare")
			b.ReportMetric(unsafe.Seconds()/accepted.Seconds(), "of-unsafe")
		})
	}
}

// warmUp is the number of mails of each connection that are not measured.
const warmUp = 20

var mailsMade atomic.Int64

// batches splits n mails into batches.
func batches(n int) iter.Seq[int] {
	const size = 50
	return func(yield func(int) bool) {
		for ; n > 0 && yield(min(n, size)); n -= size {
		}
	}
}

// timed stores n mails from several clients at once and returns how long it took.
func timed(b *testing.B, n, clients int, store func(client int, mail []byte) error) time.Duration {
	b.Helper()
	var next atomic.Int64
	done := make(chan error, clients)
	start := time.Now()
	for client := range clients {
		go func() {
			for next.Add(1) <= int64(n) {
				if err := store(client, benchmarkMail(mailsMade.Add(1))); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	return time.Since(start)
}

// mailServer delivers mails over one connection as mail servers do, with pipelined commands. It spends little, as the server
// under measurement shares the processors with it.
type mailServer struct {
	conn *textproto.Conn
	to   io.Writer // conn, unbuffered
}

func newMailServer(b *testing.B, address string) *mailServer {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	s := &mailServer{conn: textproto.NewConn(conn), to: conn}
	b.Cleanup(func() { _ = s.conn.Close() })
	if err := s.expect(220); err != nil {
		b.Fatal(err)
	}
	if err := s.say("LHLO client.example\r\n", 250); err != nil {
		b.Fatal(err)
	}
	return s
}

// deliver delivers a mail without a line that begins with a dot.
func (s *mailServer) deliver(mail []byte) error {
	if err := s.say("MAIL FROM:<ann@client.example>\r\nRCPT TO:<support@desk.example>\r\nDATA\r\n", 250, 250, 354); err != nil {
		return err
	}
	return s.say(string(mail)+".\r\n", 250)
}

func (s *mailServer) say(text string, replies ...int) error {
	if _, err := io.WriteString(s.to, text); err != nil {
		return err
	}
	return s.expect(replies...)
}

func (s *mailServer) expect(replies ...int) error {
	for _, code := range replies {
		if _, _, err := s.conn.ReadResponse(code); err != nil {
			return err
		}
	}
	return nil
}

// benchmarkDoor starts an LMTP server and returns its address.
func benchmarkDoor(b *testing.B, dsn, dir string) string {
	b.Helper()
	db, err := store.Open(b.Context(), dsn, store.Options{MaxConns: 16})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	blobs, err := blob.Open(b.Context(), "file://"+dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = blobs.Close() })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := inbound.NewServer(inbound.NewReceiver(blobs, db, 1<<20), inbound.ServerOptions{
		LMTP: true, Name: "desk.example", Limit: 1 << 20, Addresses: inbound.Addresses{"support@desk.example": ""}, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(b.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	b.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			b.Error(err)
		}
	})
	return listener.Addr().String()
}

// bareStore returns what writes a file and a row, and flushes the file's entry in its folder, or not.
func bareStore(b *testing.B, dsn, dir string) func(mail []byte, entry bool) error {
	b.Helper()
	pool, err := pgxpool.New(b.Context(), dsn+"&pool_max_conns=16")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	if _, err := pool.Exec(b.Context(), `CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, file text)`); err != nil {
		b.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	var files atomic.Int64
	return func(mail []byte, entry bool) error {
		f, err := os.Create(filepath.Join(dir, strconv.FormatInt(files.Add(1), 10)))
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err = f.Write(mail); err == nil {
			err = f.Sync()
		}
		if err == nil && entry {
			err = flushEntry(dir)
		}
		if err == nil {
			_, err = pool.Exec(b.Context(), `INSERT INTO bare (file) VALUES ($1)`, f.Name())
		}
		return err
	}
}

func flushEntry(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
