package panel

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// filtersView is the page of saved filters.
type filtersView struct {
	page.Layout
	All      []savedFilter
	Edited   desk.SavedFilter  // ID 0: a new filter
	Mistakes map[string]string // by field
}

type savedFilter struct {
	desk.SavedFilter
	Address string
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
	view := filtersView{Layout: v.Layout("Saved filters", "/desk"), Edited: edited, Mistakes: fieldErrors(wrong)}
	for _, f := range all {
		view.All = append(view.All, savedFilter{f, savedAddress(f)})
		if wrong == nil && f.Yours && strconv.FormatInt(f.ID, 10) == v.Query("edit") {
			view.Edited = f
		}
	}
	return v.ShowStatus(status, "filters", view)
}

func (p *Pages) saveFilter(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	id, _ := strconv.ParseInt(form.Get("id"), 10, 64) // not a number: a new filter
	f := desk.SavedFilter{ID: id, Name: form.Get("name"), Query: form.Get("query"), Shared: form.Get("shared") != ""}
	_, err = p.workspace.SaveFilter(v.Context(), v.Person, f)
	if fault.KindOf(err) == fault.Invalid && err != nil {
		return p.showFilters(v, http.StatusUnprocessableEntity, f, err)
	}
	if err != nil {
		return err
	}
	v.Flash("Filter saved.")
	return v.Redirect(savedAddress(f))
}

func (p *Pages) deleteFilter(v *page.Visit) error {
	id, err := pathID(v)
	if err == nil {
		err = p.workspace.DeleteFilter(v.Context(), v.Person, id)
	}
	if err != nil {
		return err
	}
	v.Flash("Filter deleted.")
	return v.Redirect("/desk/filters")
}

// fieldErrors returns the messages of a fault as sentences, by field.
func fieldErrors(err error) map[string]string {
	all := map[string]string{}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		for _, d := range e.Details {
			all[d.Field] = page.Sentence("this " + d.Message)
		}
	}
	return all
}

// unixLines converts line breaks from CRLF to LF.
func unixLines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }
