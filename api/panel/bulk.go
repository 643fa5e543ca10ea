package panel

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// reportView tells what became of a command to several tickets.
type reportView struct {
	page.Layout
	Mistake string // nothing was asked of any ticket
	What    string // what was asked, as done
	Done    []ticket.Number
	Waiting []ticket.Number // accepted, and not decided yet
	Refused []refusedView
	Suffix  string
	Back    string
}

type refusedView struct {
	Number ticket.Number
	Why    string
}

// bulk asks the same of every selected ticket, and reports on each.
func (p *Pages) bulk(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	s, _ := readSearch(v, v.Queries())
	report := reportView{Layout: v.Layout("What became of it", "/desk"), Suffix: s.suffix(), Back: s.address()}
	numbers, seen, r, what, err := readBulk(form)
	if err == nil {
		r.Once, report.What = v.Once(), what
		var results []desk.Result
		if results, err = p.desk.Bulk(v.Context(), v.Person, numbers, seen, r); err == nil {
			report.tell(results)
		}
	}
	if err != nil {
		if fault.KindOf(err) != fault.Invalid {
			return err
		}
		report.Mistake = mistake(err)
	}
	if v.Partial() {
		if err := report.trigger(v); err != nil {
			return err
		}
		return v.Fragment("bulk", "report", report)
	}
	return v.Show("bulk", report)
}

// trigger has the page fetch its list again, and keep the refused tickets selected. Where nothing was asked, nothing is
// changed, the selection included.
func (r *reportView) trigger(v *page.Visit) error {
	if r.Mistake != "" {
		return nil
	}
	refused := []ticket.Number{}
	for _, each := range r.Refused {
		refused = append(refused, each.Number)
	}
	event, err := json.Marshal(map[string]any{"desk:changed": map[string]any{"refused": refused}})
	if err != nil {
		return fmt.Errorf("write the event of a bulk command: %w", err)
	}
	v.SetHeader("HX-Trigger", string(event))
	return nil
}

// readBulk reads what is asked of which tickets. Only what ends a ticket is guarded by what was seen of it.
func readBulk(form url.Values) (numbers []ticket.Number, seen map[ticket.Number]int, r desk.Request, what string, err error) {
	var f input.Fields
	for _, typed := range form["ticket"] {
		if n := f.Number("ticket", typed); n != "" {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) == 0 {
		f.Reject("nothing", "was selected")
	}
	switch form.Get("do") {
	case "assign":
		r, what = desk.Request{Verb: ticket.VerbAssign, Agent: f.Line("agent", form.Get("agent"), input.MaxWord)}, "assigned"
	case "take":
		r, what = desk.Request{Verb: ticket.VerbAssign}, "taken"
	case "reclassify":
		r, what = desk.Request{
			Verb: ticket.VerbReclassify, Priority: policy.Priority(form.Get("priority")),
			Category: f.Optional("category", form.Get("category"), input.MaxWord),
		}, "reclassified"
		if r.Priority == "" && r.Category == "" {
			f.Reject("priority or category", "must be chosen")
		}
	case "close":
		r, what, seen = desk.Request{Verb: ticket.VerbClose}, "closed", readSeen(&f, form)
	default:
		f.Reject("do", "is nothing that can be done to several tickets")
	}
	return numbers, seen, r, what, f.Err()
}

func (r *reportView) tell(results []desk.Result) {
	for _, result := range results {
		switch {
		case result.Done():
			r.Done = append(r.Done, result.Number)
		case result.Seq > 0 && !result.Outcome.Refused:
			r.Waiting = append(r.Waiting, result.Number)
		default:
			r.Refused = append(r.Refused, refusedView{result.Number, why(result)})
		}
	}
}

func why(r desk.Result) string {
	switch {
	case r.Outcome.Code == ticket.CodeUnseen:
		return "somebody wrote after this list was loaded: read it first"
	case r.Outcome.Refused:
		return r.Outcome.Reason
	}
	if e, ok := errors.AsType[*fault.Error](r.Err); ok && e.Kind != fault.Internal {
		return e.Message
	}
	return "it failed on our side; try again"
}
