package panel

import (
	"net/url"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// respondUnseen shows a draft again that was refused because others wrote meanwhile, together with their messages. The
// form then marks these as seen, so that it is accepted when it is sent again.
func (p *Pages) respondUnseen(v *page.Visit, r desk.Request, d draft, o ticket.Outcome) error {
	entries, err := p.desk.Timeline(v.Context(), v.Person, r.Number)
	if err != nil {
		return err
	}
	var writers []string
	for _, e := range desk.Unseen(entries, v.Person, r.Seen) {
		if name := actorName(e.By.Role, e.Author); !slices.Contains(writers, name) {
			writers = append(writers, name)
		}
	}
	d.seen = r.Seen
	what := "this was not sent"
	if d.kind == "" {
		v.SetHeader("HX-Trigger-After-Settle", "desk:unseen")
		what = "the ticket was not closed: read it, then close it again if you still want to"
	}
	return p.respondError(v, r.Number, d, fault.NewConflict(o.Code, "%s wrote meanwhile, and %s", strings.Join(writers, " and "), what))
}

// unseen returns the lines because of which a draft was refused. It returns none if the draft was not refused for that
// reason.
func unseen(all []line, entries []desk.Entry, by desk.Person, d draft) (lines []line) {
	if d.seen == 0 {
		return nil
	}
	for _, e := range desk.Unseen(entries, by, d.seen) {
		lines = append(lines, all[slices.IndexFunc(all, func(l line) bool { return l.N == e.N })])
	}
	return lines
}

// readSeen parses the number of the last timeline entry that each row of a list showed.
func readSeen(f *input.Fields, form url.Values) map[ticket.Number]int {
	seen := map[ticket.Number]int{}
	for name := range form {
		if n, is := strings.CutPrefix(name, "seen-"); is {
			seen[ticket.Number(n)] = f.Entry("what was seen", form.Get(name))
		}
	}
	return seen
}
