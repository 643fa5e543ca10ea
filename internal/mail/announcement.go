package mail

import (
	"context"
	"fmt"
	html "html/template"
	"strings"
	text "text/template"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// announcementView is what the templates of announcements see, cleaned like a view.
type announcementView struct {
	notice
	Subject string
	Name    string // of the recipient
	Tells   desk.Telling
	Planned bool // it has not begun
	Tickets []movedView
	More    int

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
	Label                         string
	Before, Due, Expected, Broken string
	Waiting                       bool
}

// announcementWords are the templates of announcements, in both forms.
type announcementWords struct {
	text *text.Template
	html *html.Template
}

// parseAnnouncement parses the templates and tries them with everything that can be told.
func (r *Renderer) parseAnnouncement() (err error) {
	const words = "templates/announcement/words.tmpl"
	r.announcement.text, err = text.New("announcement.txt").Option("missingkey=error").
		ParseFS(templates, "templates/announcement/announcement.txt", words, noticeWords)
	if err != nil {
		return fmt.Errorf("parse text of announcements: %w", err)
	}
	r.announcement.html, err = html.New("announcement.html").Option("missingkey=error").
		ParseFS(templates, "templates/announcement/announcement.html", words, noticeWords)
	if err != nil {
		return fmt.Errorf("parse HTML of announcements: %w", err)
	}
	for _, kind := range ticket.EmergencyKinds() {
		for _, tells := range []desk.Telling{desk.TellsPlanned, desk.TellsStarted, desk.TellsChanged, desk.TellsEnded, desk.TellsCancelled} {
			trial := desk.Announcement{Tells: tells, Kind: kind, Policy: &policy.Policy{Zone: time.UTC}, Tickets: make([]desk.Moved, 1)}
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
	var subject, asText, asHTML strings.Builder
	if err := r.announcement.text.ExecuteTemplate(&subject, "subject", v); err != nil {
		return Message{}, fmt.Errorf("render subject of an announcement: %w", err)
	}
	v.Subject = subject.String()
	if err := r.announcement.text.Execute(&asText, v); err != nil {
		return Message{}, fmt.Errorf("render text of an announcement: %w", err)
	}
	if err := r.announcement.html.Execute(&asHTML, v); err != nil {
		return Message{}, fmt.Errorf("render HTML of an announcement: %w", err)
	}
	return Message{Subject: v.Subject, Text: asText.String(), HTML: asHTML.String()}, nil
}

func (r *Renderer) viewAnnouncement(a desk.Announcement) announcementView {
	about := desk.Notice{
		Kind: a.Kind, InForce: a.Stage == desk.StageInForce, From: a.From, Until: a.Until, By: a.By, Text: a.Notice,
	}
	v := announcementView{
		notice: newNotices([]desk.Notice{about}, a.At, a.Policy.Zone)[0],
		Name:   oneLine(a.To.Name, maxName), Tells: a.Tells, Planned: a.Stage == desk.StagePlanned, More: a.More,
		List: r.cfg.BaseURL + "/tickets", Notice: r.cfg.BaseURL + "/notice",
		Contact: oneLine(a.Policy.Contact, 0), Privacy: oneLine(a.Policy.PrivacyURL, 0),
		Policy: oneLine(a.Policy.Name, 0), Sender: oneLine(r.cfg.From.Name, maxName),
	}
	if a.Token != "" {
		v.Open = r.cfg.BaseURL + "/c/" + a.Token
	}
	for _, t := range a.Tickets {
		moved := movedView{Number: t.Number, Subject: oneLine(t.Subject, maxSubject)}
		for _, m := range []struct {
			label string
			desk.Move
		}{{"First answer", t.FirstResponse}, {"Resolution", t.Resolution}} {
			if m.Owed {
				in := func(at time.Time) string { return moment(at, a.At, a.Policy.Zone) }
				moved.Moves = append(moved.Moves, moveView{
					Label: m.label, Before: in(m.Before), Due: in(m.Due), Expected: in(m.Expected), Broken: in(m.Broken), Waiting: m.Waiting,
				})
			}
		}
		v.Tickets = append(v.Tickets, moved)
	}
	return v
}

// composeAnnouncement writes an announcement out with its headers, like compose.
func composeAnnouncement(r *Renderer, a desk.Announcement, now time.Time) (parcel, error) {
	headers := func(m *gomail.Msg) {
		m.SetGenHeader(gomail.HeaderMessageID, AnnouncementID(a.ID, r.cfg.Domain))
		m.SetGenHeader("Auto-Submitted", "auto-generated")
		m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
		m.SetGenHeader(gomail.HeaderContentLang, "en")
	}
	return pack(r, a.To, now, "announcement", headers, func() (Message, error) { return r.RenderAnnouncement(a) })
}

// AnnouncementID is the Message-ID of an announcement's mail, the same however often it is sent.
func AnnouncementID(id int64, domain string) string {
	return fmt.Sprintf("<announcement.%d@%s>", id, domain)
}

// SendAnnouncement is Send for a mail of an announcement.
func (s *Sender) SendAnnouncement(ctx context.Context, a desk.Announcement) error {
	p, err := composeAnnouncement(s.renderer, a, time.Now())
	if err != nil {
		return err
	}
	return s.send(ctx, p)
}
