package account

import (
	"errors"
	"net/http"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// problems is what was wrong with a form: a sentence for the whole, and one for each field at fault.
type problems struct {
	status int
	Whole  string
	Fields map[string]string
}

// Field gives what was wrong with a field; empty: nothing.
func (p problems) Field(name string) string { return p.Fields[name] }

// problemsOf turns an error into what a form that comes back says; false for one that no typing mends, which is an error
// page's.
func problemsOf(err error) (problems, bool) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return problems{}, false
	}
	p := problems{status: http.StatusUnprocessableEntity, Fields: map[string]string{}}
	switch f.Kind {
	case fault.Invalid:
		for _, d := range f.Details {
			p.Fields[d.Field] = page.Sentence(d.Message)
		}
		if len(f.Details) == 0 {
			p.Whole = page.Sentence(f.Message)
		}
	case fault.Conflict, fault.Unauthenticated, fault.Forbidden:
		p.Whole = page.Sentence(f.Message)
	case fault.Limited:
		p.status, p.Whole = http.StatusTooManyRequests, page.Sentence(f.Message)
	default:
		return problems{}, false
	}
	return p, true
}
