package page

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Fields of a form's files: their IDs, and for each its name, to show the form again, its description, and whether it is
// removed.
const (
	fieldFiles = "files"
	fieldName  = "name-"
	fieldAlt   = "alt-"
	fieldDrop  = "drop-"
)

// isFileField reports whether a field is about a form's files.
func isFileField(name string) bool {
	return name == fieldFiles || strings.HasPrefix(name, fieldName) || strings.HasPrefix(name, fieldAlt) || strings.HasPrefix(name, fieldDrop)
}

// Attached is a file of a form that was not accepted yet.
type Attached struct {
	ID        desk.FileID
	Name, Alt string
}

// multipartForm reads the fields of a form up to its first file. UploadFiles reads the rest.
func (v *Visit) multipartForm() (url.Values, error) {
	v.gin.Request, v.end = request.ForTransfer(v.gin.Writer, v.gin.Request)
	parts, err := v.gin.Request.MultipartReader()
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the form can't be read")
	}
	v.parts, err = request.NewFormReader(parts, maxForm)
	if err != nil {
		v.parts.Drain()
		return nil, err
	}
	v.form = v.parts.Fields
	v.unstamp(v.form)
	return v.form, nil
}

// UploadFiles uploads the files of the form that was read, as a person's, and adds their IDs to it. It stores the
// descriptions of images. After it, the form has no other fields about files than their IDs. Its error says what is wrong
// with a file; what was uploaded before stays with the form.
func (v *Visit) UploadFiles(files request.FileUploader, by desk.Person) (err error) {
	if v.parts != nil {
		if err = v.parts.Upload(v.Context(), files, by); err != nil {
			v.parts.Drain()
		}
	}
	v.form[fieldFiles] = slices.DeleteFunc(v.form[fieldFiles], func(id string) bool { return v.form.Get(fieldDrop+id) != "" })
	for _, id := range v.form[fieldFiles] {
		file := Attached{ID: desk.FileID(id), Name: v.form.Get(fieldName + id), Alt: strings.TrimSpace(v.form.Get(fieldAlt + id))}
		if i := v.sentFile(id); i >= 0 {
			file.Name = v.parts.Sent[i].Name
		}
		if file.ID.Valid() {
			v.attached = append(v.attached, file)
		}
		if err == nil && file.Alt != "" {
			if err = files.Describe(v.Context(), by, file.ID, file.Alt); fault.KindOf(err) == fault.NotFound {
				err = nil // the command says what is wrong with it, or was accepted before
			}
		}
	}
	for name := range v.form {
		if name != fieldFiles && isFileField(name) {
			delete(v.form, name)
		}
	}
	if len(v.form[fieldFiles]) == 0 {
		delete(v.form, fieldFiles)
	}
	return err
}

// Attached returns the files of the form that was read, to be shown with it again.
func (v *Visit) Attached() []Attached { return v.attached }

// sentFile returns the index of a file among those that came with the form, or -1.
func (v *Visit) sentFile(id string) int {
	if v.parts != nil {
		for i, file := range v.parts.Sent {
			if string(file.ID) == id {
				return i
			}
		}
	}
	return -1
}

// FilesKey identifies the files of the form that was read: those that came with it by their content, since they get other
// IDs each time the form is sent, and others by their IDs.
func (v *Visit) FilesKey() string {
	var all []string
	for _, id := range v.form[fieldFiles] {
		if i := v.sentFile(id); i >= 0 {
			id = hex.EncodeToString(v.parts.Sent[i].SHA256[:]) + " " + v.parts.Sent[i].Name
		}
		all = append(all, id)
	}
	return strings.Join(all, "\n")
}

// attachedView is a file that a script has uploaded.
type attachedView struct {
	ID      desk.FileID `json:"id"`
	Name    string      `json:"name"`
	Size    string      `json:"size"`
	Preview string      `json:"preview,omitempty"`
	Error   string      `json:"error,omitempty"` // why it was not accepted
}

// ReceiveFile uploads the request's body as a person's file, and responds with JSON to the script that sent it. The file's
// name is in a header that forms can't set.
func (v *Visit) ReceiveFile(files request.FileUploader, by desk.Person) error {
	name, err := url.PathUnescape(v.Header("X-Filename"))
	if err != nil || v.Header("X-Filename") == "" {
		return fault.New(fault.Invalid, "the file has no name")
	}
	r, end := request.ForTransfer(v.gin.Writer, v.gin.Request)
	defer end()
	v.gin.Request = r
	file, err := files.Upload(r.Context(), by, desk.Upload{Name: name, Type: v.Header("Content-Type"), Content: r.Body})
	if err != nil {
		status, shown := request.Safe(r.Context(), err)
		v.info.Failure = err
		v.retryAfter(status, shown)
		message := shown.Message
		for _, d := range shown.Details {
			message = d.Message
		}
		return v.json(status, attachedView{Error: Sentence(message)})
	}
	view := attachedView{ID: file.ID, Name: file.Name, Size: Size(file.Size)}
	if file.Previewed() && v.Person.ID == by.ID {
		view.Preview = PreviewAddress(file)
	}
	return v.json(http.StatusCreated, view)
}

func (v *Visit) json(status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return v.write(status, "application/json", body)
}

// SendFile responds with a file, or its preview, that the visit's reader may see: who has signed in, or for a file of the one
// ticket, the requester whose link was opened in this browser.
func (v *Visit) SendFile(preview bool, open func(viewer desk.Person) (desk.FileContent, error)) error {
	return v.Send(preview, func() (desk.FileContent, error) { return v.openFile(open) })
}

// Send responds with a file, or its preview. The context of the visit lasts as long as the transfer when open is called.
func (v *Visit) Send(preview bool, open func() (desk.FileContent, error)) error {
	r, end := request.ForTransfer(v.gin.Writer, v.gin.Request)
	defer end()
	v.gin.Request = r
	content, err := open()
	if err != nil {
		return err
	}
	request.SendFile(v.gin.Writer, r, content, preview)
	return nil
}

func (v *Visit) openFile(open func(viewer desk.Person) (desk.FileContent, error)) (desk.FileContent, error) {
	err := error(errSignIn)
	if v.SignedIn() {
		var content desk.FileContent
		if content, err = open(v.Person); fault.KindOf(err) != fault.NotFound {
			return content, err
		}
	}
	for _, g := range v.Session.grants() {
		person, wrong := v.Session.Granted(g.Number)
		if wrong != nil {
			continue
		}
		content, wrong := open(person)
		switch {
		case wrong == nil && content.File.Ticket == g.Number:
			return content, nil
		case wrong == nil:
			_ = content.Close() // of another ticket
		case fault.KindOf(wrong) != fault.NotFound:
			return content, wrong
		}
	}
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.Unauthenticated && len(v.Session.grants()) > 0 {
		err = fault.New(fault.NotFound, "there is no such file")
	}
	return desk.FileContent{}, err
}
