package portal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type ticketView struct {
	page.Layout
	desk.View
	Status   status
	Viewer   desk.Person
	ByLink   bool            // opened by the link in a mail
	Writer   ticket.PersonID // owner of the drafts that the browser keeps; empty: it keeps none
	Bubbles  []bubble
	Timeline []timelineItem
	Next     nextEvent
	Promises []promise
	Rating   *desk.Rating // nil: none yet
	RateForm rateForm
	Reply    replyForm
	Seen     string // fingerprint of the state that this shows
	Shown    int    // number of the last timeline entry that this shows
	Catching bool   // a command is accepted and not decided yet
	Gone     bool   // closed too long ago to be rated
	Live     bool   // a live update of an open page
	Again    string // address of the page, with the images of other servers that it shows
}

// replyForm is the reply form, as typed if a reply was not accepted.
type replyForm struct {
	Body     string
	Composer page.Composer
	Attach   page.AttachField
	Key      string // idempotency key; the same as before if the reply may have been accepted
	Error    string
	Again    bool // it can be sent again as it is, and is accepted once
	Anyway   bool // it can be sent although it was refused because of unseen messages
}

// MayReply reports whether the ticket accepts replies.
func (v ticketView) MayReply() bool { return !v.Ticket.Closed() }

// Participant reports whether the viewer is a participant, who may neither confirm, withdraw nor rate.
func (v ticketView) Participant() bool { return v.Viewer.ID != v.Requester.ID }

// Recipients returns the others who are in the ticket, who read what the viewer writes as well as staff do.
func (v ticketView) Recipients() []desk.Involved {
	return slices.DeleteFunc(slices.Clone(v.People), func(p desk.Involved) bool { return p.ID == v.Viewer.ID })
}

// MayConfirm reports whether there is a resolution to confirm.
func (v ticketView) MayConfirm() bool {
	return v.Ticket.Status == ticket.StatusResolved && !v.Participant()
}

// MayWithdraw reports whether the ticket can be withdrawn. Resolved tickets are confirmed instead.
func (v ticketView) MayWithdraw() bool {
	return !v.Ticket.Closed() && !v.MayConfirm() && !v.Participant()
}

// MayFollow reports whether a follow-up ticket can be submitted.
func (v ticketView) MayFollow() bool { return v.Ticket.Closed() }

// MayRate reports whether the ticket can be rated.
func (v ticketView) MayRate() bool {
	return (v.MayConfirm() || v.Ticket.Closed()) && !v.Gone && !v.Participant()
}

// Scores returns the values of the scale, best first.
func (ticketView) Scores() []score { return scores }

// ticket shows a ticket. For htmx it renders only the part that changes.
func (p *Pages) ticket(v *page.Visit, a access) error {
	view, err := p.view(v, a)
	if err != nil {
		return err
	}
	if v.Partial() {
		return v.Fragment("ticket", "live", view)
	}
	return v.Show("ticket", view)
}

// ticketData is everything about a ticket that the requester may see.
type ticketData struct {
	desk.View
	entries   []desk.Entry
	undecided []desk.PendingCommand
}

func (p *Pages) loadTicket(ctx context.Context, a access) (ticketData, error) {
	// Undecided commands are read before the timeline: a step between the two reads moves a message from the former to
	// the latter, and in the other order it would be in neither.
	undecided, err := p.records.Undecided(ctx, a.requester, a.number)
	if err != nil {
		return ticketData{}, err
	}
	t, err := p.desk.Ticket(ctx, a.requester, a.number)
	if err != nil {
		return ticketData{}, err
	}
	entries, err := p.desk.Timeline(ctx, a.requester, a.number)
	if err != nil {
		return ticketData{}, err
	}
	undecided = slices.DeleteFunc(undecided, func(u desk.PendingCommand) bool {
		return slices.ContainsFunc(entries, func(e desk.Entry) bool { return e.Command == u.Seq })
	})
	return ticketData{t, entries, undecided}, nil
}

// fingerprint identifies the state of a ticket for live updates. It depends on nothing that the requester may not see,
// such as the number of internal notes.
func (s ticketData) fingerprint(now time.Time) string {
	h := sha256.New()
	fmt.Fprintln(h, s.Ticket.Status, len(s.entries), len(s.undecided), s.Assignee != nil, s.Requester.ID)
	for _, p := range explainedPromises(s.View, nil, page.Causes{}, now) {
		fmt.Fprintln(h, p.State, p.Due.Unix(), p.Met.Unix(), p.Why, p.Expected.Unix())
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// view loads everything that the page of a ticket shows.
func (p *Pages) view(v *page.Visit, a access) (ticketView, error) {
	s, err := p.loadTicket(v.Context(), a)
	if err != nil {
		return ticketView{}, err
	}
	rating, err := p.records.Rating(v.Context(), a.requester, a.number)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return ticketView{}, err
	}
	causes := v.Causes(s.Ticket)
	view := ticketView{
		Layout: v.Layout(s.Subject, "/tickets"), View: s.View, Status: statusFor(s.Ticket.Status, a.requester.ID != s.Requester.ID), Viewer: a.requester, ByLink: a.byLink, Writer: a.draftOwner(v),
		Bubbles: conversation(s.entries, s.undecided, a.requester, a.requester.ID != s.Requester.ID), Timeline: timeline(s.View, s.entries, a.requester, causes),
		Catching: len(s.undecided) > 0, Gone: ratingClosed(s), Live: v.Partial(),
	}
	mails := v.MailView(ticketAddress(a.number))
	view.Again = mails.Again()
	show(view.Bubbles, view.Layout, mails)
	view.Next = nextEventOf(s.View, view.Now)
	view.Promises = explainedPromises(s.View, s.entries, causes, view.Now)
	view.Seen, view.Shown = s.fingerprint(view.Now), desk.LastEntry(s.entries)
	view.Reply.Key = replyKey(view.Bubbles)
	view.Reply.Attach = v.AttachField(ticketAddress(a.number)+"/files", p.files.Limits())
	if err == nil {
		view.Rating = &rating
		view.RateForm = rateForm{Score: rating.Score, Comment: rating.Comment}
	}
	return view, nil
}

// byResolution introduces the explanation of the resolution's deadline where it is the deadline of the first response,
// too.
const byResolution = "You’ll hear from us by the resolution at the latest, so this is about the resolution"

// explainedPromises returns both promises with the explanations of their deadlines and the emergencies that these
// refer to.
func explainedPromises(t desk.View, entries []desk.Entry, causes page.Causes, now time.Time) []promise {
	promised := t.Promised()
	first, resolution := newPromises(promised, t.Ticket.Status, now)
	explain := func(p *promise, name policy.ClockName) {
		for _, line := range t.Explain(name, now) {
			p.Lines = append(p.Lines, explanationLine{line, causes.Behind(desk.CausesOf(line, entries))})
		}
		if t.Ticket.Promise(name).Clock.Counts != policy.CountCalendar {
			p.Hours = t.Policy.Zone.String()
		}
	}
	if promised.ByResolution() {
		first.Lines = []explanationLine{{Line: policy.Line{Parts: []policy.Part{{Text: byResolution}}}}}
		explain(&first, policy.Resolution)
	} else {
		explain(&first, policy.FirstResponse)
	}
	explain(&resolution, policy.Resolution)
	return []promise{first, resolution}
}

// ratingClosed reports whether a ticket was closed too long ago to be rated. The store enforces the same limit.
func ratingClosed(s ticketData) bool {
	for _, e := range s.entries {
		if e.Kind == ticket.EventClosed {
			return time.Since(e.At) > desk.RatingTime
		}
	}
	return false
}

type receiptView struct {
	page.Layout
	desk.View
	Promises []promise
	Address  string // recipient of the confirmation
}

// receipt shows the number and both deadlines of a ticket that was just submitted.
func (p *Pages) receipt(v *page.Visit, a access) error {
	t, err := p.desk.Ticket(v.Context(), a.requester, a.number)
	if err != nil {
		return err
	}
	view := receiptView{Layout: v.Layout("We have your request", "/tickets/new"), View: t, Address: a.requester.Address}
	view.Promises = explainedPromises(t, nil, page.Causes{}, view.Now)
	return v.Show("receipt", view)
}

// live sends an event to an open page when its ticket has changed; the page then loads what is new. It sends none for
// changes that the requester can't see. seen in the query is the state that the page shows, so that changes during a
// lost connection are reported at once.
func (p *Pages) live(v *page.Visit, a access) error {
	changes, leave := p.feed.Subscribe(a.number)
	defer leave()
	if _, err := p.desk.Ticket(v.Context(), a.requester, a.number); err != nil {
		return err
	}
	reported := v.Query("seen")
	return v.Stream(func(ctx context.Context, send func(event, data string) error) error {
		// The heartbeat has a timer of its own, and a change that the requester can't see sends nothing. Otherwise the
		// timing of the stream would reveal when staff left a note.
		beat := page.Heartbeat()
		for {
			s, err := p.loadTicket(ctx, a)
			if err != nil {
				return err // the browser reconnects
			}
			if now := s.fingerprint(time.Now()); now != reported {
				reported = now
				if err := send("changed", now); err != nil {
					return err
				}
			}
			switch more, beaten := waitForChange(ctx, changes, beat); {
			case !more:
				return nil
			case beaten:
				beat = page.Heartbeat()
				if err := send("", ""); err != nil {
					return err
				}
			}
		}
	})
}

// waitForChange waits for a change that the requester may see, or for the heartbeat, because a deadline passes without
// a change. more is false if ctx is done.
func waitForChange(ctx context.Context, changes <-chan desk.Change, beat <-chan time.Time) (more, beaten bool) {
	for {
		select {
		case <-ctx.Done():
			return false, false
		case <-beat:
			return true, true
		case c := <-changes:
			if c.Kind != desk.ChangeMail && c.Kind != desk.ChangePresence {
				return true, false
			}
		}
	}
}
