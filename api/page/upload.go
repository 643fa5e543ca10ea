package page

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Upload reads a form that carries one file, of at most so many bytes, in the given field. Without a file it gives none.
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

// readPart reads one field, or the file one byte past its limit, so that whoever reads it can tell.
func readPart(part *multipart.Part, field string, most int64) ([]byte, error) {
	limit := int64(maxForm)
	if part.FormName() == field {
		limit = most + 1
	}
	return io.ReadAll(io.LimitReader(part, limit))
}
