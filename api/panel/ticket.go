package panel

import (
	"net/http"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ticketView is the open ticket.
type ticketView struct {
	page.Layout
	Record      desk.View
	Number      ticket.Number
	Status      ticket.Status
	StatusWords string
	AssigneeID  ticket.PersonID // empty: unassigned
	Yours       bool
	Pending     bool // a command was accepted and is not decided yet
	Escalation  int  // the highest escalation step that is not acknowledged; 0: none
	Typed       escalationDraft

	Assignee, PriorityChoice, Category choice

	Actions []actionView

	Present        []desk.Presence
	Clocks         []clockView
	Lines          []line
	Seen           int    // number of the last line
	Unseen         []line // lines because of which a draft was refused
	Coming         string // the next due event; may be empty
	ComingAt       time.Time
	AwaitsDelivery bool // the mail that asks the requester has not been delivered
	Composer       composerView
	People         []personView
	TypedPerson    personDraft
	sideView

	Back   string // address of the list
	mails  page.MailView
	Suffix string // of all addresses of this ticket, so that its list stays
	Swap   bool   // it replaces the ticket on an open page
	Part   string // the only part that is replaced; empty: all
	Spoke  bool   // the composer is replaced, too
	Said   feedback
}

// feedback is the outcome of a command as a sentence.
type feedback struct {
	Text string
	Bad  bool
}

// Post returns the address that a form of this ticket is sent to.
func (t ticketView) Post(what string) string {
	return "/desk/tickets/" + string(t.Number) + "/" + what + t.Suffix
}

// Live returns the address of live updates.
func (t ticketView) Live() string { return t.mails.Again() }

// address returns the address of this ticket.
func (t ticketView) address() string { return "/desk/tickets/" + string(t.Number) + t.Suffix }

// draft is what was typed into a form, to be shown again.
type draft struct {
	kind           messageKind
	body, mistake  string
	files          []page.Attached
	preview        bool   // its writer asked what it will look like
	seen           int    // last entry that its writer had seen, if it was refused because of later ones; else 0
	idempotencyKey string // key of the form if the command may have been accepted: sent again, it has no second effect
	escalation     escalationDraft
	person         personDraft
	alone          bool // the message is for the requester alone
}

// escalationDraft is what was typed into one of the two forms of an escalation.
type escalationDraft struct {
	Handover bool // typed into the form that hands the ticket over
	To       string
	Reason   string
	AsNote   bool // neither form is shown any more: the reason becomes the draft of a note
}

// next returns the draft after this one was accepted. After a note the composer stays with notes, so that a message
// for colleagues is not sent to the requester by mistake.
func (d draft) next() draft {
	if d.kind == kindNote {
		return draft{kind: d.kind}
	}
	return draft{}
}

// ticket shows a ticket beside its list. For htmx it renders only the ticket or a part of it.
func (p *Pages) ticket(v *page.Visit) error {
	n, err := ticket.ParseNumber(v.Param("number"))
	if err != nil {
		return err
	}
	part := v.Query("part")
	if v.Partial() && part == "presence" {
		present, err := p.present(v, n)
		if err != nil {
			return err
		}
		return v.Fragment("desk", "present", ticketView{Number: n, Present: present, Part: part})
	}
	chosen, err := parseKind(v.Query("mode"))
	switch {
	case err != nil:
		return err
	case v.Partial():
		return p.partOfTicket(v, n, draft{kind: chosen}, part)
	}
	return p.showTicket(v, n, http.StatusOK, draft{kind: chosen}, feedback{})
}

// partOfTicket renders the ticket's column for htmx, or one part of it.
func (p *Pages) partOfTicket(v *page.Visit, n ticket.Number, d draft, part string) error {
	view, err := p.loadTicket(v, n, d)
	if err != nil {
		return err
	}
	switch part {
	case "live":
		view.Swap, view.Composer.Live = true, true
		return v.Fragment("desk", "live", view)
	case "composer":
		view.Composer.Swap = true
		return v.Fragment("desk", "composer", view.Composer)
	default:
		return v.Fragment("desk", "opened", screen{Layout: view.Layout, Ticket: &view})
	}
}

// showTicket shows the whole desk around a ticket.
func (p *Pages) showTicket(v *page.Visit, n ticket.Number, status int, d draft, message feedback) error {
	view, err := p.loadTicket(v, n, d)
	if err != nil {
		return err
	}
	view.Said = message
	s, wrong := readSearch(v, v.Queries())
	around, err := p.screen(v, s, n, wrong)
	if err != nil {
		return err
	}
	around.Ticket, around.Title = &view, view.Title
	return v.ShowStatus(status, "desk", around)
}

// loadTicket loads everything about a ticket. d is the draft that is shown in its form.
func (p *Pages) loadTicket(v *page.Visit, n ticket.Number, d draft) (ticketView, error) {
	ctx := v.Context()
	record, err := p.desk.Ticket(ctx, v.Person, n)
	if err != nil {
		return ticketView{}, err
	}
	shared, err := p.loadShared(v)
	if err != nil {
		return ticketView{}, err
	}
	view := newTicketView(v, record, shared)
	view.mails = v.MailView(view.address())
	entries, err := p.desk.Timeline(ctx, v.Person, n)
	if err != nil {
		return ticketView{}, err
	}
	causes := v.Causes(record.Ticket)
	view.Lines, view.Seen = lines(entries, record.People, view.Layout, shared, causes, view.mails), desk.LastEntry(entries)
	view.Unseen, view.Typed = unseen(view.Lines, entries, v.Person, d), d.escalation
	view.Typed.AsNote = d.escalation.Reason != "" && (d.escalation.AsNote || view.Escalation == 0)
	if view.Typed.AsNote && !v.Partial() { // on an open page the script joins it with the note that is being written
		d = draft{kind: kindNote, body: d.escalation.Reason, mistake: d.mistake}
	}
	for _, name := range policy.ClockNames() {
		clock := newClock(record, name, view.Layout, time.Now())
		clock.explain(record, entries, causes, view.Layout)
		view.Clocks = append(view.Clocks, clock)
	}
	if view.Present, err = p.present(v, n); err != nil {
		return ticketView{}, err
	}
	if view.sideView, err = p.loadSide(v, record); err != nil {
		return ticketView{}, err
	}
	canned, err := p.workspace.CannedReplies(ctx, v.Person)
	if err != nil {
		return ticketView{}, err
	}
	view.Actions = view.actionViews(v.Person.Role)
	view.People, view.TypedPerson = newPeople(record), d.person
	view.Composer = newComposer(view, record, canned, d, p.files.Limits())
	return view, nil
}

func newTicketView(v *page.Visit, record desk.View, shared shared) ticketView {
	t := record.Ticket
	view := ticketView{
		Layout: v.Layout(record.Subject, "/desk"),
		Record: record, Number: record.Number, Status: t.Status, StatusWords: statusWords(t),
		Pending: !record.Decided(), Escalation: t.EscalationStep(),
		Coming: dueEventText(record.Next), ComingAt: record.Next.Due, AwaitsDelivery: t.AwaitsDelivery(),
	}
	s, _ := readSearch(v, v.Queries()) // the list shows the error
	view.Back, view.Suffix = s.address(), s.suffix()
	first, chosen := []option{{Value: "", Text: "unassigned"}}, ""
	if record.Assignee != nil {
		view.AssigneeID, view.Yours, chosen = record.Assignee.ID, record.Assignee.ID == v.Person.ID, record.Assignee.Handle
		first = nil
		if shared.colleague(func(c desk.Colleague) bool { return c.ID == view.AssigneeID }).ID == "" { // no longer on the staff
			first = []option{{Value: chosen, Text: record.Assignee.Name}}
		}
	}
	view.Assignee = shared.assignees("Assignee", "agent", chosen, first...)
	for i, o := range view.Assignee.Options {
		if warning := shared.awayWarning(o.Value, view.Layout); warning != "" {
			view.Assignee.Options[i].Sure = warning + " Assign the ticket to them anyway?"
		}
	}
	view.PriorityChoice = choose("Priority", "priority", t.Priority, policy.Priorities())
	view.Category = choose("Category", "category", t.Category, record.Policy.Categories)
	return view
}

// ReasonIn returns the typed reason if it belongs to the form that hands over, or to the one that acknowledges.
func (e escalationDraft) ReasonIn(handover bool) string {
	if e.AsNote || e.Handover != handover {
		return ""
	}
	return e.Reason
}

// Recipients says to whom a message goes, in a live update.
func (t ticketView) Recipients() recipientsView {
	r := t.Composer.Recipients
	r.Swap = true
	return r
}

func statusWords(t ticket.Ticket) string {
	switch {
	case t.AwaitsDelivery() && t.Status == ticket.StatusWaiting:
		return "waiting, the email to the requester is on its way"
	case t.AwaitsDelivery():
		return "resolved, the email to the requester is on its way"
	case t.Status == ticket.StatusWaiting:
		return "waiting for the requester"
	case t.Cause == ticket.CauseRequester:
		return string(t.Status) + ", confirmed by the requester"
	case t.Cause == ticket.CauseWithdrawn:
		return string(t.Status) + ", withdrawn by the requester"
	case t.Cause == ticket.CauseSilence:
		return string(t.Status) + ", the requester did not reply"
	default:
		return string(t.Status)
	}
}

// sideView is the column beside the conversation.
type sideView struct {
	Others     []desk.TicketSummary
	OtherCount int
	Rating     *desk.Rating
	Mails      []historyItem
	Bounced    bool
	Calls      []historyItem // webhook calls
	CallFailed bool
	Commands   []historyItem
	Workflow   string // address in Temporal UI; may be empty
}

func (p *Pages) loadSide(v *page.Visit, record desk.View) (s sideView, err error) {
	ctx, n := v.Context(), record.Number
	s = sideView{Workflow: v.Layout("", "").WorkflowURL(n)}
	if s.Others, s.OtherCount, err = p.workspace.Others(ctx, v.Person, n); err != nil {
		return s, err
	}
	history, err := p.workspace.History(ctx, v.Person, n)
	if err != nil {
		return s, err
	}
	s.Mails, s.Bounced = mails(history.Mails)
	s.Calls, s.CallFailed = calls(history.Calls)
	s.Commands = commands(history.Commands)
	rating, err := p.store.Rating(ctx, v.Person, n)
	switch {
	case err == nil:
		s.Rating = &rating
	case fault.KindOf(err) != fault.NotFound:
		return s, err
	}
	return s, nil
}
