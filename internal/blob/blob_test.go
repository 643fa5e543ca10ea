package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/fault"
)

func openFolder(t *testing.T, dir string) *blob.Store {
	t.Helper()
	return open(t, "file://"+dir)
}

func open(t *testing.T, url string) *blob.Store {
	t.Helper()
	store, err := blob.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store
}

// content returns bytes that no two tests share.
func content(size int) []byte {
	p := make([]byte, size)
	source := rand.NewChaCha8([32]byte{byte(size), byte(size >> 8), byte(size >> 16)})
	_, _ = source.Read(p)
	return p
}

func put(t *testing.T, store *blob.Store, p []byte) blob.Blob {
	t.Helper()
	b, err := store.Put(t.Context(), bytes.NewReader(p), int64(len(p)))
	if err != nil {
		t.Fatalf("put %d bytes: %v", len(p), err)
	}
	return b
}

func get(t *testing.T, store *blob.Store, key string) []byte {
	t.Helper()
	r, size, err := store.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("open %s: %v", key, err)
	}
	defer r.Close()
	p, err := io.ReadAll(r)
	if err != nil || int64(len(p)) != size {
		t.Fatalf("read %s: %d bytes of %d: %v", key, len(p), size, err)
	}
	return p
}

func keys(t *testing.T, store *blob.Store, before time.Time) []string {
	t.Helper()
	var all []string
	for entry, err := range store.List(t.Context(), before) {
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		all = append(all, entry.Key)
	}
	slices.Sort(all)
	return all
}

// files returns every file in a folder, by its path in it.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func later() time.Time { return time.Now().Add(time.Hour) }

// suite is what every store does.
func suite(t *testing.T, store *blob.Store) {
	t.Run("what was put is read", func(t *testing.T) {
		for _, size := range []int{0, 1, 511, 1 << 16, 5<<20 - 1, 5 << 20, 5<<20 + 1, 12 << 20} {
			want := content(size)
			b := put(t, store, want)
			if b.Size != int64(size) || b.SHA256 != sha256.Sum256(want) {
				t.Errorf("%d bytes are recorded as %d with the hash %x", size, b.Size, b.SHA256)
			}
			if !bytes.Equal(get(t, store, b.Key), want) {
				t.Errorf("%d bytes are others when they are read", size)
			}
		}
	})
	t.Run("too large", func(t *testing.T) {
		before := keys(t, store, later())
		for _, size := range []int{0, 1, 1 << 16, 5 << 20, 11 << 20} {
			_, err := store.Put(t.Context(), bytes.NewReader(content(size+1)), int64(size))
			if fault.KindOf(err) != fault.TooLarge {
				t.Errorf("%d bytes with a limit of %d: %v", size+1, size, err)
			}
		}
		if now := keys(t, store, later()); !slices.Equal(now, before) {
			t.Errorf("what was too large is there: %v, before %v", now, before)
		}
	})
	t.Run("a reader that fails", func(t *testing.T) {
		before, broken := keys(t, store, later()), errors.New("the connection broke")
		for _, size := range []int{0, 100, 6 << 20} {
			_, err := store.Put(t.Context(), io.MultiReader(bytes.NewReader(content(size)), iotest.ErrReader(broken)), 100<<20)
			if !errors.Is(err, broken) || fault.KindOf(err) == fault.Unavailable {
				t.Errorf("a reader that breaks after %d bytes: %v", size, err)
			}
		}
		if now := keys(t, store, later()); !slices.Equal(now, before) {
			t.Errorf("half a blob is there: %v, before %v", now, before)
		}
	})
	t.Run("a request that ends", func(t *testing.T) {
		before := keys(t, store, later())
		for _, size := range []int{100, 6 << 20} {
			ctx, cancel := context.WithCancel(t.Context())
			ends := readerFunc(func([]byte) (int, error) { cancel(); return 0, io.EOF })
			_, err := store.Put(ctx, io.MultiReader(bytes.NewReader(content(size)), ends), 100<<20)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("a request that ends after %d bytes: %v", size, err)
			}
		}
		if now := keys(t, store, later()); !slices.Equal(now, before) {
			t.Errorf("the blob of a request that ended is there: %v, before %v", now, before)
		}
		if n, err := store.Sweep(t.Context(), later()); n != 0 || err != nil {
			t.Errorf("%d unfinished writes were left behind: %v", n, err)
		}
	})
	t.Run("delete", func(t *testing.T) {
		b := put(t, store, content(10))
		for range 2 {
			if err := store.Delete(t.Context(), b.Key); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
		if _, _, err := store.Open(t.Context(), b.Key); fault.KindOf(err) != fault.NotFound {
			t.Errorf("open what was deleted: %v", err)
		}
	})
	t.Run("list", func(t *testing.T) {
		for _, key := range keys(t, store, later()) {
			_ = store.Delete(t.Context(), key)
		}
		var want []string
		for range 20 {
			want = append(want, put(t, store, content(3)).Key)
		}
		slices.Sort(want)
		if got := keys(t, store, later()); !slices.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		if got := keys(t, store, time.Now().Add(-time.Hour)); len(got) != 0 {
			t.Errorf("%v are said to be an hour old", got)
		}
		for range store.List(t.Context(), later()) {
			break // ends the listing
		}
	})
	t.Run("ping", func(t *testing.T) {
		before := keys(t, store, later())
		for range 2 {
			if err := store.Ping(t.Context()); err != nil {
				t.Errorf("ping: %v", err)
			}
		}
		if now := keys(t, store, later()); !slices.Equal(now, before) {
			t.Errorf("a probe is listed as a blob: %v", now)
		}
	})
	t.Run("keys of another shape", func(t *testing.T) {
		hex := strings.Repeat("a", 30)
		for _, key := range []string{"", "/", "..", "../" + hex, "aa/../" + hex, "aa/" + hex + "\n", "\naa/" + hex, "AA/" + hex, "aa/" + hex[1:],
			"aa/" + hex + "a", "aa" + hex, "/aa/" + hex, "aa/" + hex + ".tmp", "aa\\" + hex, "aa/" + strings.Repeat("\x00", 30), "probe", strings.Repeat("a/", 1<<20)} {
			_, _, err := store.Open(t.Context(), key)
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("open %.50q: %v", key, err)
			}
			if err := store.Delete(t.Context(), key); fault.KindOf(err) != fault.Invalid || len(err.Error()) > 1000 {
				t.Errorf("delete %.50q: %.1000v", key, err)
			}
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestFolder_storesBlobs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	store := openFolder(t, dir)
	suite(t, store)
	for _, name := range files(t, dir) {
		if strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s was left behind", name)
		}
	}
}

func TestFolder_isReadableByItsUserAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	store := openFolder(t, dir)
	key := put(t, store, content(5)).Key
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Dir(filepath.Join(dir, key)): 0o700, filepath.Join(dir, key): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

// A disk that is not mounted must not look as if everything had been deleted.
func TestFolder_thatIsGoneIsUnavailable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	store := openFolder(t, dir)
	key := put(t, store, content(5)).Key
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	_, _, err := store.Open(t.Context(), key)
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("open: %v", err)
	}
	if err := store.Delete(t.Context(), key); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("delete: %v", err)
	}
}

func TestOpen_refusesWhatIsNoStore(t *testing.T) {
	for _, url := range []string{"", "blobs", "/var/blobs", "file://", "file://blobs", "file://./blobs", "file:///tmp/x?no_tmp_dir=1", "mem://", "gs://bucket",
		"s3://", "s3:///bucket", "s3://bucket/folder", "s3://user:secret@bucket", "s3://bucket?unknown=1", "file:///%zz", "http://localhost/"} {
		store, err := blob.Open(t.Context(), url)
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("open %q: %v, %v", url, store, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the address: %v", err)
		}
	}
}

func TestFolder_keepsBlobsInARowTogether(t *testing.T) {
	dir := t.TempDir()
	store := openFolder(t, dir)
	for range 10 {
		put(t, store, content(10))
	}
	subs, err := os.ReadDir(dir)
	if err != nil || len(subs) != 1 {
		t.Errorf("10 blobs are in the folders %v: %v", subs, err)
	}
	if err := os.RemoveAll(filepath.Join(dir, subs[0].Name())); err != nil {
		t.Fatal(err)
	}
	if want := content(20); !bytes.Equal(get(t, store, put(t, store, want).Key), want) {
		t.Error("a blob in a folder that was removed is another when it is read")
	}
}
