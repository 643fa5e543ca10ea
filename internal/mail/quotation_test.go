package mail_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/quote"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func quoted(text string) string {
	return "> " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n> ")
}

// Answers to our emails as mail programs write them around what they quote.
func TestRender_isFoldedWhereItIsQuoted(t *testing.T) {
	r := newRenderer(t)
	const address = "Holesalemart Support <support@holesalemart.example>"
	for name, l := range goldenMails() {
		m, err := r.Render(l)
		if err != nil {
			t.Fatal(err)
		}
		const answer = "Thank you, it works now."
		outlook := "\n\n________________________________\nFrom: " + address + "\nSent: Monday, November 23, 2026 10:23\nTo: Demo Customer\nSubject: " + m.Subject + "\n\n"
		for program, text := range map[string]string{
			"Gmail":   answer + "\n\nOn Mon, Nov 23, 2026 at 10:23 AM " + address + " wrote:\n\n" + quoted(m.Text),
			"Apple":   answer + "\n\n> On 23 Nov 2026, at 10:23, " + address + " wrote:\n> \n" + quoted(m.Text),
			"Outlook": answer + outlook + m.Text,
		} {
			shown := ""
			for _, s := range quote.SplitText(text, quote.Options{}) {
				if !s.Folded() {
					shown += s.Text
				}
			}
			if strings.TrimSpace(shown) != answer {
				t.Errorf("%s answered with %s: shown is\n%s", name, program, shown)
			}
		}
		_, body, _ := strings.Cut(m.HTML, "<body")
		for program, source := range map[string]string{
			"Gmail": `<div dir="ltr">` + answer + `</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Nov 23, 2026 at 10:23 AM Holesalemart Support &lt;<a href="mailto:support@holesalemart.example">support@holesalemart.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex"><div` +
				strings.TrimSuffix(body, "</body>\n</html>") + `</blockquote></div>`,
			"Apple": `<html><body>` + answer + `<br><div><blockquote type="cite"><div>On 23 Nov 2026, at 10:23, Holesalemart Support &lt;support@holesalemart.example&gt; wrote:</div><br><div><div` +
				strings.TrimSuffix(body, "</body>\n</html>") + `</div></blockquote></div></body></html>`,
		} {
			folded := quote.FoldHTML(source, quote.Options{})
			before, _, _ := strings.Cut(folded, "<details")
			_, after, _ := strings.Cut(folded, "</details>")
			if shown := visible(parseHTML(t, before+after)); shown != answer {
				t.Errorf("%s answered with %s: shown is\n%s", name, program, shown)
			}
		}
	}
}

func TestRender_quotesTheBeginningOfTheMessageThatIsAnswered(t *testing.T) {
	r := newRenderer(t)
	at := time.Date(2026, 11, 21, 10, 23, 45, 0, time.UTC)
	for name, tt := range map[string]struct {
		kind ticket.MailKind
		body string
		want string // lines of the quotation; empty: none
	}{
		"what it forwards":   {ticket.MailReply, "see\n\nFrom: Ann <ann@x.example>\nSent: Monday\nTo: Bob\nSubject: x\n\nHello", "> see\n>\n> From: Ann <ann@x.example>\n> Sent: Monday\n> To: Bob\n> Subject: x\n>\n> Hello\n"},
		"all":                {ticket.MailReply, "one\n\ntwo", "> one\n>\n> two\n"},
		"without its quote":  {ticket.MailReply, "one\n\nOn Mon, Nov 23, 2026 at 10:23 AM A Desk <a@desk.example> wrote:\n> earlier", "> one\n"},
		"twenty lines":       {ticket.MailReply, strings.Repeat("line\n", 21), strings.Repeat("> line\n", 20) + "> …\n"},
		"1,500 bytes":        {ticket.MailReply, strings.Repeat("é", 5000), "> " + strings.Repeat("é", 750) + "…\n"},
		"nothing":            {ticket.MailReply, "", ""},
		"no answer of staff": {ticket.MailProgress, "one", ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := sampleMail(tt.kind)
			l.Quoted = desk.Quoted{Body: tt.body, Author: "Demo Customer", At: at, Forward: strings.Contains(name, "forwards")}
			m, err := r.Render(l)
			if err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(m.Text, "Demo Customer wrote on Sat 21 Nov 2026, 10:23 UTC:\n")
			got, _, _ = strings.Cut(got, "\nKind regards")
			if got != tt.want || !utf8.ValidString(m.Text) || strings.Contains(m.HTML, "<blockquote") != (tt.want != "") {
				t.Errorf("quoted is\n%s", got)
			}
		})
	}
}

// Formatted messages are quoted as text: what is quoted is cut, and Markdown that is cut may mean something else.
func TestRender_quotesMarkdownWithoutItsMarks(t *testing.T) {
	data := sampleMail(ticket.MailReply)
	data.Quoted = desk.Quoted{Body: "See the **file**, and:\n\n- one\n- two", Format: desk.FormatMarkdown, Author: "Demo Customer", At: data.At, Own: true}
	m, err := newRenderer(t).Render(data)
	if err != nil {
		t.Fatal(err)
	}
	for part, text := range map[string]string{"text": m.Text, "HTML": m.HTML} {
		_, quotation, found := strings.Cut(text, "You wrote")
		if !found || !strings.Contains(quotation, "See the file, and:") {
			t.Errorf("%s: %s", part, quotation)
		}
	}
}
