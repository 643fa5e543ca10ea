package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	gocloud "gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Only this user reads what people sent.
const (
	folderMode = 0o700
	fileMode   = 0o600
)

// folder is a store on a disk. fileblob writes to a temporary name and renames, and flushes neither the file nor its
// folder. folder does, once the file has its final name: then the disk's journal takes the content, both names and the
// entry together, where a flush before renaming would have it written twice.
type folder struct {
	dir    string
	bucket *gocloud.Bucket

	mu       sync.Mutex
	prepared bool // the sub-folders exist, durably
}

func openFolder(u *url.URL) (*gocloud.Bucket, medium, error) {
	if u.Host != "" || u.RawQuery != "" || !filepath.IsAbs(u.Path) {
		return nil, nil, fault.New(fault.Invalid, "the folder for files is written as file:///path, with three slashes and no parameters")
	}
	dir := filepath.Clean(u.Path)
	if err := makeFolder(dir); err != nil {
		return nil, nil, fault.Wrap(err, fault.Unavailable, "the folder for files, %s, can't be used", dir)
	}
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{
		NoTempDir: true, // a rename must not cross disks
		Metadata:  fileblob.MetadataDontWrite, DirFileMode: folderMode,
	})
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Unavailable, "the folder for files, %s, can't be used", dir)
	}
	return bucket, &folder{dir: dir, bucket: bucket}, nil
}

// makeFolder creates a folder with those above it, durably.
func makeFolder(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	above := filepath.Dir(dir)
	if above != dir {
		if err := makeFolder(above); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, folderMode); err != nil && !os.IsExist(err) {
		return err
	}
	return flush(above)
}

func (f *folder) upload(ctx context.Context, key string, r io.Reader) error {
	if err := f.prepare(); err != nil {
		return err
	}
	file, err := f.write(ctx, key, r)
	if file != nil {
		defer func() { _ = file.Close() }() // only flushed from
	}
	if err != nil {
		return err
	}
	entry := make(chan error, 1)
	go func() { entry <- flush(filepath.Dir(filepath.Join(f.dir, key))) }()
	if err := errors.Join(file.Sync(), <-entry); err != nil {
		_ = f.bucket.Delete(context.WithoutCancel(ctx), key)
		return err
	}
	return nil
}

// prepare creates the sub-folders, all at once, so that a blob waits for its own entry only.
func (f *folder) prepare() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.prepared {
		return nil
	}
	for _, sub := range f.prefixes() {
		if err := os.Mkdir(filepath.Join(f.dir, sub), folderMode); err != nil && !os.IsExist(err) {
			return err
		}
	}
	err := flush(f.dir)
	f.prepared = err == nil
	return err
}

// write writes a file that is not durable yet, and returns it for flushing.
func (f *folder) write(ctx context.Context, key string, r io.Reader) (file *os.File, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := f.bucket.NewWriter(ctx, key, &gocloud.WriterOptions{
		DisableContentTypeDetection: true,
		BeforeWrite: func(as func(any) bool) (err error) {
			var temp *os.File
			if !as(&temp) {
				return errors.New("fileblob has no file")
			}
			if err := temp.Chmod(fileMode); err != nil {
				return err
			}
			// fileblob closes its own before it renames. One that is open before the first byte misses no error of the disk.
			file, err = os.Open(temp.Name())
			return err
		},
	})
	if err != nil {
		return file, err
	}
	// gocloud's own way of copying takes a MiB of memory for the smallest mail.
	if _, err := io.Copy(struct{ io.Writer }{w}, r); err != nil {
		cancel() // so that closing removes the temporary file
		_ = w.Close()
		return file, err
	}
	return file, w.Close()
}

// flush makes the entries of a folder durable.
func flush(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// there tells a missing blob from a missing disk.
func (f *folder) there(error) error {
	_, err := os.Stat(f.dir)
	return err
}

// prefixes are the sub-folders, since fileblob walks all that a prefix covers for every thousand objects.
func (f *folder) prefixes() []string {
	all := make([]string, 256)
	for i := range all {
		all[i] = fmt.Sprintf("%02x/", i)
	}
	return all
}

// temporary is the shape of the names that fileblob writes to.
var temporary = regexp.MustCompile(`^([0-9a-f]{2}/[0-9a-f]{30}|` + probe + `)\.[0-9a-f]+\.tmp$`)

func (f *folder) sweep(ctx context.Context, before time.Time) (int, error) {
	n := 0
	for _, prefix := range append(f.prefixes(), probe+".") {
		for object, err := range objects(ctx, f.bucket, prefix) {
			if err != nil {
				return n, err
			}
			if !temporary.MatchString(object.Key) || !object.ModTime.Before(before) {
				continue
			}
			if err := f.bucket.Delete(ctx, object.Key); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}
