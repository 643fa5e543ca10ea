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
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// maxRequest is the maximum size of a request body, in bytes.
const maxRequest = 128 << 10

// checkRequest is middleware that reads the body and checks what huma would accept or misreport: its size, media type
// and JSON, and a query that can't be parsed. It also reads the idempotency key, whose fingerprint needs the raw body.
// huma then reads the body from memory and validates it.
func (s *server) checkRequest(ctx huma.Context, next func(huma.Context)) {
	c, op := humagin.Unwrap(ctx), ctx.Operation()
	if s.Files != nil && takesForm(op, c.Request) {
		end, err := s.readForm(c)
		defer end()
		if err != nil {
			s.fail(c, err)
			return
		}
		next(huma.WithContext(ctx, c.Request.Context()))
		return
	}
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
	if op.RequestBody == nil || op.Metadata[streamed] != nil {
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

// inspect rejects what encoding/json silently changes: invalid UTF-8 and lone surrogates (both would become U+FFFD),
// duplicate properties (the last would win), names in another case (which would match), and null for a property that is
// not nullable (huma and encoding/json treat it as absent). Bodies are flat, so a problem names the property of the
// outermost object. encoding/json/v2 rejects most of this by itself, but is still experimental and stops at the first
// error.
func inspect(body []byte, nullable func(property string) bool) error {
	if err := checkSyntax(body); err != nil {
		return err
	}
	in := inspection{body: body, field: "body", seen: make(map[string]bool, 8), nullable: nullable}
	for in.at < len(body) && len(in.details) < maxErrors {
		switch body[in.at] {
		case '{', '[':
			in.depth++
			in.at++
		case '}', ']':
			in.depth--
			in.at++
		case '"':
			in.text()
		default:
			in.at++
		}
	}
	if len(in.details) > 0 {
		return fault.Fields(in.details...)
	}
	return nil
}

// inspection scans JSON that is known to be well formed.
type inspection struct {
	body    []byte
	at      int
	depth   int
	field   string // the property of the outermost object that at lies in
	seen    map[string]bool
	details []fault.Detail

	nullable func(property string) bool
}

// text inspects the string that begins at the current byte and advances past it.
func (in *inspection) text() {
	start := in.at
	in.at++
	escaped := false
	for in.body[in.at] != '"' {
		if in.body[in.at] == '\\' {
			escaped = true
			in.at++
		}
		in.at++
	}
	in.at++
	quoted := in.body[start:in.at]
	if in.depth == 1 && bytes.HasPrefix(bytes.TrimLeft(in.body[in.at:], " \t\r\n"), []byte(":")) {
		in.property(quoted)
	}
	if !utf8.Valid(quoted) {
		in.reject("is not UTF-8")
	}
	if escaped && hasLoneSurrogate(quoted) {
		in.reject("contains half of a surrogate pair")
	}
}

func (in *inspection) property(quoted []byte) {
	var name string
	_ = json.Unmarshal(quoted, &name) // well formed
	in.field = name
	switch {
	case !isPropertyName(name):
		in.reject("unexpected property")
	case in.seen[name]:
		in.reject("appears twice")
	case in.null() && !in.nullable(name):
		in.reject("is null; leave it out instead")
	}
	in.seen[name] = true
}

// null reports whether the value of the property whose name ends at the current byte is null.
func (in *inspection) null() bool {
	value := bytes.TrimLeft(in.body[in.at:], ": \t\r\n")
	return bytes.HasPrefix(value, []byte("null"))
}

func (in *inspection) reject(message string) {
	in.details = append(in.details, fault.Detail{Field: in.field, Message: message})
}

// isPropertyName reports whether name consists of lower-case letters and underscores, as all of this API's do.
func isPropertyName(name string) bool {
	for _, c := range []byte(name) {
		if c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != ""
}

// hasLoneSurrogate reports whether the escapes of a JSON string contain a surrogate without its other half.
func hasLoneSurrogate(quoted []byte) bool {
	high := false // the previous escape was a high surrogate
	for i := 0; i < len(quoted); {
		unit, size := rune(-1), 1
		if quoted[i] == '\\' {
			size = 2
			if quoted[i+1] == 'u' {
				code, _ := strconv.ParseUint(string(quoted[i+2:i+6]), 16, 16) // well formed
				unit, size = rune(code), 6
			}
		}
		low := utf16.IsSurrogate(unit) && unit >= 0xdc00
		if high != low {
			return true
		}
		high = utf16.IsSurrogate(unit) && !low
		i += size
	}
	return high
}

const (
	idempotencyKey = "Idempotency-Key"
	maxKey         = 200
)

// readIdempotencyKey returns the idempotency key of a POST request, or the zero key if it has none. The fingerprint
// covers method, path and raw body, so that a key that is used again for another request is detected.
func readIdempotencyKey(r *http.Request, body []byte) (desk.IdempotencyKey, error) {
	keys := r.Header.Values(idempotencyKey)
	if len(keys) == 0 {
		return desk.IdempotencyKey{}, nil
	}
	if len(keys) > 1 || !visible(keys[0], maxKey) {
		return desk.IdempotencyKey{}, fault.Field("header."+idempotencyKey, "must be sent once, with 1 to %d visible ASCII characters", maxKey)
	}
	return request.NewIdempotencyKey(keys[0], []byte(r.Method), []byte(r.URL.Path), body), nil
}

// keyParameter returns the document's entry of the header that readIdempotencyKey reads.
func keyParameter() *huma.Param {
	shortest, longest := 1, maxKey
	return &huma.Param{
		Name: idempotencyKey, In: "header",
		Description: "Makes repeating the request safe: the same key with the same request returns the first response " +
			"again, with the header Idempotency-Replayed; with another request it is a 409.",
		Schema: &huma.Schema{Type: huma.TypeString, MinLength: &shortest, MaxLength: &longest, Pattern: "^[!-~]+$"},
	}
}

// replayed returns the value of the Idempotency-Replayed header. huma omits an empty header.
func replayed(again bool) string {
	if again {
		return "true"
	}
	return ""
}
