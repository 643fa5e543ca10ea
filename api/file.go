package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// attachmentView is a file of a message. Of one that was deleted there is only the name.
type attachmentView struct {
	ID      desk.FileID   `json:"id" example:"F-7Q2K9XM4TD7Q2K9XM4TD7Q2K9X"`
	Name    string        `json:"name"`
	Size    int64         `json:"size,omitempty" doc:"In bytes."`
	Type    string        `json:"type,omitempty" doc:"The media type, by the file's content."`
	URL     string        `json:"url,omitempty" doc:"Where its bytes are."`
	Preview string        `json:"preview,omitempty" doc:"Where a smaller image is, of an image."`
	Width   int           `json:"width,omitempty" doc:"Of the preview, in pixels."`
	Height  int           `json:"height,omitempty" doc:"Of the preview, in pixels."`
	Alt     string        `json:"alt,omitempty" doc:"Describes an image."`
	Inline  bool          `json:"inline,omitempty" doc:"It is shown within the text of its email."`
	Deleted *deletionView `json:"deleted,omitempty"`
}

type deletionView struct {
	At time.Time `json:"at"`
	By namedView `json:"by"`
}

func viewAttachment(f desk.File, viewer desk.Person) attachmentView {
	v := attachmentView{ID: f.ID, Name: f.Name, Alt: f.Alt, Inline: f.Inline}
	if f.Deleted != nil {
		by := namedView{Name: f.Deleted.By.Name, Role: f.Deleted.By.Role}
		if viewer.Role.Staff() {
			by.ID, by.Handle = f.Deleted.By.ID, f.Deleted.By.Handle
		}
		v.Deleted = &deletionView{At: f.Deleted.At.UTC(), By: by}
		return v
	}
	v.Size, v.Type, v.URL = f.Size, f.Type, prefix+"/files/"+string(f.ID)
	if f.Previewed() {
		v.Preview, v.Width, v.Height = v.URL+"/preview", f.Width, f.Height
	}
	return v
}

// streamed is the key of the metadata of operations whose handler reads the request itself.
const streamed = "streamed"

// rawInput is the input of operations that read or write bytes that are no JSON.
type rawInput struct{ gin *gin.Context }

// Resolve keeps the request.
func (in *rawInput) Resolve(ctx huma.Context) []error {
	in.gin = humagin.Unwrap(ctx)
	return nil
}

type uploadInput struct {
	rawInput
	Alt string `query:"alt" maxLength:"500" doc:"Describes an image, for a raw body; in a form it is a field."`
}

type fileInput struct {
	rawInput
	ID string `path:"id"`
}

type uploadOutput struct {
	Location string `header:"Location"`
	Body     attachmentView
}

// uploadBinder registers upload with a body of any media type.
func uploadBinder(s *server, api huma.API, op huma.Operation) {
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	op.Metadata = map[string]any{streamed: true}
	described := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		mediaForm: {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"file": binary, "alt": {Type: huma.TypeString, Description: "Describes an image; before the file."},
		}}},
		"application/octet-stream": {Schema: binary},
	}}
	op.Description += " The body is a form with one file, or the file's bytes in any media type, with its name in Content-Disposition or, percent-encoded, in X-Filename. The file can then be sent with a message within a day."
	onResponse((*server).upload)(s, api, op)
	api.OpenAPI().Paths[op.Path].Post.RequestBody = described // added last: huma would read the body by it
}

// upload stores a file, from a form or a raw body.
func (s *server) upload(_ context.Context, in *uploadInput) (*uploadOutput, error) {
	r, end := request.ForTransfer(in.gin.Writer, in.gin.Request)
	defer end()
	by := request.Of(r.Context()).Person //nolint:contextcheck // a transfer outlasts the request's time-out
	file, err := s.uploadBody(r, by, in.Alt)
	if err != nil {
		return nil, err
	}
	view := viewAttachment(file, by)
	return &uploadOutput{Location: view.URL, Body: view}, nil
}

func (s *server) uploadBody(r *http.Request, by desk.Person, alt string) (desk.File, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != mediaForm {
		return s.Files.Upload(r.Context(), by, desk.Upload{Name: rawName(r.Header), Type: media, Alt: alt, Content: r.Body})
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return desk.File{}, fault.Wrap(err, fault.Invalid, "the form can't be read")
	}
	for size := 0; ; {
		part, err := parts.NextPart()
		if err != nil {
			return desk.File{}, fault.Wrap(err, fault.Invalid, "the form has no file, or arrived incomplete")
		}
		if part.FileName() != "" {
			file, err := s.Files.Upload(r.Context(), by, desk.Upload{Name: part.FileName(), Type: part.Header.Get("Content-Type"), Alt: alt, Content: part})
			return file, request.CutShort(err)
		}
		text, err := io.ReadAll(io.LimitReader(part, maxRequest))
		if size += len(text) + 1; err != nil || size > maxRequest {
			return desk.File{}, fault.New(fault.Invalid, "the form's fields can't be read")
		}
		if part.FormName() == "alt" {
			alt = string(text)
		}
	}
}

// rawName returns the name of a file that is the whole body.
func rawName(h http.Header) string {
	if _, params, err := mime.ParseMediaType(h.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		return params["filename"]
	}
	name := h.Get("X-Filename")
	if decoded, err := url.PathUnescape(name); err == nil {
		return decoded
	}
	return name
}

// readFile responds with a file's bytes.
func (s *server) readFile(_ context.Context, in *fileInput) (*huma.StreamResponse, error) {
	return s.sendFile(in, s.Files.Open, false) //nolint:contextcheck // a transfer outlasts the request's time-out
}

// readPreview responds with the preview of a file.
func (s *server) readPreview(_ context.Context, in *fileInput) (*huma.StreamResponse, error) {
	return s.sendFile(in, s.Files.Preview, true) //nolint:contextcheck // a transfer outlasts the request's time-out
}

func (s *server) sendFile(in *fileInput, open func(context.Context, desk.Person, desk.FileID) (desk.FileContent, error), preview bool) (*huma.StreamResponse, error) {
	r, end := request.ForTransfer(in.gin.Writer, in.gin.Request)
	content, err := open(r.Context(), request.Of(r.Context()).Person, fileID(in.ID))
	if err != nil {
		end()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(huma.Context) {
		defer end()
		request.SendFile(in.gin.Writer, r, content, preview)
	}}, nil
}

type describeInput struct {
	ID   string `path:"id"`
	Body altView
}

type altView struct {
	Alt string `json:"alt" doc:"Describes an image, up to 500 characters. Possible until the file is sent."`
}

type deletedView struct {
	ID desk.FileID `json:"id"`
}

// describeFile sets the text that describes an image.
func (s *server) describeFile(ctx context.Context, in *describeInput) (altView, error) {
	var f input.Fields
	alt := f.Optional("alt", in.Body.Alt, desk.MaxAlt)
	if err := f.Err(); err != nil {
		return altView{}, err
	}
	return altView{alt}, s.Files.Describe(ctx, request.Of(ctx).Person, fileID(in.ID), alt)
}

// deleteFile deletes a file.
func (s *server) deleteFile(ctx context.Context, in *fileInput) (deletedView, error) {
	id := fileID(in.ID)
	_, err := s.Files.Delete(ctx, request.Of(ctx).Person, id)
	return deletedView{id}, err
}

// fileID returns the ID in a path, as it is written.
func fileID(text string) desk.FileID { return desk.FileID(strings.ToUpper(text)) }
