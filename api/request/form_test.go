package request_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// uploader reads files, and refuses empty ones.
type uploader struct{}

func (uploader) Limits() desk.FileLimits { return desk.FileLimits{Count: 5} }

func (uploader) Upload(_ context.Context, _ desk.Person, u desk.Upload) (desk.File, error) {
	n, err := io.Copy(io.Discard, u.Content)
	switch {
	case err != nil:
		return desk.File{}, fmt.Errorf("read the file: %w", err)
	case n == 0:
		return desk.File{}, fault.New(fault.Invalid, "the file is empty")
	}
	return desk.File{}, nil
}

func (uploader) Describe(context.Context, desk.Person, desk.FileID, string) error { return nil }

func TestUpload_namesTheFileOfAFaultButNotOfAFormThatWasCutShort(t *testing.T) {
	const head = "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\n\r\n"
	for body, want := range map[string]string{
		head + "\r\n--b--\r\n": "contain a.txt: the file is empty",
		head + "half":          "the form arrived incomplete; please send it again",
	} {
		f, err := request.NewFormReader(multipart.NewReader(strings.NewReader(body), "b"), 1000)
		if err != nil {
			t.Fatal(err)
		}
		err = f.Upload(t.Context(), uploader{}, desk.Person{})
		refusal, ok := errors.AsType[*fault.Error](err)
		if !ok {
			t.Fatalf("%q: %v", body, err)
		}
		got := refusal.Message
		if len(refusal.Details) > 0 {
			got = refusal.Details[0].Message
		}
		if got != want {
			t.Errorf("%q: %s, want %s", body, got, want)
		}
	}
}
