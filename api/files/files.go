// Package files serves the files of messages to their readers, with or without an account, and takes those that scripts
// upload. Who may see a file is decided by the use cases. It knows no SQL, SMTP or Temporal.
package files

import (
	"context"
	"embed"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
)

//go:embed all:templates
var templates embed.FS

// links validates the signed links to files in emails.
type links interface {
	// ReadFileLink returns the file that the token of a link opens, and as whom.
	ReadFileLink(ctx context.Context, token string) (desk.FileID, desk.Person, error)
}

// Rate and burst of requests with links, for each source.
const (
	linkRate  = rate.Limit(2)
	linkBurst = 30
)

// Pages serves the routes of files.
type Pages struct {
	files   request.Files
	links   links
	limiter *request.Sources
}

// New returns the pages of files.
func New(f request.Files, l links) *Pages {
	return &Pages{files: f, links: l, limiter: request.NewSources(linkRate, linkBurst, request.MaxSources)}
}

// Area returns the area of these pages.
func (p *Pages) Area() page.Area {
	readers := page.Access{Who: "Everyone who may see the file's message, signed in or with a link from an email."}
	linked := page.Access{Who: "Anyone with the link to the file in an email, without signing in."}
	return page.NewArea("files", templates, []page.Route{
		page.Post("/files", page.SignedIn, p.upload),
		page.Get("/files/:id/preview", readers, p.preview),
		page.Get("/files/:id/:name", readers, p.file),
		page.Post("/files/:id/deletion", page.SignedIn, p.delete),
		page.Get("/f/:token", linked, p.linked),
	})
}

// upload takes a file that a script sends as a request's body.
func (p *Pages) upload(v *page.Visit) error { return v.ReceiveFile(p.files, v.Person) }

func (p *Pages) file(v *page.Visit) error {
	id := desk.FileID(v.Param("id"))
	return v.SendFile(false, func(viewer desk.Person) (desk.FileContent, error) { return p.files.Open(v.Context(), viewer, id) })
}

func (p *Pages) preview(v *page.Visit) error {
	id := desk.FileID(v.Param("id"))
	return v.SendFile(true, func(viewer desk.Person) (desk.FileContent, error) { return p.files.Preview(v.Context(), viewer, id) })
}

// delete deletes a file and returns to the page of its ticket, or, if it was not sent yet, responds with nothing.
func (p *Pages) delete(v *page.Visit) error {
	id := desk.FileID(v.Param("id"))
	file, err := p.files.Delete(v.Context(), v.Person, id)
	if err != nil {
		return err
	}
	if file.Ticket == "" || v.Partial() {
		return v.Nothing()
	}
	v.Flash("The file was deleted.")
	return v.Redirect("/desk/tickets/" + string(file.Ticket))
}

// linked serves the file that a link in an email opens.
func (p *Pages) linked(v *page.Visit) error {
	if !p.limiter.Allow(v.Source()) {
		return fault.New(fault.Limited, "too many requests; try again in a moment")
	}
	id, reader, err := p.links.ReadFileLink(v.Context(), v.Param("token"))
	if link.Expired(err) || link.Revoked(err) {
		return fault.Wrap(err, fault.Forbidden, "this link to a file has ended; open the ticket to get the file")
	}
	if err != nil {
		return err
	}
	return v.Send(false, func() (desk.FileContent, error) { return p.files.Open(v.Context(), reader, id) })
}
