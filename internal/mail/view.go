package mail

import (
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// view is what the templates see. Everything that somebody typed has been through oneLine or paragraphs; the HTML
// templates escape it. Dates are written out, an empty one doesn't exist.
type view struct {
	Subject        string // the whole subject line
	Number         ticket.Number
	Name           string // of the recipient
	Author         string
	Assignee       string
	Message        [][]string // paragraphs of lines
	Echo           bool       // the message is the reader's own: it goes last
	Cause          ticket.Cause
	Priority       policy.Priority
	EscalationStep int
	Promise        string // reminder and escalation: what is due, such as "resolution of this ticket"
	Facts          []fact

	FirstResponse, Resolution                 string // deadlines that lie ahead
	FirstLate, ResolutionLate                 string // that have passed
	FirstNow, ResolutionNow                   bool   // due by what the mail tells of
	ExpectedFirstResponse, ExpectedResolution string // if an emergency that stops the clocks ends as planned
	Late                                      bool   // the requester is told so
	Overdue                                   bool   // reminder: Due has passed

	Due        string
	Next       string // escalation: when the next rung follows
	Silence    string // how long the requester may stay silent
	Unanswered bool   // reminder and escalation: the promise is the first response
	Staff      bool   // the reader works here
	Unpromised bool   // a new ticket without dates: its clocks are paused
	Waits      bool   // the resolution's clock is paused while the requester has the next move

	Instead          string // of whom the mail was for, who can't be written to; empty when it is the reader's own
	Acknowledge      string // escalation: the address of its own small page
	Open, Track      string // addresses on the website: the conversation (or the agent's page), and what the number shows
	Contact, Privacy string
	Policy, From     string

	Notices []notice
}

// fact is a line of the list at the end of a mail.
type fact struct{ Label, Value string }

func newView(l desk.MailData, cfg Config, now time.Time) view {
	in := func(at time.Time) string { return moment(at, now, l.Policy.Zone) }
	v := view{
		Subject: subject(l), Number: l.Number,
		Name: oneLine(l.To.Name, maxName), Author: oneLine(l.Author, maxName), Assignee: oneLine(l.Assignee, maxName),
		Message: paragraphs(l.Body), Echo: l.Kind == ticket.MailReceipt,
		Instead: oneLine(l.Instead, maxName),
		Cause:   l.Cause, Priority: l.Priority, EscalationStep: l.EscalationStep, Promise: promiseWords[l.Clock],
		FirstLate: in(l.FirstResponseLate), ResolutionLate: in(l.ResolutionLate),
		ExpectedFirstResponse: in(l.Expected.FirstResponse), ExpectedResolution: in(l.Expected.Resolution),
		Overdue: !l.DueAt.IsZero() && !l.DueAt.After(l.Sent),
		Due:     in(l.DueAt), Next: in(nextRung(l)), Silence: spell(l.Silence),
		Unanswered: l.Clock == policy.FirstResponse,
		Staff:      l.Kind.ToStaff(),
		Unpromised: l.Status == ticket.StatusNew && l.FirstResponseDue.IsZero() && l.ResolutionDue.IsZero() &&
			l.FirstResponseLate.IsZero() && l.ResolutionLate.IsZero(),
		Waits: slices.Contains(l.Policy.Clocks[policy.Resolution].Pauses, policy.ReasonWaiting),
		Open:  open(l, cfg.BaseURL), Track: cfg.BaseURL + "/track/" + string(l.Number),
		Contact: oneLine(l.Policy.Contact, 0), Privacy: oneLine(l.Policy.PrivacyURL, 0),
		Policy: oneLine(l.Policy.Name, 0), From: oneLine(cfg.From.Name, maxName),
		Notices: newNotices(l.Notices, now, l.Policy.Zone),
	}
	v.FirstResponse, v.FirstNow = ahead(l.FirstResponseDue, l.At, in)
	v.Resolution, v.ResolutionNow = ahead(l.ResolutionDue, l.At, in)
	v.Late = !v.Staff && (v.FirstLate != "" || v.ResolutionLate != "")
	if l.Kind == ticket.MailEscalation && l.Token != "" {
		v.Acknowledge = cfg.BaseURL + "/e/" + l.Token
	}
	v.Facts = facts(v, l)
	return v
}

// ahead writes a deadline that lies ahead of what a mail tells of, and reports one that does not: it is due now.
func ahead(due, at time.Time, in func(time.Time) string) (words string, now bool) {
	if due.IsZero() || due.After(at) {
		return in(due), false
	}
	return "", true
}

// spell writes how long something lasts; nothing for zero.
func spell(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return policy.FormatDays(d)
}

// open is where the recipient reads and answers: staff sign in, the requester's link is enough by itself. It is empty for
// a requester without one.
func open(l desk.MailData, site string) string {
	switch {
	case l.Kind.ToStaff():
		return site + "/desk/tickets/" + string(l.Number)
	case l.Token != "":
		return site + "/c/" + l.Token
	default:
		return ""
	}
}

// subject is the same line for every mail of a ticket, so that mailboxes keep them together.
func subject(l desk.MailData) string {
	line := strings.TrimRight("["+string(l.Number)+"] "+oneLine(l.Subject, maxSubject), " ")
	if l.Kind != ticket.MailReceipt {
		line = "Re: " + line
	}
	return line
}

// facts lists what a reader looks up. A promise that is met, paused or over has no line, except on the receipt,
// which owes both.
func facts(v view, l desk.MailData) []fact {
	list := []fact{{"Ticket", string(l.Number)}, {"Subject", oneLine(l.Subject, maxSubject)}}
	if l.Kind.ToStaff() {
		assignee := v.Assignee
		if assignee == "" {
			assignee = "nobody yet"
		}
		list = append(list, fact{"Status", statusForStaff[l.Status]}, fact{"Priority", string(l.Priority)}, fact{"Assigned to", assignee})
	} else {
		list = append(list, fact{"Status", statusForRequester[l.Status]})
	}
	for _, p := range []struct {
		name, due, late string
		now             bool
	}{{"First answer", v.FirstResponse, v.FirstLate, v.FirstNow}, {"Resolution", v.Resolution, v.ResolutionLate, v.ResolutionNow}} {
		switch {
		case p.late != "":
			list = append(list, fact{p.name, "was due by " + p.late + ", and is late"})
		case p.now:
			list = append(list, fact{p.name, "due now"})
		case p.due != "":
			list = append(list, fact{p.name + " by", p.due})
		}
	}
	return list
}

// nextRung is when the ladder goes on at the ticket's priority, zero after its last rung.
func nextRung(l desk.MailData) time.Time {
	var next time.Time
	if l.Kind != ticket.MailEscalation || l.EscalationStep < 1 {
		return next
	}
	for i, rung := range l.Policy.Escalation {
		due := l.Since.Add(rung.After)
		if i+1 != l.EscalationStep && rung.AppliesTo(l.Clock, l.Priority) && due.After(l.At) && due.After(l.Sent) && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}

var promiseWords = map[policy.ClockName]string{
	policy.FirstResponse: "first response to this ticket",
	policy.Resolution:    "resolution of this ticket",
}

var statusForRequester = map[ticket.Status]string{
	ticket.StatusNew:      "received",
	ticket.StatusOpen:     "we are working on it",
	ticket.StatusWaiting:  "waiting for your answer",
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
