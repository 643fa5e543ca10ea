package mail

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// announcementView is what the templates of announcements see, cleaned like a view.
type announcementView struct {
	notice
	Subject   string
	Name      string // of the recipient
	Announces desk.AnnouncementKind
	Planned   bool // it has not begun
	Tickets   []movedView
	More      int

	Open, List, Notice string // addresses on the website: the only ticket's conversation, or their tickets; what is said there
	Contact, Privacy   string
	Policy, Sender     string
}

// movedView is a ticket in an announcement.
type movedView struct {
	Number  ticket.Number
	Subject string
	Moves   []moveView
}

// moveView is a promise as it stood and as it stands; dates that there are not are empty.
type moveView struct {
	Label                           string
	Before, Due, Expected, Breached string
	Waiting                         bool
}

// parseAnnouncement parses the templates and tries them with everything that can be told.
func (r *Renderer) parseAnnouncement() (err error) {
	if r.announcement, err = parseWords("templates/announcement/announcement", "templates/announcement/words.tmpl"); err != nil {
		return fmt.Errorf("announcements: %w", err)
	}
	for _, kind := range ticket.EmergencyKinds() {
		for _, tells := range []desk.AnnouncementKind{desk.AnnouncePlanned, desk.AnnounceStarted, desk.AnnounceChanged, desk.AnnounceEnded, desk.AnnounceCancelled} {
			trial := desk.Announcement{Announces: tells, Kind: kind, Policy: &policy.Policy{Zone: time.UTC}, Tickets: make([]desk.AffectedTicket, 1)}
			if _, err := r.RenderAnnouncement(trial); err != nil {
				return err
			}
		}
	}
	return nil
}

// RenderAnnouncement writes an announcement out. It fails for one without a policy.
func (r *Renderer) RenderAnnouncement(a desk.Announcement) (Message, error) {
	if a.Policy == nil || a.Policy.Zone == nil {
		return Message{}, fmt.Errorf("render announcement %d: it has no policy", a.ID)
	}
	v := r.viewAnnouncement(a)
	m, err := r.announcement.write(&v, &v.Subject)
	if err != nil {
		return Message{}, fmt.Errorf("render announcement %d: %w", a.ID, err)
	}
	return m, nil
}

func (r *Renderer) viewAnnouncement(a desk.Announcement) announcementView {
	about := desk.Notice{
		Kind: a.Kind, InForce: a.Stage == desk.StageInForce, From: a.From, Until: a.Until, By: a.By, Text: a.Notice,
	}
	v := announcementView{
		notice: newNotices([]desk.Notice{about}, a.At, a.Policy.Zone)[0],
		Name:   oneLine(a.To.Name, maxName), Announces: a.Announces, Planned: a.Stage == desk.StagePlanned, More: a.More,
		List: r.cfg.BaseURL + "/tickets", Notice: r.cfg.BaseURL + "/notice",
		Contact: oneLine(a.Policy.Contact, 0), Privacy: oneLine(a.Policy.PrivacyURL, 0),
		Policy: oneLine(a.Policy.Name, 0), Sender: oneLine(r.cfg.From.Name, maxName),
	}
	if a.Token != "" {
		v.Open = r.cfg.BaseURL + "/c/" + a.Token
	}
	for _, t := range a.Tickets {
		v.Tickets = append(v.Tickets, movedView{
			Number: t.Number, Subject: oneLine(t.Subject, maxSubject),
			Moves: append(moves("First answer", t.FirstResponse, a), moves("Resolution", t.Resolution, a)...),
		})
	}
	return v
}

// moves is what there is to be said of one promise: nothing, or how it moved.
func moves(label string, m desk.Move, a desk.Announcement) []moveView {
	if !m.Owed {
		return nil
	}
	in := func(at time.Time) string { return moment(at, a.At, a.Policy.Zone) }
	return []moveView{{
		Label: label, Before: in(m.Before), Due: in(m.Due), Expected: in(m.Expected), Breached: in(m.Breached), Waiting: m.Waiting,
	}}
}

// composeAnnouncement writes an announcement out with its headers, like compose.
func composeAnnouncement(r *Renderer, a desk.Announcement, now time.Time) (outgoing, error) {
	h := headers{messageID: AnnouncementID(a.ID, r.cfg.Domain)}
	return pack(r, a.To, now, h, func() (Message, error) { return r.RenderAnnouncement(a) })
}
