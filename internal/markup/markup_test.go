package markup_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/markup"
)

const rel = ` rel="nofollow noopener noreferrer ugc" target="_blank"`

func TestMarkdown_isRendered(t *testing.T) {
	for written, want := range map[string]string{
		"a *b* **c** `d` ~~e~~":                 `<p dir="auto">a <em>b</em> <strong>c</strong> <code>d</code> <del>e</del></p>`,
		"a\nb":                                  "<p dir=\"auto\">a<br>\nb</p>",
		"# a\n\n###### b\n\n# c":                "<h3 dir=\"auto\">a</h3>\n<h4 dir=\"auto\">b</h4>\n<h3 dir=\"auto\">c</h3>",
		"- a\n- [x] b\n- [ ] c":                 "<ul dir=\"auto\">\n<li>a</li>\n<li>☑ b</li>\n<li>☐ c</li>\n</ul>",
		"3. a\n4. b":                            "<ol start=\"3\" dir=\"auto\">\n<li>a</li>\n<li>b</li>\n</ol>",
		"> a":                                   "<blockquote dir=\"auto\">\n<p>a</p>\n</blockquote>",
		"```go\nx < 1\n```":                     "<pre tabindex=\"0\"><code>x &lt; 1\n</code></pre>",
		"|a|b|\n|-|-:|\n|c|d|":                  "<table tabindex=\"0\" dir=\"auto\">\n<thead>\n<tr>\n<th>a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>c</td>\n<td align=\"right\">d</td>\n</tr>\n</tbody>\n</table>",
		"<b>a</b>\n\n<div>":                     "<p dir=\"auto\">&lt;b&gt;a&lt;/b&gt;</p>\n<p dir=\"auto\">&lt;div&gt;</p>",
		"![a](https://b.example/c.png) ![d](e)": `<p dir="auto"><a href="https://b.example/c.png"` + rel + `>a</a> d</p>`,
		"[a](/account) [b](#c)":                 `<p dir="auto">a b</p>`,
		"a@b.example":                           `<p dir="auto"><a href="mailto:a@b.example"` + rel + `>a@b.example</a></p>`,
		"see https://a.example/b?c=1&d=2.":      `<p dir="auto">see <a href="https://a.example/b?c=1&amp;d=2"` + rel + `>https://a.example/b?c=1&amp;d=2</a>.</p>`,
		"مرحبا":                                 `<p dir="auto">مرحبا</p>`,
	} {
		if got := strings.TrimSpace(string(markup.Markdown(written, markup.Options{}))); got != want {
			t.Errorf("%q is\n%s\nwant\n%s", written, got, want)
		}
	}
}

func TestText_keepsWhatWasWritten(t *testing.T) {
	for written, want := range map[string]string{
		"a *b*\r\n  c    d\te\n\n\nd":        "<p dir=\"auto\">a *b*<br>\n\u00a0\u00a0c\u00a0 \u00a0 d\u00a0 \u00a0 e</p>\n<p dir=\"auto\">d</p>",
		"<b>&amp;</b>":                       `<p dir="auto">&lt;b&gt;&amp;amp;&lt;/b&gt;</p>`,
		"(https://a.example/b), and":         `<p dir="auto">(<a href="https://a.example/b"` + rel + `>https://a.example/b</a>), and</p>`,
		"javascript:x ftp://a.example data:": `<p dir="auto">javascript:x ftp://a.example data:</p>`,
	} {
		if got := strings.TrimSpace(string(markup.Text(written, markup.Options{}))); got != want {
			t.Errorf("%q is\n%s\nwant\n%s", written, got, want)
		}
	}
}

func TestTicketNumbers_areLinksOutsideOfCodeAndLinks(t *testing.T) {
	o := markup.Options{Ticket: func(number string) string {
		if strings.HasPrefix(number, "HM-") {
			return "/t/" + number
		}
		return ""
	}}
	const link = `<a href="/t/HM-7Q2K9XM4TD">`
	for written, links := range map[string]int{
		"see HM-7Q2K9XM4TD.": 1, "HM-7Q2K9XM4TD HM-7Q2K9XM4TD": 2, "hm-7q2k9xm4td": 1, "(HM-7Q2K9XM4TD)": 1, "**HM-7Q2K9XM4TD**": 1,
		"`HM-7Q2K9XM4TD`": 0, "    HM-7Q2K9XM4TD": 0, "[HM-7Q2K9XM4TD](https://a.example)": 0, "https://a.example/HM-7Q2K9XM4TD": 0,
		"XY-7Q2K9XM4TD": 0, "AHM-7Q2K9XM4TD": 0, "HM-7Q2K9XM4TDA": 0, "A-HM-7Q2K9XM4TD": 0, "HM-7Q2K9XM4TD-1": 0, "HM-7Q2K9XM4T": 0,
	} {
		if got := strings.Count(string(markup.Markdown(written, o)), link); got != links {
			t.Errorf("%q has %d links, want %d", written, got, links)
		}
	}
	if out := string(markup.Mail(`<p>HM-7Q2K9XM4TD <code>HM-7Q2K9XM4TD</code></p>`, o)); strings.Count(out, link) != 1 {
		t.Errorf("in a mail: %s", out)
	}
	if out := markup.SanitizeMail("HM-7Q2K9XM4TD"); out != "HM-7Q2K9XM4TD" {
		t.Errorf("stored: %s", out)
	}
}

func TestMail_keepsWhatItSays(t *testing.T) {
	for mail, want := range map[string]string{
		`<html><head><title>x</title><style>p{}</style></head><body bgcolor=red><p class=MsoNormal><font color=red>a<o:p></o:p></font></p></body></html>`: `<div><p dir="auto">a</p></div>`,
		`<p>a<p>b<ul><li>c<li>d</ul>`:                                      `<p dir="auto">a</p><p dir="auto">b</p><ul dir="auto"><li>c</li><li>d</li></ul>`,
		`<table><td>a<td>b<tr><td>c</table>d`:                              `<table dir="auto"><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>d`,
		`<table><tr><td><table><tr><td>a</table><td>b</table>`:             `<table dir="auto"><tr><td><table><tr><td>a</td></tr></table></td><td>b</td></tr></table>`,
		`<details><summary>a</summary>b</details>`:                         `<details><summary dir="auto">a</summary>b</details>`,
		`<p dir=rtl>a</p><blockquote><p>b</blockquote>`:                    `<p dir="rtl">a</p><blockquote dir="auto"><p>b</p></blockquote>`,
		`a</td></div></p>b`:                                                `ab`,
		`<noscript>a</noscript><b>c`:                                       `a<b>c</b>`,
		`<a href="mailto:a@b.example">c</a><a href="/d">e</a>`:             `<a href="mailto:a@b.example"` + rel + `>c</a>e`,
		`<img src="cid:a@b" alt="c" width=10 height=20>`:                   `<img src="cid:a@b" alt="c" width="10" height="20">`,
		`<img src="https://a.example/b.png" alt="c" style="x:y">`:          `<img data-src="https://a.example/b.png" alt="c">`,
		`a<img src="https://a.example/b" width=1 height=1>`:                `a`,
		`a<img src="https://a.example/b" height="2px">`:                    `a`,
		`a<img src="https://a.example/b" style="display : none">`:          `a`,
		`a<img src="https://a.example/b" style="max-width:1px!important">`: `a`,
		`a<img src="data:image/png;base64,AAAA" alt=b>`:                    `ab`,
	} {
		if got := markup.SanitizeMail(mail); got != want {
			t.Errorf("%s is\n%s\nwant\n%s", mail, got, want)
		}
		if got := markup.SanitizeMail(markup.SanitizeMail(mail)); got != want {
			t.Errorf("%s twice is\n%s\nwant\n%s", mail, got, want)
		}
	}
}

func TestMail_loadsImagesOfOtherServersOnlyWhenAsked(t *testing.T) {
	stored := markup.SanitizeMail(`<img src="https://a.example/b.png" alt="c"><img src="cid:d@e" alt=f>`)
	if !markup.HasRemoteImages(stored) || markup.HasRemoteImages(markup.SanitizeMail(` data-src=x<img src="cid:d">`)) {
		t.Errorf("HasRemoteImages is wrong about %s", stored)
	}
	want := `<span class="remote-image" data-src="https://a.example/b.png">c</span>f`
	if got := string(markup.Mail(stored, markup.Options{})); got != want {
		t.Errorf("not asked for: %s", got)
	}
	want = `<img src="https://a.example/b.png" alt="c" loading="lazy" referrerpolicy="no-referrer"><img src="/files/d@e" alt="f">`
	o := markup.Options{RemoteImages: true, File: func(id string) string { return "/files/" + id }}
	if got := string(markup.Mail(stored, o)); got != want {
		t.Errorf("asked for: %s", got)
	}
}

func TestFold_hidesTheRestOfALongText(t *testing.T) {
	paragraph := strings.Repeat("word ", 100) + "\n\n"
	long, o := strings.Repeat(paragraph, 20), markup.Options{Fold: 3000}
	out := string(markup.Markdown(long, o))
	before, rest, folded := strings.Cut(out, `<details class="rest"><summary>Show all</summary>`)
	if !folded || strings.Count(before, "<p ") != 3 || strings.Count(rest, "<p ") != 17 || !strings.HasSuffix(rest, "</details>") {
		t.Errorf("it has %d paragraphs, then %d", strings.Count(before, "<p "), strings.Count(rest, "<p "))
	}
	if out := string(markup.Text(strings.Repeat("word ", 2000), o)); !strings.HasPrefix(out, `<details class="rest"><summary>word word`) {
		t.Errorf("one paragraph is not folded: %.200s", out)
	}
	for name, text := range map[string]string{"short": paragraph, "a little longer": strings.Repeat(paragraph, 6)} {
		if out := string(markup.Markdown(text, o)); strings.Contains(out, "<details") {
			t.Errorf("a text that is %s is folded", name)
		}
	}
}

func TestPlainText_readsWell(t *testing.T) {
	for written, want := range map[string]string{
		"a *b* **c** `d*` \\* &amp;":    "a b c d* * &",
		"# a\n\nb\nc":                   "a\n\nb\nc",
		"- a\n- b\n  - c\n\n1. d\n2. e": "- a\n- b\n  - c\n\n1. d\n2. e",
		"> a\n>\n> b":                   "> a\n>\n> b",
		"[a](https://b.example) <https://c.example> https://d.example": "a (https://b.example) https://c.example https://d.example",
		"```\na\n  b\n```":                       "a\n      b",
		"|a|b|\n|-|-|\n|c|d|":                    "a | b\nc | d",
		"- [x] a":                                "- ☑ a",
		"<b>a</b>":                               "<b>a</b>",
		"![a](https://b.example/c.png)":          "a (https://b.example/c.png)",
		"[https://a.example](https://a.example)": "https://a.example",
	} {
		if got := markup.PlainText(written); got != want {
			t.Errorf("%q is\n%s\nwant\n%s", written, got, want)
		}
	}
}

func TestEscape_showsWhatItWas(t *testing.T) {
	for _, text := range []string{
		"Ada", "a*b*c", "_a_ snake_case_x __b__", "[a](https://b.example)", "# a", "- a", "+ b", "1. c", "2) d", "---", "===", "<b>a</b>", "&amp; &", "a | b", "~~a~~", "`a`",
		`\*`, "1,000", "HM-7Q2K9XM4TD", "Mon 2 Jan 2006, 15:04 UTC", "O'Brien & Søn", "!", "![a](b)", ">a", "a\\", "*", "_",
	} {
		if got := markup.PlainText(markup.Escape(text)); got != text {
			t.Errorf("%q is shown as %q, by %q", text, got, markup.Escape(text))
		}
	}
	if got := markup.Escape("help_desk@a.example a-b"); got != "help_desk@a.example a-b" {
		t.Errorf("plain text is %q", got)
	}
}

func TestFromHTML_isMarkdown(t *testing.T) {
	for pasted, want := range map[string]string{
		`<h2>a</h2><p>b <b>c</b> <i>d</i><br>e</p>`:   "## a\n\nb **c** *d*  \ne",
		`<ul><li>a</li><li>b</li></ul>`:               "- a\n- b",
		`<a href="https://a.example">b</a>`:           "[b](https://a.example)",
		`<pre><code>a *b*</code></pre>`:               "```\na *b*\n```",
		`<blockquote>a</blockquote>`:                  "> a",
		`a *b* [c](javascript:d)`:                     `a \*b* \[c](javascript:d)`,
		`<img src="https://a.example/b.png" alt="c">`: "[c](https://a.example/b.png)",
		`<script>a</script><style>b</style>c`:         "c",
	} {
		if got := markup.FromHTML(pasted); got != want {
			t.Errorf("%s is\n%s\nwant\n%s", pasted, got, want)
		}
	}
	if got := markup.FromHTML(`<table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td>d</td></tr></table>`); strings.Count(got, "|") < 9 {
		t.Errorf("a table is\n%s", got)
	}
}
