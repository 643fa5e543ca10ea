package mail_test

import (
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestRender_readsAsTheGoldenFiles(t *testing.T) {
	r := newRenderer(t)
	all := goldenMails()
	for name, l := range all {
		t.Run(name, func(t *testing.T) {
			m, err := r.Render(l)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", "Subject: "+m.Subject+"\n\n"+m.Text)
			golden(t, name+".html", m.HTML)
		})
	}
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(files) != len(all) {
		t.Errorf("%d golden texts for %d mails (%v): %v", len(files), len(all), err, slices.Sorted(maps.Keys(all)))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), accept it with -update:\n%s", path, diff)
	}
}

func TestRender_writesBothPromisesInThePolicysZone(t *testing.T) {
	r := newRenderer(t)
	accepted := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		zone             string
		first, resolve   time.Time
		wantFirst, wantR string
	}{
		{"UTC", accepted.AddDate(0, 0, 10).Add(time.Hour), accepted.AddDate(0, 0, 10), "Thu 3 Dec 2026, 11:00 UTC", "Thu 3 Dec 2026, 10:00 UTC"},
		{"Europe/Berlin", time.Date(2027, 3, 28, 0, 59, 59, 0, time.UTC), time.Date(2027, 3, 28, 1, 0, 0, 0, time.UTC), "Sun 28 Mar 2027, 01:59 CET", "Sun 28 Mar 2027, 03:00 CEST"},
		{"Asia/Kolkata", accepted, accepted.Add(time.Minute), "Mon 23 Nov 2026, 15:30 IST", "Mon 23 Nov 2026, 15:31 IST"},
		{"America/Sao_Paulo", accepted, accepted, "Mon 23 Nov 2026, 07:00 UTC-03:00", "Mon 23 Nov 2026, 07:00 UTC-03:00"},
		{"Asia/Kathmandu", accepted.Add(30 * time.Second), accepted.Add(10 * time.Minute), "Mon 23 Nov 2026, 15:45:30 UTC+05:45", "Mon 23 Nov 2026, 15:55 UTC+05:45"},
	}
	for _, tt := range tests {
		t.Run(tt.zone, func(t *testing.T) {
			zone, err := time.LoadLocation(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			l := sampleMail(ticket.MailReceipt)
			l.At, l.FirstResponseDue, l.ResolutionDue, l.Policy = accepted.Add(-time.Second), tt.first, tt.resolve, samplePolicy(zone)
			m, err := r.Render(l)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"First response by: " + tt.wantFirst + "\n", "Resolution by: " + tt.wantR + "\n"} {
				if !strings.Contains(m.Text, want) {
					t.Errorf("text lacks %q:\n%s", want, m.Text)
				}
			}
			for _, want := range []string{">" + tt.wantFirst + "<", ">" + tt.wantR + "<"} {
				if !strings.Contains(strings.ReplaceAll(m.HTML, "&#43;", "+"), want) {
					t.Errorf("HTML lacks %q:\n%s", want, m.HTML)
				}
			}
		})
	}
}

func TestRender_saysTheSameInTextAndHTML(t *testing.T) {
	r := newRenderer(t)
	for name, l := range goldenMails() {
		m, err := r.Render(l)
		if err != nil {
			t.Fatal(err)
		}
		shown := visible(parseHTML(t, m.HTML))
		if l.Format == desk.FormatMarkdown { // the text has marks of lists and tables, where the HTML has elements
			continue
		}
		for line := range strings.SplitSeq(m.Text, "\n") {
			if link := strings.TrimSpace(line); strings.HasPrefix(link, "http") { // of a file, whose name is the link in HTML
				if !strings.Contains(m.HTML, link) {
					t.Errorf("%s: HTML lacks %q", name, link)
				}
				continue
			}
			if label, value, ok := strings.Cut(line, ": "); ok && (strings.HasPrefix(value, "http") || label == "Contact") {
				if !strings.Contains(m.HTML, value) {
					t.Errorf("%s: HTML lacks %q", name, value)
				}
				continue
			}
			line = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "-- "), ">"), " ")
			for part := range strings.SplitSeq(line, ": ") {
				if !strings.Contains(shown, strings.Join(strings.Fields(part), " ")) {
					t.Errorf("%s: HTML lacks %q of the text", name, part)
				}
			}
		}
	}
}

func TestRender_leadsEachReaderToTheirOwnPage(t *testing.T) {
	r := newRenderer(t)
	const site = "https://support.holesalemart.example"
	for _, kind := range ticket.MailKinds() {
		l := sampleMail(kind)
		l.Token = "AQsecret"
		m, err := r.Render(l)
		if err != nil {
			t.Fatal(err)
		}
		want, not := site+"/c/AQsecret", site+"/desk/"
		if kind.ToStaff() {
			want, not = site+"/desk/tickets/HM-7Q2K9XM4TD", "AQsecret"
		}
		if kind == ticket.MailEscalation {
			not = site + "/c/" // its link opens no conversation
			if !strings.Contains(m.Text, site+"/e/AQsecret") || !strings.Contains(m.HTML, site+"/e/AQsecret") {
				t.Errorf("%s: it lacks the link to its page:\n%s", kind, m.Text)
			}
		}
		for _, part := range []string{m.Text, m.HTML} {
			if !strings.Contains(part, want) || strings.Contains(part, not) {
				t.Errorf("%s: it must hold %s and not %s:\n%s", kind, want, not, part)
			}
			if !strings.Contains(part, "care@holesalemart.example") || !strings.Contains(part, "https://holesalemart.example/privacy") {
				t.Errorf("%s lacks the contact or the privacy policy:\n%s", kind, part)
			}
		}
	}
}

func TestRender_keepsOneSubjectThroughTheThread(t *testing.T) {
	r := newRenderer(t)
	for _, kind := range ticket.MailKinds() {
		m, err := r.Render(sampleMail(kind))
		if err != nil {
			t.Fatal(err)
		}
		want := "Re: [HM-7Q2K9XM4TD] Parcel 4711 arrived broken"
		if kind == ticket.MailReceipt {
			want = strings.TrimPrefix(want, "Re: ")
		}
		if m.Subject != want {
			t.Errorf("%s: subject %q, want %q", kind, m.Subject, want)
		}
	}
}

// Where the desk receives email, an answer to an email without a token becomes a ticket of its own.
func TestRender_saysThatRepliesAreNotReadOnlyWhereTheyAreNot(t *testing.T) {
	cfg := config()
	for _, replies := range []string{cfg.Replies, ""} {
		cfg.Replies = replies
		r, err := mail.NewRenderer(cfg)
		if err != nil {
			t.Fatal(err)
		}
		announced, err := r.RenderAnnouncement(announcement(desk.AnnounceStarted, ticket.EmergencyClosed, desk.StageInForce))
		if err != nil {
			t.Fatal(err)
		}
		of := account.Mail{Kind: account.MailKinds()[0], Policy: samplePolicy(time.UTC)}
		to, err := r.RenderAccount(of, of.At)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{announced.Text, announced.HTML, to.Text, to.HTML} {
			if strings.Contains(text, "replies to it are not read") != (replies == "") {
				t.Errorf("replies are received at %q: %s", replies, text)
			}
		}
	}
}

func TestRender_refusesDataItCannotRender(t *testing.T) {
	r := newRenderer(t)
	for name, l := range map[string]desk.MailData{
		"no kind":   {Number: number, Policy: samplePolicy(time.UTC)},
		"no policy": {Number: number, Kind: ticket.MailReply},
		"no zone":   {Number: number, Kind: ticket.MailReply, Policy: &policy.Policy{}},
	} {
		if m, err := r.Render(l); err == nil {
			t.Errorf("%s: no error but %+v", name, m)
		}
	}
}

func TestNewRenderer_namesEveryWrongField(t *testing.T) {
	_, err := mail.NewRenderer(mail.Config{
		TLS: "maybe", From: desk.Mailbox{Address: "a@b\r\nBcc: c@d"},
		Domain: "two words", BaseURL: "javascript:alert(1)", Timeout: -1,
	})
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Invalid {
		t.Fatalf("got %v", err)
	}
	var fields []string
	for _, d := range f.Details {
		fields = append(fields, d.Field)
	}
	if diff := cmp.Diff([]string{"Host", "Port", "TLS", "From", "Domain", "BaseURL", "Timeout"}, fields); diff != "" {
		t.Error(diff)
	}
	noAddress := config()
	noAddress.From.Address = "no address"
	if _, err := mail.NewRenderer(noAddress); fault.KindOf(err) != fault.Invalid {
		t.Errorf("mails from no address: got %v", err)
	}
	inClear := config()
	inClear.Host, inClear.Username, inClear.Password = "mail.example.com", "desk", "secret"
	if _, err := mail.NewRenderer(inClear); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "secret") {
		t.Errorf("a password in clear to another host: got %v", err)
	}
}
