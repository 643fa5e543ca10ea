package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

const blobLimit = 30 * time.Second // for the answer to one question to the store of files

// missingBlobs reports files whose bytes are not in the blob store.
func (d *doctor) missingBlobs() {
	var missing missing
	for after := desk.FileID(""); ; {
		files, ok := ask(d, databaseLimit, "list the files", func(ctx context.Context) ([]desk.StoredFile, error) { return d.db.FileBlobs(ctx, after, comparedPage) })
		if !ok {
			return
		}
		for _, f := range files {
			after = f.ID
			there, ok := d.stored("look for a file's bytes", f.Blob, f.Preview)
			if !ok {
				return
			}
			if !there {
				missing.add(string(f.ID) + " of " + cmp.Or(string(f.Ticket), "no ticket yet"))
			}
		}
		if len(files) < comparedPage {
			break
		}
	}
	if missing.n > 0 {
		d.report("%s no bytes in the store of files: %s", count(missing.n, "file has", "files have"), missing)
	}
}

// missingMails reports incoming mails whose content is not in the blob store.
func (d *doctor) missingMails() {
	var missing missing
	for after := int64(0); ; {
		mails, ok := ask(d, databaseLimit, "list the incoming emails", func(ctx context.Context) ([]desk.IncomingMail, error) {
			return d.db.IncomingBlobs(ctx, after, comparedPage)
		})
		if !ok {
			return
		}
		for _, m := range mails {
			after = m.ID
			there, ok := d.stored("look for an incoming email's content", m.Blob)
			if !ok {
				return
			}
			if !there {
				missing.add(fmt.Sprintf("%d (%s)", m.ID, m.Status))
			}
		}
		if len(mails) < comparedPage {
			break
		}
	}
	if missing.n > 0 {
		d.report("%s no content in the store of files: %s", count(missing.n, "incoming email has", "incoming emails have"), missing)
	}
}

// missing counts what is missing, and names the first.
type missing struct {
	n     int
	first []string
}

func (m *missing) add(name string) {
	if m.n++; m.n <= maxNamed {
		m.first = append(m.first, name)
	}
}

func (m missing) String() string { return listed(m.first, m.n) }

// stored reports whether the blob store has the blobs with all keys that are not empty. ok is false if the check failed.
func (d *doctor) stored(check string, keys ...string) (all, ok bool) {
	return ask(d, blobLimit, check, func(ctx context.Context) (bool, error) { return d.opens(ctx, keys) })
}

func (d *doctor) opens(ctx context.Context, keys []string) (bool, error) {
	for _, key := range keys {
		if key == "" {
			continue
		}
		r, _, err := d.blobs.Open(ctx, key)
		if fault.KindOf(err) == fault.NotFound {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if err := r.Close(); err != nil {
			return false, err
		}
	}
	return true, nil
}
