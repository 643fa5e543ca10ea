package panel

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/markup"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// cannedView is the page of canned replies.
type cannedView struct {
	page.Layout
	All          []desk.CannedReply
	Edited       desk.CannedReply // ID 0: a new canned reply
	Placeholders []string
	Mistakes     map[string]string // by field
	Composer     page.Composer
}

// canned shows all canned replies, and a form for a new one or for the one in the query.
func (p *Pages) canned(v *page.Visit) error {
	return p.showCanned(v, http.StatusOK, desk.CannedReply{}, false, nil)
}

func (p *Pages) showCanned(v *page.Visit, status int, edited desk.CannedReply, preview bool, wrong error) error {
	all, err := p.workspace.CannedReplies(v.Context(), v.Person)
	if err != nil {
		return err
	}
	if wrong == nil && !preview {
		for _, c := range all {
			if c.Yours && strconv.FormatInt(c.ID, 10) == v.Query("edit") {
				edited = c
			}
		}
	}
	layout := v.Layout("Canned replies", "/desk")
	return v.ShowStatus(status, "canned", cannedView{
		Layout: layout, Composer: layout.NewComposer(preview, edited.Body), All: all, Edited: edited,
		Placeholders: desk.Placeholders(), Mistakes: page.FieldSentences(wrong, "this "),
	})
}

func (p *Pages) saveCanned(v *page.Visit, form url.Values) error {
	id, _ := strconv.ParseInt(form.Get("id"), 10, 64) // not a number: a new canned reply
	c := desk.CannedReply{ID: id, Title: form.Get("title"), Body: strings.ReplaceAll(form.Get("body"), "\r\n", "\n"), Shared: form.Get("shared") != ""}
	if form.Get("preview") != "" {
		return p.showCanned(v, http.StatusOK, c, true, nil)
	}
	_, err := p.workspace.SaveCanned(v.Context(), v.Person, c)
	if fault.KindOf(err) == fault.Invalid && err != nil {
		return p.showCanned(v, http.StatusUnprocessableEntity, c, false, err)
	}
	return finish(v, err, "Canned reply saved.", "/desk/canned")
}

func (p *Pages) deleteCanned(v *page.Visit) error {
	id, err := pathID(v)
	if err == nil {
		err = p.workspace.DeleteCanned(v.Context(), v.Person, id)
	}
	return finish(v, err, "Canned reply deleted.", "/desk/canned")
}

// finish redirects to a page with a confirmation, unless there was an error.
func finish(v *page.Visit, err error, done, to string) error {
	if err != nil {
		return err
	}
	v.Flash("%s", done)
	return v.Redirect(to)
}

// cannedText responds with the text of a canned reply, its placeholders replaced by values of the ticket.
func (p *Pages) cannedText(v *page.Visit) error {
	n, err := ticket.ParseNumber(v.Param("number"))
	if err != nil {
		return err
	}
	text, err := p.fillCanned(v, n, v.Param("id"))
	if err != nil {
		return err
	}
	return v.File("text/plain; charset=utf-8", "canned.txt", []byte(text))
}

// insertCanned appends a canned reply to the message that is being written, for browsers without scripts.
func (p *Pages) insertCanned(v *page.Visit, n ticket.Number, d draft, chosen string) error {
	if chosen != "" {
		text, err := p.fillCanned(v, n, chosen)
		if err != nil {
			return err
		}
		if d.body != "" {
			d.body += "\n"
		}
		d.body += text
	}
	return p.showTicket(v, n, http.StatusOK, d, feedback{})
}

func (p *Pages) fillCanned(v *page.Visit, n ticket.Number, id string) (string, error) {
	record, err := p.desk.Ticket(v.Context(), v.Person, n)
	if err != nil {
		return "", err
	}
	all, err := p.workspace.CannedReplies(v.Context(), v.Person)
	if err != nil {
		return "", err
	}
	for _, c := range all {
		if strconv.FormatInt(c.ID, 10) == id {
			text, _ := desk.FillCanned(c.Body, markup.Escape, record, desk.Ref{ID: v.Person.ID, Name: v.Person.Name, Handle: v.Person.Handle, Role: v.Person.Role})
			return text, nil
		}
	}
	return "", fault.New(fault.NotFound, "there is no such canned reply")
}

// filtersView is the page of saved filters.
type filtersView struct {
	page.Layout
	All      []savedView
	Edited   desk.SavedFilter  // ID 0: a new filter
	Mistakes map[string]string // by field
}

// filters shows all saved filters, and a form for a new one or for the one in the query.
func (p *Pages) filters(v *page.Visit) error {
	return p.showFilters(v, http.StatusOK, desk.SavedFilter{Query: v.Query("query")}, nil)
}

func (p *Pages) showFilters(v *page.Visit, status int, edited desk.SavedFilter, wrong error) error {
	all, err := p.workspace.SavedFilters(v.Context(), v.Person)
	if err != nil {
		return err
	}
	view := filtersView{Layout: v.Layout("Saved filters", "/desk"), Edited: edited, Mistakes: page.FieldSentences(wrong, "this ")}
	for _, f := range all {
		view.All = append(view.All, savedView{SavedFilter: f, Address: savedAddress(f)})
		if wrong == nil && f.Yours && strconv.FormatInt(f.ID, 10) == v.Query("edit") {
			view.Edited = f
		}
	}
	return v.ShowStatus(status, "filters", view)
}

func (p *Pages) saveFilter(v *page.Visit, form url.Values) error {
	id, _ := strconv.ParseInt(form.Get("id"), 10, 64) // not a number: a new filter
	f := desk.SavedFilter{ID: id, Name: form.Get("name"), Query: form.Get("query"), Shared: form.Get("shared") != ""}
	_, err := p.workspace.SaveFilter(v.Context(), v.Person, f)
	if fault.KindOf(err) == fault.Invalid && err != nil {
		return p.showFilters(v, http.StatusUnprocessableEntity, f, err)
	}
	return finish(v, err, "Filter saved.", savedAddress(f))
}

func (p *Pages) deleteFilter(v *page.Visit) error {
	id, err := pathID(v)
	if err == nil {
		err = p.workspace.DeleteFilter(v.Context(), v.Person, id)
	}
	return finish(v, err, "Filter deleted.", "/desk/filters")
}

// pathID parses the ID in the path.
func pathID(v *page.Visit) (int64, error) {
	n, err := strconv.ParseInt(v.Param("id"), 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.NotFound, "there is no page at this address")
	}
	return n, nil
}
