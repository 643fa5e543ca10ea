package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/blob"
)

// writerVariable makes the test binary a program that writes blobs to the store at its value until it is killed.
const writerVariable = "SUPPORTDESK_TEST_BLOB_WRITER"

func TestMain(m *testing.M) {
	if url := os.Getenv(writerVariable); url != "" {
		fmt.Fprintln(os.Stderr, write(url))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const written = 10

// write stores some blobs and prints the key and hash of each when it is stored. The last one never ends.
func write(url string) error {
	ctx := context.Background()
	store, err := blob.Open(ctx, url)
	if err != nil {
		return err
	}
	for i := range written {
		b, err := store.Put(ctx, bytes.NewReader(content(100_000+i)), 1<<20)
		if err != nil {
			return err
		}
		fmt.Printf("%s %x\n", b.Key, b.SHA256)
	}
	wait := readerFunc(func([]byte) (int, error) {
		fmt.Println("in the middle")
		select {}
	})
	_, err = store.Put(ctx, io.MultiReader(bytes.NewReader(content(3<<20)), wait), 1<<30)
	return err
}

func TestKill_leavesWholeBlobsAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for _, line := range killInTheMiddle(t, "file://"+dir) {
		key, hash, _ := strings.Cut(line, " ")
		want = append(want, key)
		if got := fmt.Sprintf("%x", sha256.Sum256(get(t, openFolder(t, dir), key))); got != hash {
			t.Errorf("%s has the hash %s, want %s", key, got, hash)
		}
	}
	if len(want) != written {
		t.Fatalf("%d blobs were written", len(want))
	}
	slices.Sort(want)
	store := openFolder(t, dir)
	if got := keys(t, store, later()); !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
	sweepsTheRest(t, store, dir)
	if got := keys(t, store, later()); !slices.Equal(got, want) {
		t.Errorf("after the sweep there are %v, want %v", got, want)
	}
}

// killInTheMiddle returns the lines that the program printed before it was killed.
func killInTheMiddle(t *testing.T, url string) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerVariable+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }() // it was killed
	defer func() { _ = cmd.Process.Kill() }()
	var lines []string
	for scanner := bufio.NewScanner(out); scanner.Scan() && scanner.Text() != "in the middle"; {
		lines = append(lines, scanner.Text())
	}
	return lines
}

// sweepsTheRest checks that the file that was being written goes, but not before its time, and nothing else does.
func sweepsTheRest(t *testing.T, store *blob.Store, dir string) {
	t.Helper()
	if n := len(files(t, dir)); n != written+1 {
		t.Fatalf("there are %d files and not one more than blobs: the kill was not in the middle of one", n)
	}
	stranger := filepath.Join(dir, filepath.Dir(files(t, dir)[0]), "words.1.tmp")
	if err := os.WriteFile(stranger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := store.Sweep(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("swept %d files that may be written to: %v", n, err)
	}
	if n, err := store.Sweep(t.Context(), later()); n != 1 || err != nil {
		t.Errorf("swept %d files: %v", n, err)
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Errorf("a file of somebody else's: %v", err)
	}
}
