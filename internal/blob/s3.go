package blob

import (
	"context"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocloud "gocloud.dev/blob"

	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	// partSize is how much of a blob is sent at once, and the least that S3 allows. Two or three are in memory.
	partSize = 5 << 20
	// abortTimeout bounds the removal of an upload that failed.
	abortTimeout = 10 * time.Second
)

// bucket is a store in S3. An object is there as a whole when its upload has ended, and not before.
type bucket struct {
	*gocloud.Bucket
	client *s3.Client
	name   string
	prefix string // of every key in the bucket
}

func openS3(ctx context.Context, u *url.URL) (*gocloud.Bucket, medium, error) {
	if u.Host == "" || u.Path != "" || u.User != nil {
		return nil, nil, fault.New(fault.Invalid, "a bucket for files is written as s3://bucket?parameters")
	}
	opened, err := gocloud.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "the bucket for files is not configured correctly")
	}
	b := &bucket{Bucket: opened, name: u.Host, prefix: u.Query().Get("prefix")}
	if !opened.As(&b.client) {
		return nil, nil, errors.New("s3blob has no client")
	}
	return opened, b, nil
}

// upload replaces the uploader that s3blob made: its own keeps up to 100 MB in memory, and does not remove the parts of
// an upload whose context has ended.
func (b *bucket) upload(ctx context.Context, key string, r io.Reader) error {
	return b.Upload(ctx, key, r, &gocloud.WriterOptions{
		ContentType: "application/octet-stream",
		BeforeWrite: func(as func(any) bool) error {
			var uploader *transfermanager.Client
			if !as(&uploader) {
				return errors.New("s3blob has no uploader")
			}
			*uploader = *transfermanager.New(b.client, func(o *transfermanager.Options) {
				o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency = partSize, partSize, 1
				o.FailTimeout = abortTimeout
				o.RequestChecksumCalculation = b.client.Options().RequestChecksumCalculation
			})
			return nil
		},
	})
}

// quiet keeps the SDK from logging that an object which was uploaded in parts has no checksum of the whole. The checksum
// of the rows, SHA-256, is that of the whole.
func quiet(as func(any) bool) error {
	var options *[]func(*s3.Options)
	if as(&options) { // not so for a folder
		*options = append(*options, func(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true })
	}
	return nil
}

// prefixes is one: S3 pages through any number.
func (b *bucket) prefixes() []string { return []string{""} }

// there tells a missing object from a missing bucket, by the code of S3's response.
func (b *bucket) there(err error) error {
	var coded interface{ ErrorCode() string }
	if b.ErrorAs(err, &coded) && coded.ErrorCode() == "NoSuchBucket" {
		return err
	}
	return nil
}

// sweep aborts the uploads in parts that have not ended. S3 keeps the parts, and charges for them, until then.
func (b *bucket) sweep(ctx context.Context, before time.Time) (int, error) {
	n, pages := 0, s3.NewListMultipartUploadsPaginator(b.client, &s3.ListMultipartUploadsInput{Bucket: &b.name, Prefix: &b.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return n, err
		}
		for _, u := range page.Uploads {
			if u.Key == nil || u.Initiated == nil || !u.Initiated.Before(before) || !b.ours(*u.Key) {
				continue
			}
			_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: u.Key, UploadId: u.UploadId})
			if err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// ours reports whether an object's key is that of a blob of this store, whatever else is in the bucket.
func (b *bucket) ours(key string) bool {
	return len(key) > len(b.prefix) && wellFormed.MatchString(key[len(b.prefix):])
}
