package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// A message can be sent as a form with its files. Its fields are those of the JSON body, and become one before the handler
// reads it.

// fileIDs are the IDs of a message's files.
type fileIDs []string

// Schema describes the list.
func (fileIDs) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, Pattern: "^F-[0-9A-HJKMNP-TV-Z]{26}$"},
		Description: "IDs of files that you have uploaded, in order, at most 10.",
	}
}

// formMedia describes a form in the document.
func formMedia() *huma.MediaType {
	return &huma.MediaType{Schema: &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true,
		Description: "The fields of the JSON body as those of a form, before its files, which are uploaded and sent with the message.",
	}}
}

// withForm returns a binder of an operation whose body can be a form with files, too.
func withForm(bind binder) binder {
	return func(s *server, api huma.API, op huma.Operation) {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{mediaForm: formMedia()}}
		bind(s, api, op)
	}
}

// takesForm reports whether a request has a form, and its operation takes one.
func takesForm(op *huma.Operation, r *http.Request) bool {
	if op.RequestBody == nil || op.RequestBody.Content[mediaForm] == nil || op.Metadata[streamed] != nil {
		return false
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == mediaForm && params["boundary"] != ""
}

// readForm uploads the files of a form, and replaces the body by the JSON of its fields. The fingerprint of its idempotency
// key covers the files' content, not the IDs that they have got.
func (s *server) readForm(c *gin.Context) (end func(), err error) {
	c.Request, end = request.ForTransfer(c.Writer, c.Request)
	r := c.Request
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		return end, newProblem(http.StatusBadRequest, "the query can't be read", FieldProblem{"query", "is not well formed"})
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return end, fault.Wrap(err, fault.Invalid, "the form can't be read")
	}
	form, err := request.NewFormReader(parts, maxRequest)
	if err != nil {
		return end, err
	}
	if err := form.Upload(r.Context(), s.Files, request.Of(r.Context()).Person); err != nil {
		return end, err
	}
	body, err := formJSON(form.Fields)
	if err != nil {
		return end, err
	}
	var content []byte
	for _, file := range form.Sent {
		content = append(content, file.SHA256[:]...)
		content = append(content, file.Name...)
	}
	for _, file := range form.Sent { // the rest are those that the form names
		form.Fields["files"] = slices.DeleteFunc(form.Fields["files"], func(id string) bool { return id == string(file.ID) })
	}
	sum := sha256.Sum256(append([]byte(form.Fields.Encode()), content...))
	if request.Of(r.Context()).IdempotencyKey, err = readIdempotencyKey(r, sum[:]); err != nil {
		return end, err
	}
	r.Header.Set("Content-Type", mediaJSON)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return end, nil
}

// formJSON returns the JSON body with the fields of a form: files as a list, seen as a number.
func formJSON(fields url.Values) ([]byte, error) {
	body := map[string]any{}
	for name, values := range fields {
		switch number, err := strconv.Atoi(values[0]); {
		case name == "files":
			body[name] = values
		case len(values) > 1:
			return nil, fault.Field(name, "appears twice")
		case !utf8.ValidString(values[0]):
			return nil, fault.Field(name, "is not UTF-8")
		case name == "seen" && err == nil:
			body[name] = number
		default:
			body[name] = values[0]
		}
	}
	return json.Marshal(body)
}
