package request

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/holesalemart/supportdesk/internal/attachment"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Limits of a transfer of a file, in either direction.
const (
	transferTime  = 10 * time.Minute // in all
	transferStall = 20 * time.Second // without a byte
)

// ForTransfer returns the request with a context that lasts long enough to transfer files, which ends when the client
// disconnects, and with a body that the client must keep sending. The caller calls end when it has responded.
func ForTransfer(w http.ResponseWriter, r *http.Request) (transfer *http.Request, end func()) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), transferTime)
	stop := context.AfterFunc(Of(r.Context()).Connection, cancel) //nolint:contextcheck // the connection lasts as long as the transfer
	r = r.WithContext(ctx)
	out := http.NewResponseController(w)
	r.Body = &body{ReadCloser: r.Body, connection: out}
	_ = out.SetWriteDeadline(time.Now().Add(transferTime + requestTail)) // unsupported in tests only
	return r, func() { stop(); cancel() }
}

// requestTail is the time to respond after a transfer.
const requestTail = 30 * time.Second

// body is a request's body of which some must arrive within transferStall.
type body struct {
	io.ReadCloser
	connection *http.ResponseController
}

func (b *body) Read(p []byte) (int, error) {
	_ = b.connection.SetReadDeadline(time.Now().Add(transferStall)) // unsupported in tests only
	n, err := b.ReadCloser.Read(p)
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		err = fault.Wrap(err, fault.Invalid, "the upload stopped half-way; please send it again")
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fault.Wrap(err, fault.Invalid, "the upload arrived incomplete; please send it again")
	}
	return n, err
}

// SendFile responds with a file or a preview, and closes it. Previews are shown by the page that embeds them; everything
// else is saved.
func SendFile(w http.ResponseWriter, r *http.Request, content desk.FileContent, preview bool) {
	defer func() { _ = content.Close() }() // only read from
	h := w.Header()
	for name, value := range attachment.Headers(attachment.Type(content.File.Type), content.File.Name, preview) {
		h.Set(name, value)
	}
	tag := `"` + string(content.File.ID)
	if preview {
		tag += "-preview"
	}
	tag += `"`
	h.Set("ETag", tag) // the bytes of a file never change
	h.Set("Vary", "Cookie, Authorization")
	if r.Header.Get("If-None-Match") == tag {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.FormatInt(content.Size, 10))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := io.Copy(w, content); err != nil {
		panic(http.ErrAbortHandler) // so that the client does not take a part for the whole
	}
}
