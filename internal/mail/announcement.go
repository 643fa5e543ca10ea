package mail

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// announcementView is the data of the announcement templates, sanitized as in view.
type announcementView struct {
	notice
	Subject   string
	Name      string // of the recipient
	Announces desk.AnnouncementKind
	Planned   bool // the emergency has not started
	Tickets   []affectedTicketView
	More      int

	Open, List, Notice string // URLs: the conversation if there is one ticket, the list of tickets, the notice
	footer
}

// affectedTicketView is a ticket of the recipient in an announcement.
type affectedTicketView struct {
	Number  ticket.Number
	Subject string
	Moves   []moveView
}

// moveView is a target's deadline before and after the transition. A time that does not exist is empty.
type moveView struct {
	Label                           string
	Before, Due, Expected, Breached string
	Waiting                         bool
}

const announcementTemplate = "templates/announcement/words.tmpl"

// RenderAnnouncement renders an announcement. It fails for one without a policy.
func (r *Renderer) RenderAnnouncement(a desk.Announcement) (Message, error) {
	return r.render(announcementTemplate, a.Policy, func() (any, *string, error) {
		v := r.viewAnnouncement(a)
		return &v, &v.Subject, nil
	})
}

func (r *Renderer) viewAnnouncement(a desk.Announcement) announcementView {
	about := desk.Notice{
		Kind: a.Kind, InForce: a.Stage == desk.StageInForce, From: a.From, Until: a.Until, By: a.By, Text: a.Notice,
	}
	v := announcementView{
		notice: newNotices([]desk.Notice{about}, a.At, a.Policy.Zone)[0],
		Name:   oneLine(a.To.Name, maxName), Announces: a.Announces, Planned: a.Stage == desk.StagePlanned, More: a.More,
		List: r.cfg.BaseURL + "/tickets", Notice: r.cfg.BaseURL + "/notice",
		footer: newFooter(a.Policy, r.cfg),
	}
	if a.Token != "" {
		v.Open = r.cfg.BaseURL + "/c/" + a.Token
	}
	for _, t := range a.Tickets {
		v.Tickets = append(v.Tickets, affectedTicketView{
			Number: t.Number, Subject: oneLine(t.Subject, maxSubject),
			Moves: append(moveViews("First response", t.FirstResponse, a), moveViews("Resolution", t.Resolution, a)...),
		})
	}
	return v
}

// moveViews returns how a target's deadline moved, and nothing for a target that is met or ended.
func moveViews(label string, m desk.Move, a desk.Announcement) []moveView {
	if !m.Owed {
		return nil
	}
	in := func(at time.Time) string { return formatTime(at, a.At, a.Policy.Zone) }
	return []moveView{{
		Label: label, Before: in(m.Before), Due: in(m.Due), Expected: in(m.Expected), Breached: in(m.Breached), Waiting: m.Waiting,
	}}
}
