package page

import (
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// maxForm is the maximum size of a posted form, in bytes. Percent-encoding may triple a text, and a line break is one
// byte of a message but six of a form. A message of up to twice its limit is read, so that it can be shown again.
const maxForm = 6*desk.MaxBody + 16<<10

// fieldKey is the hidden field with a form's idempotency key.
const fieldKey = "idempotency_key"

// fieldSeen is the hidden field with the last entry of a ticket's timeline that the page showed. In a list there is one
// for each ticket, with its number appended to the name.
const fieldSeen = "seen"

// fieldFrom is the hidden field with the list to return to.
const fieldFrom = "from"

// Form returns the posted form. Line breaks in values are as the browser sent them.
func (v *Visit) Form() (url.Values, error) {
	if v.form != nil {
		return v.form, nil
	}
	r := v.gin.Request
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && media == "multipart/form-data" && v.takesFiles {
		return v.multipartForm()
	}
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, fault.New(fault.Invalid, "this is not a form")
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.gin.Writer, r.Body, maxForm))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, fault.New(fault.TooLarge, "the form is too large")
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the form arrived incomplete; please send it again")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the form can't be read")
	}
	v.unstamp(form)
	v.form = form
	return form, nil
}

// Upload returns a posted form with one file of at most most bytes in the given field; file is nil if there is none.
// Nothing is written to disk.
func (v *Visit) Upload(field string, most int64) (form url.Values, file []byte, err error) {
	r := v.gin.Request
	r.Body = http.MaxBytesReader(v.gin.Writer, r.Body, maxForm+most)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "this is not a form with a file")
	}
	form = url.Values{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			v.unstamp(form)
			v.form = form
			return form, file, v.checkWriter()
		}
		var text []byte
		if err == nil {
			text, err = readPart(part, field, most)
		}
		switch _, large := errors.AsType[*http.MaxBytesError](err); {
		case large:
			return nil, nil, fault.New(fault.TooLarge, "the file is too large")
		case err != nil:
			return nil, nil, fault.Wrap(err, fault.Invalid, "the form arrived incomplete; please send it again")
		case part.FormName() == field:
			file = text
		case part.FileName() != "":
			// A file in another field is ignored.
		default:
			form.Add(part.FormName(), string(text))
		}
	}
}

// readPart reads one field, or the file up to one byte past its limit, so that the caller can detect that it is too long.
func readPart(part *multipart.Part, field string, most int64) ([]byte, error) {
	limit := int64(maxForm)
	if part.FormName() == field {
		limit = most + 1
	}
	return io.ReadAll(io.LimitReader(part, limit))
}

// readForm returns the posted form, with or without a file, which it ignores.
func (v *Visit) readForm() (url.Values, error) {
	if v.form != nil {
		return v.form, nil
	}
	if !v.takesFiles && strings.HasPrefix(v.gin.GetHeader("Content-Type"), "multipart/") {
		form, _, err := v.Upload("", maxUpload)
		return form, err
	}
	return v.Form()
}

// hasInput reports whether a form has values in other fields than hidden ones.
func hasInput(fields url.Values) bool {
	for name, values := range fields {
		if isInputField(name) && strings.Join(values, "") != "" {
			return true
		}
	}
	return false
}

// hiddenFields are the names of hidden fields, besides those that begin with fieldSeen.
var hiddenFields = []string{fieldKey, fieldFrom, "act", "expected", "follows", "id", "next", "zone"}

// isInputField reports whether a field is visible.
func isInputField(name string) bool {
	return !slices.Contains(hiddenFields, name) && !strings.HasPrefix(name, fieldSeen)
}

// IdempotencyKey returns the idempotency key of the form that was read, or the zero key if it has none. Fields that
// begin with fieldSeen are not part of the fingerprint: the page may have been refreshed between two attempts.
func (v *Visit) IdempotencyKey() desk.IdempotencyKey {
	key := v.form.Get(fieldKey)
	if key == "" || len(key) > 64 {
		return desk.IdempotencyKey{}
	}
	asked := maps.Clone(v.form)
	maps.DeleteFunc(asked, func(name string, _ []string) bool { return strings.HasPrefix(name, fieldSeen) })
	if files := v.FilesKey(); files != "" {
		asked.Set(fieldFiles, files)
	}
	return request.NewIdempotencyKey(OnceKey(key), []byte(v.Path()), []byte(asked.Encode()))
}

// FormKey returns the idempotency key in the page's address. It stays the same when the browser returns to that address,
// so that the form is accepted once. If it is empty, respond with AddFormKey.
func (v *Visit) FormKey() string {
	if key := v.Query("form"); ValidKey(key) {
		return key
	}
	return ""
}

// AddFormKey redirects to the same page with a new key in its address.
func (v *Visit) AddFormKey() error {
	query := v.Queries()
	query.Set("form", rand.Text())
	return v.redirect(v.Path() + "?" + query.Encode())
}

// ValidKey reports whether a form's key has the format of those that this package generates.
func ValidKey(key string) bool {
	return len(key) == len(rand.Text()) && strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// OnceKey returns the idempotency key of a command that was sent by a form with a key.
func OnceKey(key string) string { return "page:" + key }
