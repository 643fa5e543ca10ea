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
// folder; folder does, through the hook that fileblob has for the open file.
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

func (f *folder) upload(ctx context.Context, key string, r io.Reader) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var file *os.File
	w, err := f.bucket.NewWriter(ctx, key, &gocloud.WriterOptions{
		DisableContentTypeDetection: true,
		BeforeWrite: func(as func(any) bool) error {
			if !as(&file) {
				return errors.New("fileblob has no file to flush")
			}
			return file.Chmod(fileMode)
		},
	})
	if err != nil {
		return err
	}
	if _, err = io.Copy(w, r); err == nil {
		err = file.Sync()
	}
	if err != nil {
		cancel() // so that closing removes the temporary file
		_ = w.Close()
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := f.flushEntry(key); err != nil {
		_ = f.bucket.Delete(context.WithoutCancel(ctx), key)
		return err
	}
	return nil
}

// flushEntry makes the name of a file durable, and that of its folder.
func (f *folder) flushEntry(key string) error {
	sub := filepath.Dir(filepath.Join(f.dir, key))
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
