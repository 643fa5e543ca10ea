package blob_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/holesalemart/supportdesk/internal/blob"
)

// BenchmarkPut compares storing a mail of usual size with a bare file that is flushed, which is the least it can cost.
func BenchmarkPut(b *testing.B) {
	mail := content(20 << 10)
	b.Run("folder", func(b *testing.B) {
		store, err := blob.Open(b.Context(), "file://"+b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := store.Put(b.Context(), bytes.NewReader(mail), 1<<20); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare file", func(b *testing.B) {
		dir := b.TempDir()
		for i := 0; b.Loop(); i++ {
			f, err := os.Create(filepath.Join(dir, strconv.Itoa(i)))
			if err != nil {
				b.Fatal(err)
			}
			if _, err = f.Write(mail); err == nil {
				err = f.Sync()
			}
			if err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
}
