package inbound_test

import (
	"html"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/markup"
	"github.com/holesalemart/supportdesk/internal/markup/markuptest"
)

var htmlHeader = []string{"Content-Type: text/html; charset=utf-8"}

// alternative returns a letter with a text in both forms.
func alternative(text, page string) letter {
	return letter{
		headers: []string{"MIME-Version: 1.0", "Content-Type: multipart/alternative; boundary=b"},
		body:    "--b\nContent-Type: text/plain; charset=utf-8\n\n" + text + "\n--b\nContent-Type: text/html; charset=utf-8\n\n" + page + "\n--b--\n",
	}
}

// answer has Anna answer the requester with a letter, and returns the result and the entry.
func (c *conversation) answer(l letter) (desk.IncomingResult, desk.Entry) {
	c.t.Helper()
	l.from, l.to, l.subject = anna, c.token(c.n, c.agent.ID, true), "Re"
	return c.process(l), c.last()
}

const quotedNotice = `<blockquote type="cite"><p>Secret note</p><a href="https://help.desk.example/desk/tickets/HM-0000000000">Open the ticket</a></blockquote>`

func TestFormatted_anAgentsAnswerKeepsItsFormatting(t *testing.T) {
	t.Parallel()
	c := openConversation(t)
	for name, l := range map[string]struct {
		letter
		want string
	}{
		"HTML alone": {letter{headers: htmlHeader, body: `<p>It is <b>found</b>.</p><ul><li>the jug</li><li>the lid</li></ul><p>See <a href="https://shop.example/track?a=1">the page</a>.</p>`},
			"It is **found**.\n\n- the jug\n- the lid\n\nSee [the page](https://shop.example/track?a=1)."},
		"with hidden words": {letter{headers: htmlHeader, body: `<p>It is <b>found</b>.</p><p style="display:none">Secret note</p>`}, "It is **found**."},
		"with a quotation": {letter{headers: htmlHeader, body: `<p>It is <b>found</b>.</p><div>On Mon, 23 Nov 2026 at 10:00, Support &lt;support@desk.example&gt; wrote:<br></div>` + quotedNotice},
			"It is **found**."},
		"as Gmail writes": {alternative("It is *found*.\n\n   1. the jug\n   2. the lid\n\nSee the page <https://shop.example/track?a=1>.\n\nOn Mon, 23 Nov 2026 at 10:00, Support <support@desk.example> wrote:\n> Secret note\n",
			`<div dir="ltr"><div>It is <b>found</b>.</div><ol><li>the jug</li><li>the lid</li></ol><div>See <a href="https://shop.example/track?a=1">the page</a>.</div></div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, 23 Nov 2026 at 10:00, Support &lt;<a href="mailto:support@desk.example">support@desk.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote">Secret note</blockquote></div>`),
			"It is **found**.\n\n1. the jug\n2. the lid\n\nSee [the page](https://shop.example/track?a=1)."},
	} {
		r, e := c.answer(l.letter)
		if r.Status != desk.IncomingAccepted || e.Body != l.want || e.Format != desk.FormatMarkdown || e.HTML != "" {
			t.Errorf("%s: %+v, %s %q, HTML %q, want %q", name, r, e.Format, e.Body, e.HTML, l.want)
		}
	}
}

// Where the HTML says anything that the text does not say, it may be something that was quoted.
func TestFormatted_anAnswerWhoseHTMLSaysMoreIsPlain(t *testing.T) {
	t.Parallel()
	c := openConversation(t)
	const wrote = "It is found.\n\nOn Mon, 23 Nov 2026 at 10:00, Support <support@desk.example> wrote:\n> Secret note\n"
	for name, page := range map[string]string{
		"a quotation that is not one in HTML": `<p>It is <b>found</b>.</p><p>Secret note</p>`,
		"in a title":                          `<p>It is <b>found</b>.</p><img alt="Secret note" src="https://x.example/1.png" width="90" height="90">`,
		"other words":                         `<p>It is <b>lost</b>.</p>`,
		"nothing":                             ``,
		"details of its own":                  `<details><summary>It is</summary>found.</details>`,
		"a stray end":                         `<p>It is found.</p></details></details><p>Secret note</p>`,
	} {
		r, e := c.answer(alternative(wrote, page))
		if r.Status != desk.IncomingAccepted || e.Body != "It is found." || e.Format != desk.FormatText || e.HTML != "" {
			t.Errorf("%s: %+v, %s %q, HTML %q", name, r, e.Format, e.Body, e.HTML)
		}
	}
}

// However a link of an email to staff, or a token, is spelled in the HTML of an answer, it does not reach the requester.
func TestFormatted_nothingSecretReachesTheRequester(t *testing.T) {
	t.Parallel()
	m := newSecretMail(t)
	for name, s := range m.spellings() {
		flat := strings.ReplaceAll(s[0], "\n", "")
		for form, l := range map[string]letter{
			"in a link":                 {headers: htmlHeader, body: `<p>Here it <a href="` + flat + `">is</a></p>`},
			"in a link beside its text": alternative("Here it is", `<p>Here it <a href="`+flat+`">is</a></p>`),
			"as text":                   {headers: htmlHeader, body: `<p>Here it is: <b>` + strings.ReplaceAll(s[0], ">", "&gt;") + `</b></p>`},
			"between formatted nothing": {headers: htmlHeader, body: `<p>Here it is: ` + pieces(flat, "<b></b>") + `</p>`},
			"in bold pieces":            {headers: htmlHeader, body: `<p>Here it is: <b>` + pieces(flat, "</b><b>") + `</b></p>`},
			"in pieces of code":         {headers: htmlHeader, body: `<p>Here it is: <code>` + pieces(flat, "</code> <code>") + `</code></p>`},
		} {
			answer, err := m.redactor.Answer(t.Context(), strings.Join(l.headers, "\r\n")+"\r\n\r\n"+l.body)
			if err != nil {
				t.Fatal(err)
			}
			if remains(answer.Body+answer.HTML, s[1]) && !answer.QuotesUs {
				t.Errorf("%s, %s: sent to the requester: %q", name, form, answer.Body)
			}
		}
	}
}

// pieces returns a text as HTML with something between every few characters.
func pieces(text, between string) string {
	var b strings.Builder
	for i, r := range []rune(text) {
		if i > 0 && i%9 == 0 {
			b.WriteString(between)
		}
		b.WriteString(html.EscapeString(string(r)))
	}
	return b.String()
}

func TestFormatted_noAttackSurvivesInAnAnswer(t *testing.T) {
	t.Parallel()
	m := newSecretMail(t)
	formatted := 0
	for _, attack := range markuptest.Attacks() {
		for _, l := range []letter{
			{headers: htmlHeader, body: "<p>It is <b>found</b>.</p>" + attack.Text}, alternative(attack.Text, attack.Text), alternative("It is found.", "<p>It is <b>found</b>.</p>"+attack.Text),
		} {
			a, err := m.redactor.Answer(t.Context(), strings.Join(l.headers, "\r\n")+"\r\n\r\n"+strings.ReplaceAll(l.body, "\n", "\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			if a.Format == desk.FormatMarkdown {
				formatted++
			}
			shown := string(markup.Message(a.Body, a.Format == desk.FormatMarkdown, markup.Options{}))
			for _, fault := range markuptest.Faults(shown) {
				t.Errorf("%s: %s in %.500s", attack.Name, fault, shown)
			}
		}
	}
	if formatted == 0 {
		t.Error("no answer is formatted")
	}
}
