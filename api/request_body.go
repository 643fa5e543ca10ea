package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/holesalemart/supportdesk/api/request"
)

// maxRequest is the maximum size of a request body, in bytes.
const maxRequest = 128 << 10

// checkRequest is middleware that reads the body and checks what huma would accept or misreport: its size, media type
// and JSON, and a query that can't be parsed. It also reads the idempotency key, whose fingerprint needs the raw body.
// huma then reads the body from memory and validates it.
func (s *server) checkRequest(ctx huma.Context, next func(huma.Context)) {
	c, op := humagin.Unwrap(ctx), ctx.Operation()
	err := readRequest(c.Writer, c.Request, op, func(property string) bool { return s.allowsNull(op, property) })
	if err != nil {
		s.fail(c, err)
		return
	}
	next(ctx)
}

func readRequest(w http.ResponseWriter, r *http.Request, op *huma.Operation, nullable func(property string) bool) error {
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		return newProblem(http.StatusBadRequest, "the query can't be read", FieldProblem{"query", "is not well formed"})
	}
	if op.RequestBody == nil {
		return nil
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if err := checkMedia(r, body, op.RequestBody.Required); err != nil {
		return err
	}
	if len(body) > 0 {
		if err := inspect(body, nullable); err != nil {
			return err
		}
	}
	if r.Method == http.MethodPost {
		request.Of(r.Context()).IdempotencyKey, err = readIdempotencyKey(r, body)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

// allowsNull reports whether the document allows null for a property of an operation's body. It returns true for an
// unknown property, which huma rejects.
func (s *server) allowsNull(op *huma.Operation, property string) bool {
	media := op.RequestBody.Content[mediaJSON]
	if media == nil || media.Schema == nil {
		return true
	}
	schema := s.resolve(media.Schema)
	p, named := schema.Properties[property]
	return !named || s.resolve(p).Nullable
}

func (s *server) resolve(schema *huma.Schema) *huma.Schema {
	if schema.Ref != "" {
		return s.schemas.SchemaFromRef(schema.Ref)
	}
	return schema
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("a request can have at most %d bytes", maxRequest),
		FieldProblem{"body", "is too large"})
	if r.ContentLength > maxRequest {
		return nil, tooLarge
	}
	var buffer bytes.Buffer
	buffer.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	_, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, maxRequest))
	if err == nil {
		return buffer.Bytes(), nil
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, tooLarge
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return nil, newProblem(http.StatusRequestTimeout, "the request's body did not arrive in time")
	}
	return nil, newProblem(http.StatusBadRequest, "the request's body can't be read", FieldProblem{"body", "is incomplete or malformed"})
}

// checkMedia returns a problem unless the body is JSON in UTF-8, and removes the charset from the header, since huma
// compares the plain media type.
func checkMedia(r *http.Request, body []byte, required bool) error {
	if len(body) == 0 {
		if required {
			return newProblem(http.StatusBadRequest, "the request has no body", FieldProblem{"body", "is missing"})
		}
		return nil
	}
	given := r.Header.Get("Content-Type")
	if given == mediaJSON {
		return nil
	}
	media, params, err := mime.ParseMediaType(given)
	charset, named := params["charset"]
	if err != nil || media != mediaJSON || named && !strings.EqualFold(charset, "utf-8") {
		return newProblem(http.StatusUnsupportedMediaType, "send JSON in UTF-8, as application/json",
			FieldProblem{"header.Content-Type", "is not application/json"})
	}
	r.Header.Set("Content-Type", mediaJSON)
	return nil
}

// checkSyntax returns a 400 problem with the offset of the first syntax error.
func checkSyntax(body []byte) error {
	var whole json.RawMessage
	err := json.Unmarshal(body, &whole)
	if err == nil {
		return nil
	}
	message := "is not JSON"
	if at, ok := errors.AsType[*json.SyntaxError](err); ok {
		message = fmt.Sprintf("is not JSON: %s at byte %d", at.Error(), at.Offset)
	}
	return newProblem(http.StatusBadRequest, "the request's body is not JSON", FieldProblem{"body", message})
}
