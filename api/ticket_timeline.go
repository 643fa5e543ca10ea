package api

import (
	"context"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/markup"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type timelineView struct {
	Entries []entryView `json:"entries" doc:"Oldest first."`
}

// entryView is one event of a timeline. Fields that do not apply, or that only staff may see, are omitted.
type entryView struct {
	N          int              `json:"n" doc:"From 1 without gaps, in the timeline as you see it: staff see entries that customers don't."`
	Kind       ticket.EventKind `json:"kind"`
	At         time.Time        `json:"at" doc:"When the event took effect: when its command was accepted, or when it fell due."`
	RecordedAt time.Time        `json:"recorded_at"`
	By         namedView        `json:"by"`
	Body       string           `json:"body,omitempty" doc:"The message as it was written."`
	Format     desk.Format      `json:"format,omitempty" enum:"text,markdown" doc:"What the message is written in."`
	HTML       string           `json:"html,omitempty" doc:"The message as HTML: sanitized, without scripts, styles, forms and images of other servers. Links to tickets are relative to the website."`
	Recipients string           `json:"recipients,omitempty" enum:"requester,staff" doc:"Present if not everyone of the ticket sees the message. requester: staff wrote it to the requester alone; staff: a customer wrote it to staff alone."`
	Person     *personView      `json:"person,omitempty" doc:"Who was added or removed as a participant, or is the new requester."`
	Files      []attachmentView `json:"files,omitempty"`
	LeftOut    []desk.LeftOut   `json:"left_out,omitempty" doc:"What of the email that the message was is not in it, such as files that are too large. Staff find it in the original email."`
	Channel    desk.Channel     `json:"channel,omitempty" enum:"page,api,email,phone,in-person" doc:"By which the message came. Absent of messages from before it was recorded."`
	TraitsView
	Sender         desk.EmailSender `json:"sender,omitempty" enum:"confirmed,unconfirmed" doc:"Staff only: whether anything confirms that the customer wrote the email that the message was. confirmed: the domain of their address authenticated it, it answers an email that was sent to them, or staff released it. Absent of other messages, and of emails from before it was recorded."`
	Incoming       int64            `json:"incoming_mail,omitempty" doc:"Staff only: the ID of the incoming mail that the message was."`
	Status         ticket.Status    `json:"status,omitempty" doc:"The new status."`
	Cause          ticket.Cause     `json:"cause,omitempty"`
	Priority       policy.Priority  `json:"priority,omitempty" doc:"The new priority."`
	Category       string           `json:"category,omitempty" doc:"The new category."`
	Assignee       string           `json:"assignee,omitempty" doc:"The handle of the new assignee."`
	Group          string           `json:"group,omitempty" doc:"Staff only: the group of the assignment rule that assigned the ticket, or found no available member."`
	Rule           int              `json:"rule,omitempty" doc:"Staff only: the rule's number in the policy, from 1."`
	Promise        policy.ClockName `json:"promise,omitempty" doc:"The clock that the event is about. Of an assignment, staff only: the breached target that caused it."`
	EscalationStep int              `json:"escalation_step,omitempty" doc:"Staff only."`
	Emergency      string           `json:"emergency,omitempty"`
	Policy         int64            `json:"policy,omitempty" doc:"The new policy version."`
	Was            int64            `json:"policy_before,omitempty" doc:"The previous policy version."`
	Mail           int              `json:"mail,omitempty" doc:"Staff only: the number of the email that bounced, was delivered or was sent again."`
	Since          *time.Time       `json:"since,omitempty" doc:"Staff only: when the email that asks the requester to reply was delivered. Their silence counts from then."`
	Until          *time.Time       `json:"until,omitempty" doc:"Staff only: when a snoozed ticket wakes."`
	Bounce         *bounceView      `json:"bounce,omitempty" doc:"Staff only: the email that bounced."`
	Verb           ticket.Verb      `json:"verb,omitempty" doc:"The command that was refused."`
	Code           string           `json:"code,omitempty" doc:"Why it was refused."`
}

// TraitsView is what an email is, whatever it says.
type TraitsView struct {
	Encrypted bool                `json:"encrypted,omitempty" doc:"An email by S/MIME or PGP, which can't be read here."`
	Signed    bool                `json:"signed,omitempty" doc:"An email with a signature by S/MIME or PGP, which was not verified."`
	Calendar  desk.CalendarMethod `json:"calendar,omitempty" enum:"request,cancel,reply,counter" doc:"An email with a calendar: an invitation, the end of an event, the answer to an invitation, or the proposal of another time."`
}

// namedView is a person in a timeline.
type namedView struct {
	ID     ticket.PersonID `json:"id,omitempty" doc:"The IDs of staff are shown to staff only."`
	Name   string          `json:"name,omitempty"`
	Role   ticket.Role     `json:"role"`
	Handle string          `json:"handle,omitempty"`
}

type bounceView struct {
	Kind   ticket.MailKind `json:"kind"`
	To     namedView       `json:"to"`
	Reason string          `json:"reason" doc:"The mail server's response."`
	Resent bool            `json:"resent,omitempty" doc:"It was sent again, and the new email has not bounced."`
}

func (s *server) timeline(ctx context.Context, in *ticketInput) (view timelineView, err error) {
	n, err := s.number(in.Number)
	if err != nil {
		return view, err
	}
	viewer := request.Of(ctx).Person
	entries, err := s.Desk.Timeline(ctx, viewer, n)
	view.Entries = viewEach(entries, func(e desk.Entry) entryView { return s.viewEntry(e, viewer) })
	return view, err
}

func (s *server) viewEntry(e desk.Entry, viewer desk.Person) entryView {
	view := entryView{
		N: e.N, Kind: e.Kind, At: e.At.UTC(), RecordedAt: e.Recorded.UTC(), By: viewAuthor(e, viewer), Body: e.Body, Channel: e.Channel,
		Status: e.Status, Cause: e.Cause, Priority: e.Priority, Category: e.Category, Assignee: e.Handle,
		Promise: visiblePromise(e, viewer), Emergency: e.Emergency, Policy: e.Policy, Was: e.Was, Verb: e.Verb, Code: e.Code,
	}
	if e.Only != "" {
		view.Recipients = input.ToRequester
		if e.By.Role == ticket.RoleCustomer {
			view.Recipients = input.ToStaff
		}
	}
	if e.Named.ID != "" {
		view.Person = &personView{e.Named.ID, e.Named.Name}
	}
	if e.Body != "" {
		view.Format = e.Format.OrText()
	}
	view.TraitsView = TraitsView(e.Traits)
	view.HTML, view.LeftOut = s.messageHTML(e, viewer), e.LeftOut
	for _, f := range e.Files {
		view.Files = append(view.Files, viewAttachment(f, viewer))
	}
	if viewer.Role.Staff() {
		view.Group, view.Rule, view.Incoming, view.Sender = e.Group, e.Rule, e.Incoming, e.Sender
		view.EscalationStep, view.Mail, view.Bounce = e.EscalationStep, e.Mail, viewBounce(e.Bounce)
		view.Since, view.Until = instantOrNull(e.Since), instantOrNull(e.Until)
	}
	return view
}

// messageHTML returns a message as HTML. That of an email is its own, without images of other servers.
func (s *server) messageHTML(e desk.Entry, viewer desk.Person) string {
	shown := markup.Options{Ticket: desk.TicketPaths(s.Prefix, viewer.Role.Staff())}
	switch {
	case e.HTML != "":
		shown.File = func(contentID string) string {
			i := slices.IndexFunc(e.Files, func(f desk.File) bool { return f.ContentID == contentID && f.Previewed() })
			if i < 0 || contentID == "" {
				return ""
			}
			return viewAttachment(e.Files[i], viewer).Preview
		}
		return string(markup.Mail(e.HTML, shown))
	case e.Body != "":
		return string(markup.Message(e.Body, e.Format == desk.FormatMarkdown, shown))
	}
	return ""
}

// visiblePromise returns the clock that an event is about. That a breach caused a reassignment is visible to staff only.
func visiblePromise(e desk.Entry, viewer desk.Person) policy.ClockName {
	if e.Kind == ticket.EventAssigned && !viewer.Role.Staff() {
		return ""
	}
	return e.Promise
}

func viewBounce(b *desk.Bounce) *bounceView {
	if b == nil {
		return nil
	}
	to := namedView{ID: b.To.ID, Name: b.To.Name, Role: b.To.Role, Handle: b.To.Handle}
	return &bounceView{Kind: b.Kind, To: to, Reason: b.Reason, Resent: b.Resent}
}

func viewAuthor(e desk.Entry, viewer desk.Person) namedView {
	author := namedView{ID: e.By.ID, Name: e.Author.Name, Role: e.By.Role, Handle: e.Author.Handle}
	if !viewer.Role.Staff() && e.By.ID != viewer.ID {
		author.ID = ""
	}
	return author
}
