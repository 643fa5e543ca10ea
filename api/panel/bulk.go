package panel

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// reportView is the report on a bulk command.
type reportView struct {
	page.Layout
	Mistake string // why the command was not sent to any ticket
	What    string // what was done, such as "closed"
	Suffix  string
	Back    string
	request.Several
}

// bulk sends one command to every selected ticket and reports the outcome of each.
func (p *Pages) bulk(v *page.Visit, form url.Values) error {
	s, _ := readSearch(v, v.Queries())
	report := reportView{Layout: v.Layout("Results", "/desk"), Suffix: s.suffix(), Back: s.address()}
	numbers, seen, r, err := readBulk(form)
	if err == nil {
		r.IdempotencyKey, report.What = v.IdempotencyKey(), r.Verb.Definition().Bulk
		var results []desk.Result
		if results, err = p.desk.Bulk(v.Context(), v.Person, numbers, seen, r); err == nil {
			report.Add(results)
		}
	}
	if err != nil {
		if fault.KindOf(err) != fault.Invalid {
			return err
		}
		report.Mistake = errorSentence(err)
	}
	if v.Partial() {
		if err := report.trigger(v); err != nil {
			return err
		}
		return v.Fragment("bulk", "report", report)
	}
	return v.Show("bulk", report)
}

// trigger makes the page reload its list and keep the refused tickets selected. If no command was sent, the list and
// the selection stay.
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

// readBulk parses a bulk command: the selected tickets, the last timeline entry that was shown of each, and the
// command. Only verbs with a field "seen" are guarded against entries that the agent has not seen.
func readBulk(form url.Values) (numbers []ticket.Number, seen map[ticket.Number]int, r desk.Request, err error) {
	var f input.Fields
	for _, typed := range form["ticket"] {
		if n := f.Number("ticket", typed); n != "" {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) == 0 {
		f.Reject("nothing", "was selected")
	}
	d := ticket.Verb(form.Get("do")).Definition()
	if d.Bulk == "" {
		f.Reject("this", "can't be done to several tickets")
	}
	for _, field := range d.Fields { // fields that are optional for manual commands are required here
		if field.Required != 0 && form.Get(field.Name) == "" {
			f.Reject(field.Name, "is empty")
		}
	}
	if f.Err() == nil {
		r = input.Command(&f, d.Verb, form)
	}
	if len(d.OneOf) > 0 && !slices.ContainsFunc(d.OneOf, func(name string) bool { return form.Get(name) != "" }) {
		f.Reject(strings.Join(d.OneOf, " or "), "must be chosen")
	}
	if d.Verb.Takes("seen") {
		seen = readSeen(&f, form)
	}
	return numbers, seen, r, f.Err()
}
