package automatic_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
)

const jane = "jane@example.com"

// outcome is what the test wants to know of a recipient.
type outcome struct {
	address string
	action  automatic.Action
	status  string
	cause   automatic.Cause
	hard    bool
}

var makers = map[string][]outcome{
	"qmail": {
		{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true},
		{"joe@example.com", automatic.Failed, "4.2.2", automatic.MailboxFull, false},
	},
	"exim":                   {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"exim-delayed":           {{jane, automatic.Delayed, "", automatic.Unreachable, false}},
	"exim-no-domain":         {{"jane@nowhere.example.com", automatic.Failed, "", automatic.UnknownDomain, true}},
	"sendmail":               {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"sendmail-deferred":      {{jane, automatic.Delayed, "", automatic.Unreachable, false}},
	"postfix":                {{jane, automatic.Failed, "5.2.2", automatic.MailboxFull, false}},
	"gmail":                  {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"gmail-new":              {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"exchange-2003":          {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"exchange-german":        {{jane, automatic.Failed, "5.2.2", automatic.MailboxFull, false}},
	"notes":                  {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"domino":                 {{jane, automatic.Failed, "", automatic.MailboxFull, false}},
	"yahoo":                  {{jane, automatic.Failed, "5.7.1", automatic.Refused, false}},
	"aol":                    {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"dragonfly":              {{jane, automatic.Failed, "", automatic.UnknownDomain, true}},
	"opensmtpd":              {{jane, automatic.Failed, "", automatic.UnknownDomain, true}},
	"imail":                  {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"mailmarshal":            {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"mfilter":                {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"au":                     {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"kddi":                   {{jane, automatic.Failed, "", automatic.MailboxFull, false}},
	"interscan":              {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"mailru":                 {{jane, automatic.Failed, "4.7.1", automatic.Limited, false}},
	"workmail":               {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"verizon":                {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"mx-logic":               {{jane, automatic.Failed, "5.4.6", automatic.RoutingLoop, false}},
	"x400":                   {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"french":                 {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"james":                  {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"biglobe":                {{jane, automatic.Failed, "", automatic.MailboxFull, false}},
	"activehunter":           {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"mailfoundry":            {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"imail-full":             {{jane, automatic.Failed, "", automatic.MailboxFull, false}},
	"unknown-maker":          {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"phone-gateway":          {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"mimecast":               {{jane, automatic.Failed, "5.4.1", automatic.UnknownUser, true}},
	"smartermail":            {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"mailenable":             {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"mdaemon":                {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"exim-sent-by":           {{jane, automatic.Failed, "", automatic.UnknownDomain, true}},
	"kddi-no-reply":          {{jane, automatic.Failed, "", automatic.MailboxFull, false}},
	"mx-rejected":            {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"chinese":                {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"german":                 {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"listserv":               {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"not-yet":                {{jane, automatic.Delayed, "", automatic.Unreachable, false}},
	"aol-local-part":         {{jane, automatic.Failed, "", automatic.Refused, false}},
	"exim-malformed":         {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"interscan-notification": {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"imail-root":             {{jane, automatic.Failed, "", automatic.UnknownUser, true}},
	"list-words":             {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"list-report":            {{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true}},
	"exchange-5.5": {
		{jane, automatic.Failed, "", automatic.UnknownUser, true},
		{"ann@example.com", automatic.Failed, "", automatic.UnknownUser, true},
	},
	"status-report-of-words": {{jane, automatic.Failed, "5.3.0", automatic.UnknownUser, true}},
	"status-report-mistyped": {{jane, automatic.Failed, "5.9.8", automatic.Refused, false}},
	"dsn": {
		{jane, automatic.Failed, "5.1.1", automatic.UnknownUser, true},
		{"joe@example.com", automatic.Delayed, "4.4.1", automatic.Unreachable, false},
		{"ann@example.com", automatic.Relayed, "2.0.0", automatic.OtherCause, false},
	},
}

func TestClassify_readsTheReportsOfEveryMaker(t *testing.T) {
	files, err := filepath.Glob("testdata/bounce/*.eml")
	if err != nil || len(files) != len(makers) {
		t.Fatalf("%d fixtures (%v), want %d", len(files), err, len(makers))
	}
	for name, want := range makers {
		t.Run(name, func(t *testing.T) {
			m := fixture(t, name)
			v := automatic.Classify(m)
			if v.Kind != automatic.Bounce || !v.NoAnswer || v.Reason == "" {
				t.Fatalf("it is a %s: %q, answered: %v", v.Kind, v.Reason, !v.NoAnswer)
			}
			var got []outcome
			for _, r := range v.Bounces {
				got = append(got, outcome{r.Address, r.Action, r.Status, r.Cause, r.Hard})
			}
			if !slices.Equal(got, want) {
				t.Errorf("it says %+v, want %+v; of %+v", got, want, v.Bounces)
			}
			raw, _ := os.ReadFile("testdata/bounce/" + name + ".eml")
			if strings.Contains(string(raw), "sent-1@") && (len(v.OriginalMessageIDs) == 0 || v.OriginalMessageIDs[0] != "sent-1@example.org") {
				t.Errorf("it is about %q", v.OriginalMessageIDs)
			}
		})
	}
}

func fixture(t testing.TB, name string) automatic.Mail {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "bounce", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, raw)
}

// The words of a report make no bounce where a person's mail has them: people copy, quote and forward what they got.
func TestClassify_takesNoReportFromAPerson(t *testing.T) {
	for name := range makers {
		m := person("Hello, I got this:\n\n" + fixture(t, name).Text)
		m.Subject = "Fwd: " + fixture(t, name).Subject
		if v := automatic.Classify(m); v.Kind != automatic.Person || v.NoAnswer {
			t.Errorf("%s from a person is a %s: %s", name, v.Kind, v.Reason)
		}
	}
}

// What people write on a list about reports is a list's mail, as everything there is, unless it names a recipient and a cause.
func TestClassify_takesNoDiscussionOnAListForAReport(t *testing.T) {
	for _, text := range []string{"My parcel could not be delivered to the neighbour.", "Delivery failed again, has anybody an idea?\n\nUndelivered mail is returned to sender."} {
		m := with("List-Id: Cats <cats.lists.example.net>", "Precedence: list", "Subject: Delivery failure")
		m.Text = text
		if v := automatic.Classify(m); v.Kind != automatic.List {
			t.Errorf("%q is a %s: %s", text, v.Kind, v.Reason)
		}
	}
}

func TestClassify_returnsWhereAForwardedMailWent(t *testing.T) {
	v := automatic.Classify(fixture(t, "dsn"))
	if got := v.Bounces[0]; got.Final != "jane.doe@forward.example.net" || !strings.HasPrefix(got.Diagnostic, "smtp; 550 5.1.1 ") || !strings.HasSuffix(got.Diagnostic, "User unknown") {
		t.Errorf("got %+v", got)
	}
	if !slices.Equal(v.OriginalTo, []string{jane}) {
		t.Errorf("it was sent to %q", v.OriginalTo)
	}
}

// The names of the mails in testdata/mail begin with what they are.
func TestClassify_knowsEveryMailOfItsFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/mail/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := read(t, raw)
		v, want := automatic.Classify(m), automatic.Person
		for _, kind := range []automatic.Kind{automatic.AutoReply, automatic.Complaint} {
			if strings.HasPrefix(filepath.Base(file), string(kind)+"-") {
				want = kind
			}
		}
		if v.Kind != want || v.NoAnswer != (want != automatic.Person) {
			t.Errorf("%s is a %s (%s), never answered: %v", file, v.Kind, v.Reason, v.NoAnswer)
		}
		if want == automatic.Person {
			if v.Writer != jane || v.OriginalMessageIDs != nil {
				t.Errorf("%s: written by %q, about %q", file, v.Writer, v.OriginalMessageIDs)
			}
		} else if strings.Contains(string(raw), "sent-1@") && (len(v.OriginalMessageIDs) == 0 || v.OriginalMessageIDs[0] != "sent-1@example.org") {
			t.Errorf("%s is about %q", file, v.OriginalMessageIDs)
		}
	}
}
