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

// maxForm is the longest posted form, in bytes. Percent-encoding may triple what was typed, and a line break counts as
// one byte of a message and is posted as six. A message of twice the limit fits, too, so that it comes back in its form.
const maxForm = 6*desk.MaxBody + 16<<10

// fieldKey is the hidden field of a form that may be sent once.
const fieldKey = "once"

// fieldSeen is the hidden field that says what the page had shown of a ticket; a list has one for each, named with its number.
const fieldSeen = "seen"

// fieldFrom is the hidden field that names the list to come back to.
const fieldFrom = "from"

// Form reads what was posted. Values keep their line breaks as the browser sent them.
func (v *Visit) Form() (url.Values, error) {
	if v.form != nil {
		return v.form, nil
	}
	r := v.gin.Request
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, fault.New(fault.Invalid, "that was no form")
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.gin.Writer, r.Body, maxForm))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, fault.New(fault.TooLarge, "that is more than a form can hold")
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the form did not arrive whole; send it again")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the form can't be read")
	}
	v.unstamp(form)
	v.form = form
	return form, nil
}

// Upload reads a form that carries one file, of at most so many bytes, in the given field. Without a file, file is nil.
// Nothing is written to disk.
func (v *Visit) Upload(field string, most int64) (form url.Values, file []byte, err error) {
	r := v.gin.Request
	r.Body = http.MaxBytesReader(v.gin.Writer, r.Body, maxForm+most)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "that was no form with a file")
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
			return nil, nil, fault.Wrap(err, fault.Invalid, "the form did not arrive whole; send it again")
		case part.FormName() == field:
			file = text
		case part.FileName() != "":
			// A file of another field is left out.
		default:
			form.Add(part.FormName(), string(text))
		}
	}
}

// readPart reads one field, or the file one byte past its limit, so that the caller can tell that it is too long.
func readPart(part *multipart.Part, field string, most int64) ([]byte, error) {
	limit := int64(maxForm)
	if part.FormName() == field {
		limit = most + 1
	}
	return io.ReadAll(io.LimitReader(part, limit))
}

// readForm reads a form with or without a file, and leaves the file out.
func (v *Visit) readForm() (url.Values, error) {
	if v.form != nil {
		return v.form, nil
	}
	if strings.HasPrefix(v.gin.GetHeader("Content-Type"), "multipart/") {
		form, _, err := v.Upload("", maxUpload)
		return form, err
	}
	return v.Form()
}

// hasInput reports whether a kept form holds anything that was typed or chosen, and not only hidden fields.
func hasInput(fields url.Values) bool {
	for name, values := range fields {
		if isInputField(name) && strings.Join(values, "") != "" {
			return true
		}
	}
	return false
}

// hiddenFields are fields that every form has hidden, beside those named fieldSeen.
var hiddenFields = []string{fieldKey, fieldFrom, "act", "expected", "follows", "id", "next", "zone"}

// isInputField reports whether a field is one that people see.
func isInputField(name string) bool {
	return !slices.Contains(hiddenFields, name) && !strings.HasPrefix(name, fieldSeen)
}

// IdempotencyKey is what makes a form that is sent twice be taken once: the key that it was shown with. A form without one is
// not protected. What the page had shown is no part of what is asked: it may have been brought up to date between the two.
func (v *Visit) IdempotencyKey() desk.IdempotencyKey {
	key := v.form.Get(fieldKey)
	if key == "" || len(key) > 64 {
		return desk.IdempotencyKey{}
	}
	asked := maps.Clone(v.form)
	maps.DeleteFunc(asked, func(name string, _ []string) bool { return strings.HasPrefix(name, fieldSeen) })
	return request.OnceOf(OnceKey(key), []byte(v.Path()), []byte(asked.Encode()))
}

// FormKey is the key of the form on a page whose address carries it: it is the same one when the browser comes back to
// that address, so that what is sent twice is taken once. When it is empty, the answer is AddFormKey's.
func (v *Visit) FormKey() string {
	if key := v.Query("form"); ValidKey(key) {
		return key
	}
	return ""
}

// AddFormKey leads to the same page under an address with a new key.
func (v *Visit) AddFormKey() error {
	query := v.Queries()
	query.Set("form", rand.Text())
	return v.redirect(v.Path() + "?" + query.Encode())
}

// ValidKey reports whether a form's key is one that was drawn here.
func ValidKey(key string) bool {
	return len(key) == len(rand.Text()) && strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// OnceKey is the key under which what a form with a key asks for is accepted.
func OnceKey(key string) string { return "page:" + key }
