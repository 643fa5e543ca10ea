package page

import (
	"html/template"
	"net/http"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/markup"
)

// foldAfter is how many characters of a message are shown before the rest is folded.
const foldAfter = 4000

// Formatted returns a message as HTML for the page's reader. A long one is folded.
func (l Layout) Formatted(body string, format desk.Format) template.HTML {
	o := l.shown()
	o.Fold = foldAfter
	return markup.Message(body, format == desk.FormatMarkdown, o)
}

// shown returns how messages are shown to the page's reader.
func (l Layout) shown() markup.Options {
	return markup.Options{Ticket: desk.TicketPaths(l.Prefix, l.Person.Role.Staff())}
}

// Composer is what belongs to a field in which a message is written: its tools and its preview.
type Composer struct {
	Preview template.HTML // empty: none was asked for
	Asked   bool          // a preview was asked for
}

// NewComposer returns the tools of a field. Without scripts, a form asks for a preview of what was typed.
func (l Layout) NewComposer(asked bool, typed string) Composer {
	c := Composer{Asked: asked}
	if asked {
		c.Preview = markup.Markdown(typed, l.shown())
	}
	return c
}

// SendPreview responds with what a message looks like, for a script.
func (v *Visit) SendPreview(typed string) error {
	if len(typed) > desk.MaxBody {
		typed = typed[:desk.MaxBody]
	}
	shown := markup.Markdown(typed, v.Layout("", "").shown())
	return v.write(http.StatusOK, "text/html; charset=utf-8", []byte(shown))
}

// SendMarkdown responds with pasted HTML as Markdown, for a script.
func (v *Visit) SendMarkdown(pasted string) error {
	return v.write(http.StatusOK, "text/plain; charset=utf-8", []byte(markup.FromHTML(pasted)))
}
