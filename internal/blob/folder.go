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

// folderMode lets only this user read what people sent.
const folderMode = 0o700

// folder is a store on a disk. It writes by itself, because fileblob flushes neither a file nor its folder.
type folder struct {
	dir    string
	bucket *gocloud.Bucket
	made   sync.Map // the sub-folders whose entry in dir this process has flushed
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

// upload writes to a temporary name, renames, and then flushes the file and its folder side by side. With a flush before the
// renaming, the disk would write twice, one after the other.
func (f *folder) upload(ctx context.Context, key string, r io.Reader) (err error) {
	path := filepath.Join(f.dir, key)
	file, err := f.create(path)
	if err != nil {
		return err
	}
	name := file.Name()
	defer func() {
		_ = file.Close() // it was flushed, or is removed
		if err != nil {
			_ = os.Remove(name)
		}
	}()
	if err := fill(file, r); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Rename(name, path); err != nil {
		return err
	}
	name = path
	flushed := make(chan error, 1)
	go func() { flushed <- file.Sync() }()
	return errors.Join(f.flushEntry(path), <-flushed)
}

// create creates a file under a temporary name, which only this user reads, and its sub-folder if it is missing.
func (f *folder) create(path string) (*os.File, error) {
	if sub := filepath.Dir(path); sub != f.dir {
		switch err := os.Mkdir(sub, folderMode); {
		case err == nil:
			f.made.Delete(sub)
		case !os.IsExist(err):
			return nil, err
		}
	}
	return os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
}

// pieces are buffers for copying, each large enough for most mails.
var pieces = sync.Pool{New: func() any { return new([64 << 10]byte) }}

func fill(file *os.File, r io.Reader) error {
	piece := pieces.Get().(*[64 << 10]byte)
	defer pieces.Put(piece)
	_, err := io.CopyBuffer(struct{ io.Writer }{file}, r, piece[:]) // the file's own ReadFrom would take another buffer
	return err
}

// flushEntry makes the name of a file durable, and that of its folder.
func (f *folder) flushEntry(path string) error {
	sub := filepath.Dir(path)
	if err := flush(sub); err != nil {
		return err
	}
	if _, done := f.made.Load(sub); done || sub == f.dir {
		return nil
	}
	if err := flush(f.dir); err != nil {
		return err
	}
	f.made.Store(sub, true)
	return nil
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

// temporary is the shape of the names that create makes.
var temporary = regexp.MustCompile(`^([0-9a-f]{2}/[0-9a-f]{30}|` + probe + `)\.[0-9]+\.tmp$`)

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
