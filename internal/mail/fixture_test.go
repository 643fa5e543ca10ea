package mail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const number = ticket.Number("HM-7Q2K9XM4TD")

func config() mail.Config {
	return mail.Config{
		Host: "127.0.0.1", Port: 25, TLS: mail.TLSNone,
		From:    desk.Mailbox{Name: "Holesalemart Support", Address: "support@holesalemart.example"},
		Replies: "support@holesalemart.example", Prefix: "HM", Domain: "holesalemart.example", BaseURL: "https://support.holesalemart.example/",
		Timeout: 10 * time.Second,
	}
}

func newRenderer(t testing.TB) *mail.Renderer {
	t.Helper()
	r, err := mail.NewRenderer(config())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func samplePolicy(zone *time.Location) *policy.Policy {
	return &policy.Policy{
		Name: "Holesalemart Customer Support Policy", Contact: "care@holesalemart.example",
		PrivacyURL: "https://holesalemart.example/privacy", Zone: zone,
		Clocks: map[policy.ClockName]policy.Rule{
			policy.FirstResponse: {Target: 72 * time.Hour, Counts: policy.CountBusinessHours},
			policy.Resolution:    {Target: 240 * time.Hour, Counts: policy.CountCalendar, Pauses: []policy.Reason{policy.ReasonWaiting}},
		},
		Escalation: []policy.EscalationStep{{After: 0}, {After: 24 * time.Hour}},
	}
}

// sampleMail returns the data of a mail with all fields that its kind uses, at 10:23:45 UTC on a Monday.
func sampleMail(kind ticket.MailKind) desk.MailData {
	at := time.Date(2026, 11, 23, 10, 23, 45, 0, time.UTC)
	l := desk.MailData{
		Number: number, N: 4, Kind: kind, Thread: []desk.ThreadMail{{N: 1}, {N: 2}},
		To:      desk.Mailbox{Name: "Demo Customer", Address: "customer@demo.example"},
		Subject: "Parcel 4711 arrived broken", Author: "Demo Agent", Assignee: "Demo Agent", At: at,
		Status: ticket.StatusOpen, Priority: policy.PriorityNormal,
		FirstResponseDue: time.Date(2026, 12, 7, 12, 0, 0, 0, time.UTC), ResolutionDue: at.Add(240 * time.Hour),
		Policy: samplePolicy(time.UTC), Token: "AQexample-token_of-a-link",
	}
	if !kind.ToStaff() {
		l.FirstResponseDue = l.ResolutionDue // the earlier of the two, as Promised.ForRequester has it
	}
	quoted := desk.Quoted{Body: "Hello,\nthe parcel came with a dent & \"rattles\".\n\n-- \nDemo Customer", Author: "Demo Customer", At: at.Add(-48 * time.Hour), Own: true}
	words := "We found your parcel & its twin.\n\nPlease send us:\n  - a photo\n  - the number on the label <ABC>"
	switch kind {
	case ticket.MailReceipt:
		l.N, l.Thread, l.Status, l.Author, l.Assignee = 1, nil, ticket.StatusNew, "", ""
		l.Body = "Hello,\nthe parcel came with a dent & \"rattles\"."
	case ticket.MailReply, ticket.MailProgress, ticket.MailParticipantReply:
		l.Body, l.FirstResponseDue, l.Quoted = words, time.Time{}, quoted
	case ticket.MailInformationRequest, ticket.MailNudge:
		l.Body, l.Status, l.Quoted = words, ticket.StatusWaiting, quoted
		l.FirstResponseDue, l.ResolutionDue, l.Silence = time.Time{}, time.Time{}, 7*24*time.Hour
	case ticket.MailResolution:
		l.Quoted = quoted
		l.Body, l.Status, l.Cause = "A new parcel is on its way.", ticket.StatusResolved, ticket.CauseAgent
		l.FirstResponseDue, l.ResolutionDue, l.Silence = time.Time{}, time.Time{}, 5*24*time.Hour
	case ticket.MailClosure:
		l.Status, l.Cause = ticket.StatusClosed, ticket.CauseAgent
		l.FirstResponseDue, l.ResolutionDue = time.Time{}, time.Time{}
	case ticket.MailReopening:
		l.FirstResponseDue = time.Time{}
	case ticket.MailPolicyChange:
		l.Author, l.FirstResponseDue = "", at.Add(72*time.Hour)
	case ticket.MailAssigned, ticket.MailHandedOver, ticket.MailCustomerReply, ticket.MailReminder, ticket.MailEscalation, ticket.MailUndelivered:
		forStaff(&l, words)
	}
	return l
}

func forStaff(l *desk.MailData, words string) {
	l.Token = ""
	l.To = desk.Mailbox{Name: "Demo Agent", Address: "agent@holesalemart.example"}
	l.Thread, l.Author = []desk.ThreadMail{{N: 1}}, "Sam Okafor"
	switch l.Kind {
	case ticket.MailUndelivered:
		l.Author, l.FirstResponseDue = "", time.Time{}
	case ticket.MailHandedOver:
		l.Author, l.Assignee, l.FirstResponseDue = "", "Demo Agent 2", time.Time{}
	case ticket.MailCustomerReply:
		l.Author, l.Body = "Demo Customer", words
	case ticket.MailReminder, ticket.MailEscalation:
		l.Author, l.Clock, l.DueAt, l.Since = "", policy.FirstResponse, l.FirstResponseDue, l.FirstResponseDue
		l.EscalationStep = 1
		if l.Kind == ticket.MailEscalation {
			l.At, l.Token = l.Since, "AQexample-token_of-an-escalation"
			l.FirstResponseLate, l.FirstResponseDue = l.FirstResponseDue, time.Time{}
			l.ResolutionLate, l.ResolutionDue = l.ResolutionDue, time.Time{}
		}
	}
}

// goldenMails returns the mails of the golden files, by file name.
func goldenMails() map[string]desk.MailData {
	all := map[string]desk.MailData{}
	for _, kind := range ticket.MailKinds() {
		all[string(kind)] = sampleMail(kind)
	}
	with := func(name string, kind ticket.MailKind, change func(*desk.MailData)) {
		l := sampleMail(kind)
		change(&l)
		all[string(kind)+"-"+name] = l
	}
	with("paused", ticket.MailReceipt, func(l *desk.MailData) { l.FirstResponseDue, l.ResolutionDue = time.Time{}, time.Time{} })
	with("bare", ticket.MailReceipt, func(l *desk.MailData) {
		l.To.Name, l.Body, l.Token = "", "", ""
		l.Policy = &policy.Policy{Zone: time.FixedZone("", 19800)}
	})
	for _, kind := range []ticket.MailKind{
		ticket.MailReply, ticket.MailProgress, ticket.MailInformationRequest, ticket.MailResolution, ticket.MailClosure, ticket.MailParticipantReply,
	} {
		with("participant", kind, func(l *desk.MailData) { l.Participant = true })
	}
	with("paused", ticket.MailPolicyChange, func(l *desk.MailData) {
		l.Status, l.FirstResponseDue, l.ResolutionDue = ticket.StatusWaiting, time.Time{}, time.Time{}
	})
	for _, kind := range []ticket.MailKind{
		ticket.MailReceipt, ticket.MailAssignment, ticket.MailProgress, ticket.MailPolicyChange, ticket.MailAssigned, ticket.MailCustomerReply,
	} {
		with("late", kind, func(l *desk.MailData) {
			l.FirstResponseLate, l.FirstResponseDue = l.At.Add(-time.Hour), time.Time{}
			l.ResolutionLate, l.ResolutionDue = l.FirstResponseLate, time.Time{}
		})
	}
	with("late-twice", ticket.MailProgress, func(l *desk.MailData) {
		l.FirstResponseLate, l.ResolutionLate, l.ResolutionDue = l.At.Add(-72*time.Hour), l.At.Add(-time.Hour), time.Time{}
	})
	with("late-with-the-answer", ticket.MailPolicyChange, func(l *desk.MailData) {
		l.FirstResponseLate, l.FirstResponseDue = l.At.Add(-72*time.Hour), time.Time{}
	})
	for _, kind := range []ticket.MailKind{ticket.MailReopening, ticket.MailInformationRequest, ticket.MailUndelivered} {
		with("late", kind, func(l *desk.MailData) { l.ResolutionLate, l.ResolutionDue = l.At.Add(-time.Hour), time.Time{} })
	}
	with("now", ticket.MailPolicyChange, func(l *desk.MailData) { l.FirstResponseDue, l.ResolutionDue = l.At, l.At })
	with("late", ticket.MailReminder, func(l *desk.MailData) {
		l.Sent = l.DueAt.Add(time.Hour)
		l.FirstResponseLate, l.FirstResponseDue = l.FirstResponseDue, time.Time{}
	})
	with("closed", ticket.MailPolicyChange, func(l *desk.MailData) {
		l.Expected.FirstResponse, l.Expected.Resolution = l.FirstResponseDue, l.ResolutionDue
		l.FirstResponseDue, l.ResolutionDue, l.Notices = time.Time{}, time.Time{}, sampleNotices(l.At)[:1]
	})
	with("silence", ticket.MailResolution, func(l *desk.MailData) { l.Cause, l.Author, l.Body = ticket.CauseSilence, "", "" })
	for _, cause := range []ticket.Cause{ticket.CauseRequester, ticket.CauseWithdrawn, ticket.CauseSilence} {
		with(string(cause), ticket.MailClosure, func(l *desk.MailData) { l.Cause = cause })
	}
	with("last", ticket.MailEscalation, func(l *desk.MailData) {
		l.Clock, l.DueAt, l.Since, l.EscalationStep, l.Assignee = policy.Resolution, l.ResolutionLate, l.ResolutionLate, 2, ""
		l.At = l.Since.Add(24 * time.Hour)
	})
	// An escalation step for urgent tickets is not the next step of a normal one.
	with("by-name", ticket.MailEscalation, func(l *desk.MailData) {
		p := *l.Policy
		p.Escalation = []policy.EscalationStep{{After: 0}, {After: time.Hour, Priorities: []policy.Priority{policy.PriorityUrgent}}, {After: 48 * time.Hour}}
		l.Policy, l.Instead = &p, "Demo <Former> Agent"
	})
	with("instead", ticket.MailAssigned, func(l *desk.MailData) { l.Instead = "Demo Former Agent" })
	with("instead", ticket.MailCustomerReply, func(l *desk.MailData) { l.Instead = "Demo Former Agent" })
	with("resolution", ticket.MailReminder, func(l *desk.MailData) { l.Clock, l.DueAt = policy.Resolution, l.ResolutionDue })
	with("nobody", ticket.MailReply, func(l *desk.MailData) { l.Author = "" })
	with("rtl", ticket.MailReply, func(l *desk.MailData) {
		l.Subject, l.Author = "الطرد وصل مكسورا 📦", "ليلى"
		l.Body = "مرحبا ماريا، وجدنا الطرد.\n\n👩‍💻 שלום, the number is 4711."
	})
	with("closed", ticket.MailReceipt, func(l *desk.MailData) {
		l.FirstResponseDue, l.ResolutionDue, l.Notices = time.Time{}, time.Time{}, sampleNotices(l.At)[:1]
		l.Expected.FirstResponse, l.Expected.Resolution = l.At.Add(200*time.Hour), l.At.Add(300*time.Hour)
	})
	files := []desk.MailFile{
		{File: desk.File{Name: "label.png", Size: 1234567}, Content: []byte("bytes")},
		{File: desk.File{Name: `a "<b>" & ملصق.pdf`, Size: 9 << 20}, Token: "token"},
		{File: desk.File{Name: "secret.txt", Deleted: &desk.FileDeletion{}}},
	}
	with("files", ticket.MailReply, func(l *desk.MailData) { l.Files = files })
	with("files-only", ticket.MailReply, func(l *desk.MailData) { l.Files, l.Body = files[1:], "" })
	with("files", ticket.MailReceipt, func(l *desk.MailData) { l.Files = []desk.MailFile{{File: desk.File{Name: "label.png", Size: 12}}} })
	with("files", ticket.MailCustomerReply, func(l *desk.MailData) { l.Files = []desk.MailFile{{File: desk.File{Name: "label.png", Size: 12}}} })
	left := []desk.LeftOut{{What: "photo <1>.tif", Why: "larger than 10 MiB"}, {What: "ملصق.pdf", Why: "empty"}}
	with("left-out", ticket.MailReceipt, func(l *desk.MailData) { l.LeftOut = left })
	with("left-out", ticket.MailCustomerReply, func(l *desk.MailData) { l.Files, l.LeftOut = files[2:], left })
	with("markdown", ticket.MailReply, func(l *desk.MailData) { l.Body, l.Format = formatted, desk.FormatMarkdown })
	with("notices", ticket.MailReply, func(l *desk.MailData) { l.Notices = sampleNotices(l.At) })
	with("notices", ticket.MailAssigned, func(l *desk.MailData) { l.Notices = sampleNotices(l.At)[1:] })
	with("signature", ticket.MailReply, func(l *desk.MailData) {
		l.Signature, l.Quoted.Own = "Demo Agent\nHolesalemart Support\nhttps://holesalemart.example/parcels", false
	})
	with("long-quote", ticket.MailReply, func(l *desk.MailData) { l.Quoted.Body = strings.Repeat("One more line.\n", 30) })
	for _, kind := range []ticket.MailKind{
		ticket.MailReceipt, ticket.MailReply, ticket.MailInformationRequest, ticket.MailResolution, ticket.MailClosure, ticket.MailCustomerReply,
		ticket.MailEscalation, ticket.MailParticipantReply,
	} {
		with("by-email", kind, byEmail)
	}
	return all
}

// byEmail makes a mail one of a desk that receives answers.
func byEmail(l *desk.MailData) {
	l.ReplyToken = "hm7q2k9xm4td0123456789000000000000000000"
	if l.Kind.ToStaff() {
		l.PublicReplyToken = "hm7q2k9xm4td0123456789100000000000000000"
	}
}

// formatted is a message in Markdown.
const formatted = "We found **your parcel**, see HM-0123456789 and <https://track.example/?a=1&b=2>:\n\n" +
	"1. it has a *dent*\n2. it `rattles`\n\n> It was due on Monday.\n\n| part | price |\n|:--|--:|\n| a | 1.00 |\n\n" +
	"```\nif a < b {\n\treturn\n}\n```\n\n<b>not bold</b> ![a photo](https://photos.example/1.jpg)\n"
