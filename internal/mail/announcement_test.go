package mail_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// hostileNotice is what a supervisor may type into a notice, or a customer into a subject.
const hostileNotice = "</p><script>alert(1)</script> {{.Name}} \u202Eevil\r\nBcc: x@example.com"

// sampleNotices are one of each kind: in force, and planned.
func sampleNotices(at time.Time) []desk.Notice {
	return []desk.Notice{
		{
			Kind: ticket.EmergencyClosed, InForce: true, From: at.Add(-time.Hour), Until: at.Add(72 * time.Hour),
			Text: "The river is in our hall.\nNobody is hurt.\n\nParcels leave again on Thursday <soon>.",
		},
		{
			Kind: ticket.EmergencyDelayed, From: at.Add(96 * time.Hour), By: 48 * time.Hour,
			Text: "By order of the authorities half of us stay at home.",
		},
	}
}

var announced = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func announcement(announces desk.AnnouncementKind, kind ticket.EmergencyKind, stage desk.EmergencyStage) desk.Announcement {
	before, due := announced.Add(50*time.Hour), announced.Add(122*time.Hour)
	a := desk.Announcement{
		ID: 41, Announces: announces, Emergency: "E-7Q2K9XM4TD", Kind: kind, Notice: sampleNotices(announced)[0].Text,
		EmergencyTerms: desk.EmergencyTerms{Stage: stage, From: announced, Until: announced.Add(72 * time.Hour)},
		To:             desk.Mailbox{Name: "Demo Customer", Address: "customer@demo.example"},
		Token:          "AQexample-token_of-a-link", At: announced, Policy: samplePolicy(time.UTC),
		Tickets: []desk.AffectedTicket{{Number: number, Subject: "Parcel 4711 arrived broken",
			FirstResponse: desk.Move{Owed: true, Before: before, Due: due}, Resolution: desk.Move{Owed: true, Before: due, Due: due.Add(72 * time.Hour)}}},
	}
	if kind == ticket.EmergencyDelayed {
		a.By = 48 * time.Hour
	}
	return a
}

func announcements() map[string]desk.Announcement {
	closed, delayed := ticket.EmergencyClosed, ticket.EmergencyDelayed
	still := desk.Move{Owed: true, Before: announced.Add(50 * time.Hour), Expected: announced.Add(122 * time.Hour)}
	all := map[string]desk.Announcement{}
	for _, kind := range ticket.EmergencyKinds() {
		name := string(kind)
		all[name+"-planned"] = announcement(desk.AnnouncePlanned, kind, desk.StagePlanned)
		all[name+"-started"] = announcement(desk.AnnounceStarted, kind, desk.StageInForce)
		all[name+"-changed"] = announcement(desk.AnnounceChanged, kind, desk.StageInForce)
		all[name+"-plan-changed"] = announcement(desk.AnnounceChanged, kind, desk.StagePlanned)
		all[name+"-ended"] = announcement(desk.AnnounceEnded, kind, desk.StageOver)
		all[name+"-cancelled"] = announcement(desk.AnnounceCancelled, kind, desk.StageCancelled)
	}
	for _, name := range []string{"closed-started", "closed-changed"} {
		a := all[name]
		a.Tickets = []desk.AffectedTicket{{Number: number, Subject: "Parcel 4711 arrived broken", FirstResponse: still, Resolution: still}}
		all[name] = a
	}
	several := announcement(desk.AnnounceStarted, closed, desk.StageInForce)
	several.Until, several.Token, several.More = time.Time{}, "", 3
	still.Expected = time.Time{}
	several.Tickets = []desk.AffectedTicket{
		{Number: number, Subject: "Parcel 4711 arrived broken", FirstResponse: still, Resolution: still},
		{Number: "HM-7Q2K9XM4TE", Subject: hostileNotice, Resolution: desk.Move{Owed: true, Waiting: true}},
		{Number: "HM-7Q2K9XM4TF", Subject: "Late", FirstResponse: desk.Move{Owed: true, Breached: announced.Add(-time.Hour)}, Resolution: desk.Move{Owed: true, Expected: announced}},
	}
	all["closed-started-several"] = several
	same := announcement(desk.AnnounceStarted, delayed, desk.StageInForce)
	same.Tickets[0].FirstResponse = desk.Move{}
	same.Tickets[0].Resolution.Due = same.Tickets[0].Resolution.Before
	same.To.Name, same.Notice = "", hostileNotice
	all["delayed-started-unmoved"] = same
	return all
}

func TestRenderAnnouncement_readsAsTheGoldenFiles(t *testing.T) {
	r := newRenderer(t)
	for name, a := range announcements() {
		t.Run(name, func(t *testing.T) {
			m, err := r.RenderAnnouncement(a)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "announcement/"+name+".txt", "Subject: "+m.Subject+"\n\n"+m.Text)
			golden(t, "announcement/"+name+".html", m.HTML)
		})
	}
}

// Whatever was typed: no markup, no template, no second header, no turned text in the lines that are ours.
func TestAnnouncement_nothingThatWasTypedBecomesMarkupOrAHeader(t *testing.T) {
	r := newRenderer(t)
	a := announcement(desk.AnnounceStarted, ticket.EmergencyClosed, desk.StageInForce)
	a.Notice, a.To.Name, a.Tickets[0].Subject = hostileNotice, hostileNotice, hostileNotice
	m, err := r.RenderAnnouncement(a)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.HTML, "<script") || !strings.Contains(m.HTML, "&lt;script&gt;") || !strings.Contains(m.Text, "{{.Name}}") {
		t.Errorf("HTML:\n%s\ntext:\n%s", m.HTML, m.Text)
	}
	if strings.ContainsAny(m.Subject, "\r\n") || strings.Contains(m.Text, string(number)+": </p>\n") {
		t.Errorf("subject %q", m.Subject)
	}
	for _, all := range [][]desk.Notice{{{Kind: ticket.EmergencyClosed, InForce: true, Text: hostileNotice}}} {
		l := sampleMail(ticket.MailReply)
		l.Notices = all
		if m, err = r.Render(l); err != nil || strings.Contains(m.HTML, "<script") || !strings.Contains(m.HTML, "&lt;script&gt;") {
			t.Errorf("a reply's HTML (%v):\n%s", err, m.HTML)
		}
	}
}

func TestAnnouncement_saysTheSameInTextAndHTML(t *testing.T) {
	r := newRenderer(t)
	for name, a := range announcements() {
		m, err := r.RenderAnnouncement(a)
		if err != nil {
			t.Fatal(err)
		}
		shown := visible(parseHTML(t, m.HTML))
		for line := range strings.SplitSeq(m.Text, "\n") {
			line = strings.Join(strings.Fields(strings.TrimPrefix(line, "-- ")), " ")
			if label, value, link := strings.Cut(line, ": "); link && (strings.HasPrefix(value, "http") || label == "Contact") {
				if !strings.Contains(m.HTML, value) {
					t.Errorf("%s: HTML lacks %q", name, value)
				}
				continue
			}
			if !strings.Contains(shown, line) {
				t.Errorf("%s: HTML lacks %q of the text\n%s", name, line, shown)
			}
		}
	}
}

func TestMoved_datesAreWrittenInThePolicysZone(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	a := announcement(desk.AnnounceStarted, ticket.EmergencyClosed, desk.StageInForce)
	a.Policy = samplePolicy(zone)
	m, err := newRenderer(t).RenderAnnouncement(a)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("First response: by %s (before: %s)", "Sat 28 Nov 2026, 13:00 CET", "Wed 25 Nov 2026, 13:00 CET")
	if !strings.Contains(m.Text, want) || m.Subject != "Our support is closed until Thu 26 Nov 2026, 11:00 CET" {
		t.Errorf("lacks %q: %s\n%s", want, m.Subject, m.Text)
	}
}
