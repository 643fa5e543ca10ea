package panel

import (
	"net/url"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// queuesView is the column of queues and saved filters.
type queuesView struct {
	page.Layout
	Queues []queueView
	Saved  []savedView
	Away   desk.Absence // the viewer's
	Swap   bool         // it replaces the column of an open page
}

type queueView struct {
	Name, Short, Key string
	Address          string
	Count            int
	Counted          bool
	Alarm, Here      bool
}

type savedView struct {
	Name, Short, Address string
	Here                 bool
}

// queueNames lists the queues in the order of their shortcuts, from 1.
var queueNames = []struct {
	queue       desk.Queue
	name, short string
}{
	{desk.QueueMine, "Mine", "Me"},
	{desk.QueueUnassigned, "Unassigned", "New"},
	{desk.QueueDueSoon, "Due soon", "Due"},
	{desk.QueueBreached, "Breached", "Late"},
	{desk.QueueWaiting, "Waiting", "Wait"},
	{desk.QueueResolved, "Resolved", "Done"},
	{desk.QueueAll, "All", "All"},
	{desk.QueueSnoozed, "Snoozed", "Zzz"},
}

func queueName(q desk.Queue) string {
	for _, known := range queueNames {
		if known.queue == q {
			return known.name
		}
	}
	return string(q)
}

func (p *Pages) queues(v *page.Visit, s search, shared shared) (queuesView, error) {
	counts, err := p.workspace.QueueCounts(v.Context(), v.Person)
	if err != nil {
		return queuesView{}, err
	}
	saved, err := p.workspace.SavedFilters(v.Context(), v.Person)
	if err != nil {
		return queuesView{}, err
	}
	here := s.with("", "").Encode() // without the page
	view := queuesView{Layout: v.Layout("", "/desk"), Swap: v.Partial()}
	for _, c := range shared.colleagues {
		if c.ID == v.Person.ID {
			view.Away = c.Away
		}
	}
	matched := false
	for _, f := range saved {
		address := savedAddress(f)
		is := address == "/desk?"+here
		matched = matched || is
		view.Saved = append(view.Saved, savedView{Name: f.Name, Short: abbreviate(f.Name), Address: address, Here: is})
	}
	for i, q := range queueNames {
		count, counted := counts[q.queue]
		view.Queues = append(view.Queues, queueView{
			Name: q.name, Short: q.short, Key: string(rune('1' + i)), Address: "/desk?queue=" + string(q.queue),
			Count: count, Counted: counted, Alarm: q.queue == desk.QueueBreached && count > 0,
			Here: !matched && s.Queue == q.queue,
		})
	}
	return view, nil
}

// savedAddress returns the address of the list with a saved filter. The query is parsed and encoded again, so that it
// can't lead to another page.
func savedAddress(f desk.SavedFilter) string {
	values, err := url.ParseQuery(f.Query)
	if err != nil {
		return "/desk"
	}
	return "/desk?" + values.Encode()
}

// abbreviate returns the first letters of a name, for the narrow column.
func abbreviate(name string) string {
	const letters = 5
	if runes := []rune(name); len(runes) > letters {
		return string(runes[:letters])
	}
	return name
}
