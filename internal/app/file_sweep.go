package app

import (
	"context"
	"slices"
	"time"
)

const (
	// unsentLifetime is how long an uploaded file may wait to be sent with a message. Blobs that no row names are deleted
	// after the same time, in which every upload has long been recorded.
	unsentLifetime = 24 * time.Hour
	// sweepInterval is the time between sweeps of one process.
	sweepInterval = time.Hour
	sweptAtOnce   = 500 // keys that are looked for in one query
)

// Sweep removes files that were not sent within a day, and blobs older than a day that no row names: those of uploads that
// ended half-way, and of deletions. It returns how long to wait until the next sweep.
func (f *Files) Sweep(ctx context.Context) (wait time.Duration, err error) {
	before := time.Now().Add(-unsentLifetime)
	for full := true; full; {
		var keys []string
		if keys, full, err = f.store.SweepFiles(ctx, before); err != nil {
			return 0, err
		}
		f.drop(ctx, keys...)
	}
	if _, err := f.blobs.Sweep(ctx, before); err != nil {
		return 0, err
	}
	return sweepInterval, f.sweepBlobs(ctx, before)
}

// sweepBlobs deletes the blobs written before an instant that no row names.
func (f *Files) sweepBlobs(ctx context.Context, before time.Time) error {
	var keys []string
	for entry, err := range f.blobs.List(ctx, before) {
		if err != nil {
			return err
		}
		if keys = append(keys, entry.Key); len(keys) < sweptAtOnce {
			continue
		}
		if err := f.dropUnnamed(ctx, keys); err != nil {
			return err
		}
		keys = keys[:0]
	}
	return f.dropUnnamed(ctx, keys)
}

func (f *Files) dropUnnamed(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	named, err := f.store.NamedBlobs(ctx, keys)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if slices.Contains(named, key) {
			continue
		}
		if err := f.blobs.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
