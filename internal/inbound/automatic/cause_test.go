package automatic_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

// reported returns what is read of a report about jane.
func reported(t *testing.T, action, status, diagnostic, words string) automatic.BouncedRecipient {
	t.Helper()
	m := with("Content-Type: multipart/report; boundary=b")
	m.Text = words
	m.Reports = []message.Report{{Type: "message/delivery-status", Body: []byte(
		"Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; jane@example.com\r\nAction: " + action + "\r\nStatus: " + status + "\r\nDiagnostic-Code: " + diagnostic + "\r\n")}}
	v := automatic.Classify(m)
	if v.Kind != automatic.Bounce || len(v.Bounces) != 1 || v.Bounces[0].Address != jane {
		t.Fatalf("got %+v", v)
	}
	return v.Bounces[0]
}

func TestBouncedRecipient_hardIsWhatTheAddressCauses(t *testing.T) {
	for _, test := range []struct {
		status, said string
		cause        automatic.Cause
		hard         bool
	}{
		{"5.1.1", "", automatic.UnknownUser, true},
		{"5.1.2", "", automatic.UnknownDomain, true},
		{"5.2.1", "smtp; 550 5.2.1 The email account that you tried to reach is disabled", automatic.UnknownUser, true},
		{"5.0.0", "smtp; 550 user unknown", automatic.UnknownUser, true},
		{"5.4.1", "smtp; 550 5.4.1 Recipient address rejected: Access denied", automatic.UnknownUser, true},
		{"5.7.1", "smtp; 550 5.7.1 No such user here", automatic.UnknownUser, true},
		{"5.4.4", "X-Postfix; Host or domain name not found. Name service error for name=example.com type=A: Host not found", automatic.UnknownDomain, true},
		{"5.1.10", "smtp; 556 5.1.10 Recipient address has null MX", automatic.UnknownDomain, true},
		{"5.0.0", "smtp; 554 something new", automatic.OtherCause, true},
		{"4.1.1", "smtp; 450 4.1.1 Recipient address rejected: User unknown", automatic.UnknownUser, false},
		{"4.4.3", "X-Postfix; Host or domain name not found. Name service error for name=example.com type=MX: Host not found, try again", automatic.Unreachable, false},
		{"", "x; example.com: host name lookup failure, unknown host", automatic.Unreachable, false},
		{"4.4.1", "X-Postfix; connect to mx.example.com[192.0.2.1]:25: Connection refused", automatic.Unreachable, false},
		{"4.4.7", "", automatic.Unreachable, false},
		{"5.2.2", "", automatic.MailboxFull, false},
		{"5.1.1", "smtp; 550 5.1.1 mailbox full", automatic.MailboxFull, false},
		{"5.0.0", "smtp; 552 user is over quota", automatic.MailboxFull, false},
		{"5.3.4", "", automatic.TooLarge, false},
		{"5.7.1", "", automatic.Refused, false},
		{"5.7.1", "smtp; 550 5.7.1 blocked using a list of spammers", automatic.Refused, false},
		{"5.7.26", "smtp; 550 5.7.26 This mail is unauthenticated: SPF and DKIM did not pass", automatic.Refused, false},
		{"5.1.8", "smtp; 501 5.1.8 Sender address rejected: Domain not found", automatic.Refused, false},
		{"4.2.0", "smtp; 450 4.2.0 Greylisted, see a page", automatic.Limited, false},
		{"5.4.6", "", automatic.RoutingLoop, false},
		{"5.7.1", "smtp; 554 5.7.1 Recipient address rejected: Access denied", automatic.UnknownUser, true},
		{"5.3.0", "smtp; 553 5.3.0 Unknown e-mail address", automatic.UnknownUser, true},
		{"5.1.1", "smtp; 550 5.7.1 IP address blacklisted by recipient", automatic.Refused, false},
		{"5.1.0", "smtp; 550 5.1.0 news@example.org sender rejected", automatic.Refused, false},
		{"5.6.0", "smtp; 550 5.6.0 Media error", automatic.Refused, false},
		{"5.0.0", "smtp; 554 Email address is not verified", automatic.Refused, false},
		{"5.0.0", "smtp; 550 no thanks (in reply to end of DATA command)", automatic.Refused, false},
		{"5.0.0", "smtp; 550 user unknown (in reply to end of DATA command)", automatic.UnknownUser, true},
		{"5.0.0", "smtp; 550 Relaying denied", automatic.Refused, false},
		{"5.0.0", "smtp; 550 jane@example.com is not a known user", automatic.UnknownUser, true},
		{"5.0.0", "smtp; 552 Quota violation for jane@example.com", automatic.MailboxFull, false},
		{"", "all hosts have been failing for a long time", automatic.Unreachable, false},
		{"5.0.0", "smtp; 550 El destinatario no existe", automatic.UnknownUser, true},
		{"5.0.0", "smtp; 550 Cette adresse est inconnue", automatic.UnknownUser, true},
		{"5.0.0", "smtp; 550 La casella è piena", automatic.MailboxFull, false},
		{"", "", automatic.OtherCause, false},
	} {
		got := reported(t, "failed", test.status, test.said, "")
		if got.Cause != test.cause || got.Hard != test.hard {
			t.Errorf("%s %q is %s, hard %v; want %s, %v", test.status, test.said, got.Cause, got.Hard, test.cause, test.hard)
		}
	}
	for _, action := range []string{"delayed", "Delayed (will retry)", "delivered", "relayed", "expanded"} {
		if got := reported(t, action, "5.1.1", "", ""); got.Hard || got.Action == automatic.Failed {
			t.Errorf("%s: %+v", action, got)
		}
	}
}

// Some servers report a general failure, and say in words what it was.
func TestBouncedRecipient_isExplainedByTheWordsOfTheReport(t *testing.T) {
	got := reported(t, "failed", "5.0.0", "", "Delivery has failed.\n\njane@example.com: Domain does not exist\n")
	if got.Cause != automatic.UnknownDomain || !strings.Contains(got.Diagnostic, "Domain does not exist") {
		t.Errorf("got %+v", got)
	}
	got = reported(t, "failed", "5.1.1", "smtp; 550 5.1.1 user unknown", "Delivery has failed.\n\njane@example.com: mailbox full\n")
	if got.Cause != automatic.UnknownUser || got.Diagnostic != "smtp; 550 5.1.1 user unknown" {
		t.Errorf("what the report says was replaced: %+v", got)
	}
}

// Makers begin the mail that they return with lines of their own, which say nothing of why it failed.
func TestBouncedRecipient_reasonEndsBeforeTheReturnedMail(t *testing.T) {
	const said = "<jane@example.com>: Sorry, no mailbox here by that name. (#5.1.1)"
	classify := func(line string) string {
		m := with("From: MAILER-DAEMON@mx.example.net")
		m.Text = "Hi. This is the qmail-send program at mx.example.net.\n\n<jane@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n" + line +
			"\n\nReturn-Path: <support@example.org>\nReceived: by mx.example.net\nMessage-ID: <sent-1@example.org>\n"
		v := automatic.Classify(m)
		if v.Kind != automatic.Bounce || len(v.Bounces) != 1 || !slices.Contains(v.OriginalMessageIDs, "sent-1@example.org") {
			t.Fatalf("%q: %+v", line, v)
		}
		return v.Bounces[0].Diagnostic
	}
	for _, line := range []string{
		"--- Below this line is a copy of the message.", "--- Enclosed is a copy of the message.", "------ This is a copy of the message, including all the headers. ------",
		"------ This is a copy of your message, including all headers. ------", "----- Original message -----", "-------original message", "-------original mail info", "--- Original message follows.",
		"Original message follows.", "Message headers follow.", "Below is a copy of the original message:", "Original Message:", "----- Unsent message follows -----", "------- Returned Message --------",
		"--- The header of the original message is following. ---", "Included is a copy of the message header:\n-----------------------------------------", "************* End of message *************",
	} {
		if got := classify(line); got != said {
			t.Errorf("%q: the reason is %q", line, got)
		}
	}
	for _, line := range []string{"The original message was too large.", "Original message size: 12345", "Giving up on 192.0.2.1."} {
		if got := classify(line); got != said+" "+line {
			t.Errorf("%q: the reason is %q", line, got)
		}
	}
}

// Without the beginning of its line, "wasn't delivered to" would be a delivery.
func TestBouncedRecipient_reasonBeginsWithTheLineThatNamesTheRecipient(t *testing.T) {
	m := with("From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "X-Failed-Recipients: jane@example.com")
	m.Text = "** Address not found **\n\nYour message wasn't delivered to jane@example.com because the address couldn't be found, or is unable to receive mail.\n"
	v := automatic.Classify(m)
	const said = "Your message wasn't delivered to jane@example.com because the address couldn't be found, or is unable to receive mail."
	if v.Kind != automatic.Bounce || len(v.Bounces) != 1 || v.Bounces[0].Diagnostic != said {
		t.Errorf("got %+v", v)
	}
}

func TestClassify_findsTheOriginalInWords(t *testing.T) {
	m := with("Content-Type: multipart/report; boundary=b", "In-Reply-To: <sent-2@example.org>", "References: <sent-0@example.org> <sent-2@example.org>")
	m.Reports = []message.Report{{Type: "message/feedback-report", Body: []byte("Feedback-Type: abuse\r\n")}}
	m.Text = "This is a report about the mail with the message-id of sent-1@example.org."
	if v := automatic.Classify(m); !slices.Equal(v.OriginalMessageIDs, []string{"sent-1@example.org", "sent-2@example.org", "sent-0@example.org"}) {
		t.Errorf("got %q", v.OriginalMessageIDs)
	}
}

func TestClassify_readsLinesThatEndLikeInMails(t *testing.T) {
	m := fixture(t, "qmail")
	m.Text = strings.ReplaceAll(m.Text, "\n", "\r\n")
	if v := automatic.Classify(m); len(v.Bounces) != 2 || v.Bounces[0].Address != jane || v.OriginalMessageIDs[0] != "sent-1@example.org" {
		t.Errorf("got %+v", v)
	}
}

func TestClassify_readsNoMoreThanTheBound(t *testing.T) {
	m := fixture(t, "qmail")
	m.Text = "Hi. This is the qmail-send program.\n" + strings.Repeat("x\n", 150_000) + m.Text
	if v := automatic.Classify(m); v.Kind != automatic.Bounce || len(v.OriginalMessageIDs) != 0 {
		t.Errorf("got %s, %q", v.Kind, v.OriginalMessageIDs)
	}
}
