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

// ticketView is the column of the open ticket.
type ticketView struct {
	page.Layout
	Number         ticket.Number
	Subject, Order string
	Status         ticket.Status
	StatusWords    string
	Submitted      time.Time
	Requester      string
	RequesterID    ticket.PersonID
	AssigneeID     ticket.PersonID // empty: nobody
	Yours          bool
	SnoozedUntil   time.Time // zero: it is awake
	Pending        bool      // something was accepted that is not decided yet
	Escalation     int       // the highest rung that nobody has answered; 0: none
	Typed          escalationDraft
	Policy         int64

	Assignee, PriorityChoice, Category choice

	Actions []actionView

	Present        []presentView
	Clocks         []clockView
	Lines          []line
	Seen           int    // number of the last of them
	Unseen         []line // those for which a draft was refused
	Coming         string // what happens next by itself, and when; may be empty
	ComingAt       time.Time
	AwaitsDelivery bool // the mail that asks the requester has not been delivered
	Composer       composerView
	sideView

	Back   string // address of the list
	Suffix string // of every address of this ticket, so that its list stays
	Swap   bool   // it takes the place of what is there
	Part   string // the only one that does
	Spoke  bool   // the composer comes back, too
	Said   feedback
}

// feedback is what became of a command, in a sentence.
type feedback struct {
	Text string
	Bad  bool
}

// Post is where a form of this ticket goes.
func (t ticketView) Post(what string) string {
	return "/desk/tickets/" + string(t.Number) + "/" + what + t.Suffix
}

// Live is where a refetch finds what may have changed.
func (t ticketView) Live() string { return "/desk/tickets/" + string(t.Number) + t.Suffix }

// draft is what somebody typed and has to get back.
type draft struct {
	kind           messageKind
	body, mistake  string
	seen           int    // the last entry that its writer had seen, if it was refused for what came after
	idempotencyKey string // key of its form, where it may have been taken after all: sent again, it is taken once
	escalation     escalationDraft
}

// escalationDraft is what was typed into a form of an escalation.
type escalationDraft struct {
	Handover bool // it is that form, not the acknowledgement's
	To       string
	Reason   string
	AsNote   bool // neither form takes the reason any more: it comes back as a note
}

// next is what remains of a draft that was taken. After a note come notes, until somebody chooses otherwise: words for
// colleagues must not reach the requester by a slip.
func (d draft) next() draft {
	if d.kind == kindNote {
		return draft{kind: d.kind}
	}
	return draft{}
}

// ticket shows a ticket beside its list; to htmx the ticket alone, or what of it may have changed.
func (p *Pages) ticket(v *page.Visit) error {
	n, err := ticket.ParseNumber(v.Param("number"))
	if err != nil {
		return err
	}
	if v.Partial() {
		return p.partOfTicket(v, n, v.Query("part"))
	}
	chosen, err := parseKind(v.Query("mode"))
	if err != nil {
		return err
	}
	return p.showTicket(v, n, http.StatusOK, draft{kind: chosen}, feedback{})
}

// partOfTicket answers htmx: with the whole column, or with what a page that shows the ticket asks for again.
func (p *Pages) partOfTicket(v *page.Visit, n ticket.Number, part string) error {
	if part == "presence" {
		present, err := p.present(v, n)
		if err != nil {
			return err
		}
		return v.Fragment("desk", "present", ticketView{Number: n, Present: present, Part: part})
	}
	chosen, err := parseKind(v.Query("mode"))
	if err != nil {
		return err
	}
	view, err := p.loadTicket(v, n, draft{kind: chosen})
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

// showTicket answers with the whole desk around a ticket.
func (p *Pages) showTicket(v *page.Visit, n ticket.Number, status int, d draft, heard feedback) error {
	view, err := p.loadTicket(v, n, d)
	if err != nil {
		return err
	}
	view.Said = heard
	s, wrong := readSearch(v, v.Queries())
	around, err := p.screen(v, s, n, wrong)
	if err != nil {
		return err
	}
	around.Ticket, around.Title, around.Flash = &view, view.Title, view.Flash // it is handed out once, to the first who asks
	return v.ShowStatus(status, "desk", around)
}

// loadTicket reads everything about a ticket.
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
	entries, err := p.desk.Timeline(ctx, v.Person, n)
	if err != nil {
		return ticketView{}, err
	}
	causes := v.Causes(record.Ticket)
	view.Lines, view.Seen = lines(entries, shared, causes), desk.LastEntry(entries)
	for i, e := range entries {
		view.Lines[i].Mine = e.By.ID == v.Person.ID
	}
	view.Unseen, view.Typed = unseen(view.Lines, entries, v.Person, d), d.escalation
	view.Typed.AsNote = d.escalation.Reason != "" && (d.escalation.AsNote || view.Escalation == 0)
	if view.Typed.AsNote && !v.Partial() { // a script joins it with the note that is being written
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
	view.Composer = newComposer(view, record, canned, d)
	return view, nil
}

func newTicketView(v *page.Visit, record desk.View, shared shared) ticketView {
	t := record.Ticket
	view := ticketView{
		Layout: v.Layout(record.Subject, "/desk"),
		Number: record.Number, Subject: record.Subject, Order: record.Order, Status: t.Status,
		StatusWords: statusWords(t), Submitted: record.Submitted, Requester: record.Requester.Name,
		RequesterID: record.Requester.ID,
		Pending:     !record.Decided(), Escalation: t.EscalationStep(), Policy: record.Record.Policy,
		Coming: dueEventText(record.Next), ComingAt: record.Next.Due, AwaitsDelivery: t.AwaitsDelivery(),
		SnoozedUntil: t.SnoozedUntil,
	}
	s, _ := readSearch(v, v.Queries()) // a filter that can't be read leads back to where it is told
	view.Back, view.Suffix = s.address(), s.suffix()
	assignee := option{Value: "", Text: "nobody"}
	first := []option{assignee}
	chosen := ""
	if record.Assignee != nil {
		view.AssigneeID, view.Yours, chosen = record.Assignee.ID, record.Assignee.ID == v.Person.ID, record.Assignee.Handle
		first = nil
		if !shared.includes(record.Assignee.ID) {
			first = []option{{Value: chosen, Text: record.Assignee.Name}}
		}
	}
	view.Assignee = shared.assignees("Assignee", "agent", chosen, first...)
	for i, o := range view.Assignee.Options {
		if warning := shared.awayWarning(o.Value, view.Layout); warning != "" {
			view.Assignee.Options[i].Sure = warning + " Give them the ticket all the same?"
		}
	}
	view.PriorityChoice = choose("Priority", "priority", t.Priority, policy.Priorities())
	view.Category = choose("Category", "category", t.Category, record.Policy.Categories)
	return view
}

// Acknowledging is the reason that comes back into the acknowledgement's form.
func (e escalationDraft) Acknowledging() string {
	if e.Handover || e.AsNote {
		return ""
	}
	return e.Reason
}

// HandingOver is the reason that comes back into the handover's form.
func (e escalationDraft) HandingOver() string {
	if !e.Handover || e.AsNote {
		return ""
	}
	return e.Reason
}

// includes reports whether somebody can be given tickets.
func (c shared) includes(id ticket.PersonID) bool {
	for _, colleague := range c.colleagues {
		if colleague.ID == id {
			return true
		}
	}
	return false
}

func statusWords(t ticket.Ticket) string {
	switch {
	case t.AwaitsDelivery() && t.Status == ticket.StatusWaiting:
		return "waiting, the mail to the requester is on its way"
	case t.AwaitsDelivery():
		return "resolved, the mail to the requester is on its way"
	case t.Status == ticket.StatusWaiting:
		return "waiting for the requester"
	case t.Cause == ticket.CauseRequester:
		return string(t.Status) + ", confirmed by the requester"
	case t.Cause == ticket.CauseWithdrawn:
		return string(t.Status) + ", withdrawn by the requester"
	case t.Cause == ticket.CauseSilence:
		return string(t.Status) + ", the requester did not answer"
	default:
		return string(t.Status)
	}
}

// sideView is what stands beside the conversation.
type sideView struct {
	Others     []desk.TicketSummary
	OtherCount int
	Follows    ticket.Number
	FollowedBy []ticket.Number
	Rating     *desk.Rating
	Mails      []mailView
	Bounced    bool
	Calls      []callView // of webhooks
	CallFailed bool
	Commands   []commandView
	Workflow   string // address in Temporal UI; may be empty
}

func (p *Pages) loadSide(v *page.Visit, record desk.View) (s sideView, err error) {
	ctx, n := v.Context(), record.Number
	s = sideView{Follows: record.Follows, FollowedBy: record.FollowedBy, Workflow: v.Layout("", "").WorkflowURL(n)}
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
