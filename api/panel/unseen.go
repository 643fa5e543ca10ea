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

// respondUnseen shows again what was sent while others wrote, with their words. The form then says that these were seen, so that
// sending it again goes through.
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

// unseen are the lines that the writer of a draft had not seen; none where nothing was refused for that.
func unseen(all []line, entries []desk.Entry, by desk.Person, d draft) (lines []line) {
	if d.seen == 0 {
		return nil
	}
	for _, e := range desk.Unseen(entries, by, d.seen) {
		lines = append(lines, all[slices.IndexFunc(all, func(l line) bool { return l.N == e.N })])
	}
	return lines
}

// readSeen reads what the rows of a list had shown of each ticket.
func readSeen(f *input.Fields, form url.Values) map[ticket.Number]int {
	seen := map[ticket.Number]int{}
	for name := range form {
		if n, is := strings.CutPrefix(name, "seen-"); is {
			seen[ticket.Number(n)] = f.Entry("what was seen", form.Get(name))
		}
	}
	return seen
}
