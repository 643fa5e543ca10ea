package blob_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/s3test"
)

func TestS3_storesBlobs(t *testing.T) {
	server := s3test.Start(t)
	suite(t, open(t, server.Bucket("blobs")))
}

func TestS3_sharesABucket(t *testing.T) {
	server := s3test.Start(t)
	whole := server.Bucket("shared")
	one, other := open(t, whole+"&prefix=desk/one/"), open(t, whole+"&prefix=desk/other/")
	key := put(t, one, content(100)).Key
	if got := keys(t, other, later()); len(got) != 0 {
		t.Errorf("the other store lists %v", got)
	}
	if _, _, err := other.Open(t.Context(), key); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the other store has the blob: %v", err)
	}
	if got := get(t, one, key); len(got) != 100 {
		t.Errorf("read %d bytes", len(got))
	}
}

// A mistake in the name of the bucket must not look as if everything had been deleted.
func TestS3_aMissingBucketIsUnavailable(t *testing.T) {
	server := s3test.Start(t)
	store := open(t, server.URL("missing"))
	key := "aa/" + strings.Repeat("b", 30)
	if _, _, err := store.Open(t.Context(), key); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("open: %v", err)
	}
	if err := store.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("ping: %v", err)
	}
	for _, err := range store.List(t.Context(), later()) {
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("list: %v", err)
		}
	}
}

func TestS3_aKilledServerLosesNothingThatWasStored(t *testing.T) {
	server := s3test.Start(t)
	store := open(t, server.Bucket("blobs"))
	kept := content(7 << 20)
	key := put(t, store, kept).Key

	// In the middle of an upload in parts, the first of which the server has.
	kill := readerFunc(func([]byte) (int, error) {
		for len(unfinished(t, server, "blobs")) == 0 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		server.Kill()
		return 0, io.EOF
	})
	middle := io.MultiReader(bytes.NewReader(content(11<<20)), kill, bytes.NewReader(content(11<<20)))
	if _, err := store.Put(t.Context(), middle, 100<<20); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("put while the server is killed: %v", err)
	}
	var calls sync.WaitGroup // each tries three times, a second or two apart
	for what, call := range map[string]func() error{
		"ping":   func() error { return store.Ping(t.Context()) },
		"delete": func() error { return store.Delete(t.Context(), key) },
		"open":   func() error { _, _, err := store.Open(t.Context(), key); return err },
	} {
		calls.Go(func() {
			if err := call(); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("%s without a server: %v", what, err)
			}
		})
	}
	calls.Wait()

	server.Restart()
	if !bytes.Equal(get(t, store, key), kept) {
		t.Error("what was stored before is another")
	}
	if got := keys(t, store, later()); len(got) != 1 {
		t.Errorf("half a blob is listed: %v", got)
	}
	put(t, store, content(6<<20))
	sweepsParts(t, server, store)
}

// sweepsParts checks that the parts of an upload that was cut off are removed, but not before their time.
func sweepsParts(t *testing.T, server *s3test.Server, store *blob.Store) {
	t.Helper()
	if len(unfinished(t, server, "blobs")) == 0 {
		t.Fatal("the killed upload has left no parts: the test proves nothing")
	}
	if n, err := store.Sweep(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("swept %d uploads that may go on: %v", n, err)
	}
	if n, err := store.Sweep(t.Context(), later()); n != 1 || err != nil {
		t.Errorf("swept %d uploads: %v", n, err)
	}
	if left := unfinished(t, server, "blobs"); len(left) != 0 {
		t.Errorf("parts were left: %v", left)
	}
	if got := keys(t, store, later()); len(got) != 2 {
		t.Errorf("after the sweep there are %v", got)
	}
}

func TestS3_aServerKilledWhileABlobIsRead(t *testing.T) {
	server := s3test.Start(t)
	store := open(t, server.Bucket("blobs"))
	key := put(t, store, content(64<<20)).Key // more than any buffer on the way
	r, _, err := store.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	n, err := io.Copy(io.Discard, r)
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("read %d bytes more, then: %v", n, err)
	}
}

// A server that accepts connections and nothing else must not keep a request for ever.
func TestS3_aServerThatStallsIsUnavailable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	store := open(t, "s3://bucket?endpoint=http://"+l.Addr().String()+"&region=us-east-1&use_path_style=true")
	store.SetStallTimeout(50 * time.Millisecond)
	if _, err := store.Put(t.Context(), iotest.OneByteReader(strings.NewReader("words")), 10); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("put: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := store.Ping(ctx); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("ping: %v", err)
	}
}

// The size of a blob must not show in memory.
func TestPut_memoryIsBounded(t *testing.T) {
	for name, url := range map[string]string{"folder": "file://" + t.TempDir(), "S3": s3test.Start(t).Bucket("blobs")} {
		t.Run(name, func(t *testing.T) {
			store := open(t, url)
			runtime.GC()
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			rest, most, piece, left := stats.HeapInuse, uint64(0), make([]byte, 1<<20), 200
			large := readerFunc(func(p []byte) (int, error) {
				if left--; left < 0 {
					return 0, io.EOF
				}
				runtime.ReadMemStats(&stats)
				most = max(most, stats.HeapInuse)
				return copy(p, piece), nil
			})
			b, err := store.Put(t.Context(), large, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d MiB took %d MiB", b.Size>>20, int64(most-rest)>>20)
			if most > rest+48<<20 {
				t.Errorf("%d MiB took %d MiB of memory", b.Size>>20, (most-rest)>>20)
			}
		})
	}
}

// unfinished returns the parts of uploads that have not ended, which the server keeps in a folder of its own.
func unfinished(t *testing.T, server *s3test.Server, bucket string) []string {
	t.Helper()
	var parts []string
	for _, name := range files(t, server.Dir(bucket)) {
		if strings.HasPrefix(name, filepath.Join(".sgwtmp", "multipart")) {
			parts = append(parts, name)
		}
	}
	return parts
}
