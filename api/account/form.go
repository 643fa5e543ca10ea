package account

import (
	"errors"
	"net/http"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// problems are the errors in a form: one message for the whole form, and one for each invalid field.
type problems struct {
	status int
	Whole  string
	Fields map[string]string
}

// Field returns the message for a field; empty if it is valid.
func (p problems) Field(name string) string { return p.Fields[name] }

// problemsOf converts an error into messages for the form. It returns false for an error that the person can't correct
// in the form.
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
