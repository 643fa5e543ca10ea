package mail

import (
	"errors"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// view is the data of the templates of ticket mails. Text that people typed is sanitized by oneLine or paragraphs, and
// escaped by the HTML templates. Times are formatted; an empty string is no time.
type view struct {
	Subject        string // the whole subject line
	Number         ticket.Number
	Name           string // of the recipient
	Author         string
	Assignee       string
	Message        [][]string    // paragraphs of lines, for the text part
	Formatted      template.HTML // the message, for the HTML part
	Signature      [][]string    // below a message of staff: their name, and what they sign with
	Preheader      string        // what mail programs show beside the subject; empty: the lead
	Quote          *quotation    // the message that this one answers; nil: it answers none
	Files          []file        // of the message
	FileLinks      bool          // some of them are links
	LeftOut        []string      // what is not in the message of the email that it was, a line each
	Echo           bool          // the message is the recipient's own, and shown last
	Cause          ticket.Cause
	Priority       policy.Priority
	EscalationStep int
	Target         string // reminder and escalation: the target that is due, such as "resolution of this ticket"
	Facts          []fact

	FirstResponse, Resolution                 string // deadlines in the future
	FirstLate, ResolutionLate                 string // deadlines that have passed
	FirstNow, ResolutionNow                   bool   // due at the instant that the mail reports
	ExpectedFirstResponse, ExpectedResolution string // if an emergency that pauses the clocks ends as planned
	Late                                      bool   // the mail tells the requester that a deadline has passed
	Overdue                                   bool   // reminder: Due has passed

	Due          string
	Next         string // escalation: when the next step is due
	Silence      string // how long the requester may stay silent
	Unanswered   bool   // reminder and escalation: the target is the first response
	Staff        bool   // the recipient is staff
	Participant  bool   // the recipient is a participant, not the requester
	Alone        bool   // the message is for the requester alone, or from a customer for staff alone
	Shared       bool   // the ticket has participants
	Which        string // your or this, before the word ticket
	WithoutDates bool   // a new ticket without deadlines, because its clocks are paused
	Waits        bool   // the resolution clock is paused while the ticket waits for the requester

	Instead     string // name or handle of the intended recipient, who has no active account; empty if that is the recipient
	Acknowledge string // escalation: URL of the page that acknowledges it
	ReplyTo     string // address at which answers are received; empty: they are not read
	PublicReply string // likewise, where what staff write goes to the requester
	Closed      bool   // an answer opens a follow-up ticket
	Open, Track string // URLs: the conversation (for staff, the ticket's page), and the public status page
	footer

	Notices []notice
}

// fact is a line in the list of details at the end of a mail.
type fact struct{ Label, Value string }

// newView returns the view of a mail. It fails if an address for replies can't be made.
func newView(data desk.MailData, cfg Config, now time.Time) (view, error) {
	in := func(at time.Time) string { return formatTime(at, now, data.Policy.Zone) }
	v := view{
		Subject: subject(data), Number: data.Number,
		Name: oneLine(data.To.Name, maxName), Author: oneLine(data.Author, maxName), Assignee: oneLine(data.Assignee, maxName),
		Message: messageText(data), Formatted: messageHTML(data, cfg), Echo: data.Kind == ticket.MailReceipt, Closed: data.Status == ticket.StatusClosed,
		Instead: oneLine(data.Instead, maxName), LeftOut: leftOut(data.LeftOut),
		Cause: data.Cause, Priority: data.Priority, EscalationStep: data.EscalationStep, Target: targetNames[data.Clock],
		FirstLate: in(data.FirstResponseLate), ResolutionLate: in(data.ResolutionLate),
		ExpectedFirstResponse: in(data.Expected.FirstResponse), ExpectedResolution: in(data.Expected.Resolution),
		Overdue: !data.DueAt.IsZero() && !data.DueAt.After(data.Sent),
		Due:     in(data.DueAt), Next: in(nextStepTime(data)), Silence: formatDays(data.Silence),
		Unanswered: data.Clock == policy.FirstResponse,
		Staff:      data.Kind.ToStaff(), Participant: data.Participant, Alone: data.Alone, Shared: data.Shared, Which: "your",
		WithoutDates: data.Status == ticket.StatusNew && data.FirstResponseDue.IsZero() && data.ResolutionDue.IsZero() &&
			data.FirstResponseLate.IsZero() && data.ResolutionLate.IsZero(),
		Waits: slices.Contains(data.Policy.Clocks[policy.Resolution].Pauses, policy.ReasonWaiting),
		Open:  open(data, cfg.BaseURL), Track: cfg.BaseURL + "/track/" + string(data.Number),
		footer:  newFooter(data.Policy, cfg),
		Notices: newNotices(data.Notices, now, data.Policy.Zone),
	}
	if data.Participant {
		v.Which = "this"
	}
	var err, public error
	v.ReplyTo, err = cfg.replyAddress(data.ReplyToken)
	v.PublicReply, public = cfg.replyAddress(data.PublicReplyToken)
	if err = errors.Join(err, public); err != nil {
		return view{}, err
	}
	v.Signature, v.Preheader, v.Quote = signature(data), preheader(data.Kind, v.Message), newQuotation(data, in)
	v.Files, v.FileLinks = newFiles(data.Files, cfg.BaseURL)
	v.FirstResponse, v.FirstNow = ahead(data.FirstResponseDue, data.At, in)
	v.Resolution, v.ResolutionNow = ahead(data.ResolutionDue, data.At, in)
	v.Late = !v.Staff && (v.FirstLate != "" || v.ResolutionLate != "")
	if data.Kind == ticket.MailEscalation && data.Token != "" {
		v.Acknowledge = cfg.BaseURL + "/e/" + data.Token
	}
	v.Facts = facts(v, data)
	return v, nil
}

// ahead formats a deadline that is later than the instant a mail reports, and otherwise returns that it is due now.
func ahead(due, at time.Time, in func(time.Time) string) (words string, now bool) {
	if due.IsZero() || due.After(at) {
		return in(due), false
	}
	return "", true
}

// formatDays formats how long something lasts. It returns an empty string for zero.
func formatDays(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return policy.FormatDays(d)
}

// open returns the URL at which the recipient reads the conversation and replies. Staff sign in there; the requester's
// URL holds a token instead. It is empty for a requester without a token.
func open(data desk.MailData, baseURL string) string {
	switch {
	case data.Kind.ToStaff():
		return baseURL + "/desk/tickets/" + string(data.Number)
	case data.Token != "":
		return baseURL + "/c/" + data.Token
	default:
		return ""
	}
}

// subject returns the subject line. It is the same for all mails of a ticket but for "Re: ", so that mail programs keep
// them in one thread.
func subject(data desk.MailData) string {
	line := strings.TrimRight("["+string(data.Number)+"] "+oneLine(data.Subject, maxSubject), " ")
	if data.Kind != ticket.MailReceipt {
		line = "Re: " + line
	}
	return line
}

// facts returns the details at the end of a mail. A target without a deadline, because it is met, paused or ended, has no
// line.
func facts(v view, data desk.MailData) []fact {
	list := []fact{{"Ticket", string(data.Number)}, {"Subject", oneLine(data.Subject, maxSubject)}}
	if data.Kind.ToStaff() {
		assignee := v.Assignee
		if assignee == "" {
			assignee = "no one yet"
		}
		list = append(list, fact{"Status", statusForStaff[data.Status]}, fact{"Priority", string(data.Priority)}, fact{"Assigned to", assignee})
	} else if data.Participant && data.Status == ticket.StatusWaiting {
		list = append(list, fact{"Status", statusForStaff[data.Status]})
	} else {
		list = append(list, fact{"Status", statusForRequester[data.Status]})
	}
	for _, p := range []struct {
		name, due, late string
		now             bool
	}{{"First response", v.FirstResponse, v.FirstLate, v.FirstNow}, {"Resolution", v.Resolution, v.ResolutionLate, v.ResolutionNow}} {
		switch {
		case p.late != "":
			list = append(list, fact{p.name, "was due by " + p.late + " and is overdue"})
		case p.now:
			list = append(list, fact{p.name, "due now"})
		case p.due != "":
			list = append(list, fact{p.name + " by", p.due})
		}
	}
	return list
}

// nextStepTime returns when the next escalation step for the ticket's priority is due, and the zero time after the last.
func nextStepTime(data desk.MailData) time.Time {
	var next time.Time
	if data.Kind != ticket.MailEscalation || data.EscalationStep < 1 {
		return next
	}
	for i, step := range data.Policy.Escalation {
		due := data.Since.Add(step.After)
		if i+1 != data.EscalationStep && step.AppliesTo(data.Clock, data.Priority) && due.After(data.At) && due.After(data.Sent) && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}

var targetNames = map[policy.ClockName]string{
	policy.FirstResponse: "first response to this ticket",
	policy.Resolution:    "resolution of this ticket",
}

var statusForRequester = map[ticket.Status]string{
	ticket.StatusNew:      "received",
	ticket.StatusOpen:     "in progress",
	ticket.StatusWaiting:  "waiting for you",
	ticket.StatusResolved: "resolved",
	ticket.StatusClosed:   "closed",
}

var statusForStaff = map[ticket.Status]string{
	ticket.StatusNew:      "new",
	ticket.StatusOpen:     "open",
	ticket.StatusWaiting:  "waiting for the requester",
	ticket.StatusResolved: "resolved",
	ticket.StatusClosed:   "closed",
}

// footer is the data of the end of every mail.
type footer struct {
	Contact, Privacy, Policy, Sender string
	Unread                           bool // the desk receives no email, so replies are not read
}

func newFooter(p *policy.Policy, cfg Config) footer {
	return footer{
		Contact: oneLine(p.Contact, 0), Privacy: oneLine(p.PrivacyURL, 0), Policy: oneLine(p.Name, 0), Sender: oneLine(cfg.From.Name, maxName),
		Unread: cfg.Replies == "",
	}
}

// notice is the notice of an emergency, in every mail while the emergency is in force or planned.
type notice struct {
	Closed  bool // support is closed; otherwise replies take longer
	InForce bool
	From    string
	Until   string // empty: until further notice
	By      string // by how much targets are extended, such as "48 hours"; empty if closed
	Words   [][]string
}

func newNotices(all []desk.Notice, now time.Time, zone *time.Location) []notice {
	notices := make([]notice, 0, len(all))
	for _, n := range all {
		shown := notice{
			Closed: n.Kind == ticket.EmergencyClosed, InForce: n.InForce,
			From: formatTime(n.From, now, zone), Until: formatTime(n.Until, now, zone), Words: paragraphs(n.Text),
		}
		if !shown.Closed {
			shown.By = policy.FormatHours(n.By)
		}
		notices = append(notices, shown)
	}
	return notices
}

// formatTime formats an instant in a time zone, as in "Thu 3 Dec 2026, 11:00 UTC". It includes seconds within an hour of
// now, where a time without them would be misleading. A zone without an abbreviation appears as an offset, such as
// "UTC+05:30". It returns an empty string for the zero time.
func formatTime(at, now time.Time, zone *time.Location) string {
	if at.IsZero() {
		return ""
	}
	at = at.In(zone)
	layout := "Mon 2 Jan 2006, 15:04"
	if at.Second() != 0 && at.Sub(now).Abs() < time.Hour {
		layout = "Mon 2 Jan 2006, 15:04:05"
	}
	name, _ := at.Zone()
	if name == "" || name[0] == '+' || name[0] == '-' {
		name = at.Format("UTC-07:00")
	}
	return at.Format(layout) + " " + name
}
