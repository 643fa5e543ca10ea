package inbound_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/inbound/quote"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/markup"
)

const redactSite = "http://127.0.0.1:18080"

// secrets of a desk, and what its emails contain.
type secretMail struct {
	redactor                        inbound.Redactor
	token, file, escalation, signIn string
	reply, address, messageID       string
}

func newSecretMail(t *testing.T) secretMail {
	t.Helper()
	key := []byte(strings.Repeat("k", 32))
	var m secretMail
	m.redactor = inbound.NewRedactor(redactSite, inbound.Addresses{"support@desk.example": "", "orders@desk.example": ""}, link.Secrets{Links: key, Replies: key})
	grant := link.Grant{Number: "HM-7Q2K9XM4TD", Person: "P-0123456789", Expires: time.Date(2026, 12, 23, 10, 0, 0, 0, time.UTC)}
	m.token, m.escalation = link.New(key, grant), link.NewEscalation(key, grant)
	grant.Number = "F-0123456789ABCDEFGHJKMNPQRS"
	m.file = link.NewFile(key, grant)
	m.signIn = "ABCDEFGHIJKLMNOPQRSTUVWX23" + "0123456789abcdefghijklmnopqrstuvwxyz-_ABCDE"
	var err error
	if m.reply, err = link.ReplyToken(key, link.Reply{Number: "HM-7Q2K9XM4TD", Person: "P-0123456789", Issued: grant.Expires}); err != nil {
		t.Fatal(err)
	}
	if m.address, err = link.ReplyAddress("support@desk.example", m.reply); err != nil {
		t.Fatal(err)
	}
	m.messageID = "hm-7q2k9xm4td.3." + link.MessageIDMAC(key, "HM-7Q2K9XM4TD", 3, 0) + "@desk.example"
	return m
}

// remains reports whether so much of a token remains in a text that its rest could be guessed, however it is spelled there.
func remains(text, token string) bool {
	text = strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \r\n\t>=\u200b\u00ad|", r) {
			return -1
		}
		return r
	}, text))
	token = strings.ToLower(token)
	for i := 0; i+16 <= len(token); i++ {
		if strings.Contains(text, token[i:i+16]) {
			return true
		}
	}
	return false
}

// broken returns a text with something between every few characters.
func broken(text, by string, every int) string {
	var b strings.Builder
	for i := 0; i < len(text); i += every {
		if i > 0 {
			b.WriteString(by)
		}
		b.WriteString(text[i:min(i+every, len(text))])
	}
	return b.String()
}

// elements counts tags, but for those of links, which lead nowhere without an address.
func elements(page string) int {
	return strings.Count(page, "<") - strings.Count(page, "<a ") - strings.Count(page, "</a>")
}

// spellings are the ways in which links and addresses arrived that mail programs and gateways had changed.
func (m secretMail) spellings() map[string][2]string {
	proofpoint := strings.NewReplacer("-", "-2D", "_", "-5F", ":", "-3A", "/", "_").Replace
	page := redactSite + "/c/" + m.token
	return map[string][2]string{ // the text, and what may not remain of it
		"as sent":               {page, m.token},
		"a file":                {redactSite + "/f/" + m.file, m.file},
		"an escalation":         {redactSite + "/e/" + m.escalation, m.escalation},
		"a sign-in":             {redactSite + "/link/" + m.signIn, m.signIn},
		"another scheme":        {"https://127.0.0.1:18080/c/" + m.token, m.token},
		"no scheme":             {"127.0.0.1:18080/c/" + m.token, m.token},
		"another host":          {"http://localhost:18080/c/" + m.token, m.token},
		"a path":                {"/c/" + m.token, m.token},
		"two slashes":           {redactSite + "//c//" + m.token, m.token},
		"a token":               {m.token, m.token},
		"encoded":               {"https://gateway.example/?u=" + url.QueryEscape(page) + "&data=05", m.token},
		"encoded twice":         {"https://gateway.example/?u=" + url.QueryEscape(url.QueryEscape(page)), m.token},
		"encoded thrice":        {"https://gateway.example/?u=" + url.QueryEscape(url.QueryEscape(url.QueryEscape(page))), m.token},
		"each sign encoded":     {strings.NewReplacer("-", "%2D", "_", "%5F", "A", "%41").Replace(page), strings.NewReplacer("-", "%2D", "_", "%5F", "A", "%41").Replace(m.token)},
		"SafeLinks":             {"https://eur01.safelinks.protection.outlook.com/?url=" + url.QueryEscape(page) + "&data=05%7C01%7C&reserved=0", m.token},
		"Proofpoint 2":          {"https://urldefense.proofpoint.com/v2/url?u=" + proofpoint(page) + "&d=DwMFaQ&c=euGZstc", proofpoint(m.token)},
		"Proofpoint 3":          {"https://urldefense.com/v3/__" + page + "__;!!ABCdef$", m.token},
		"a break after /c/":     {redactSite + "/c/\n" + m.token, m.token},
		"broken by lines":       {broken(page, "\n", 60), m.token},
		"broken in a quotation": {"> " + broken(page, "\n> > ", 50), m.token},
		"broken by an equals":   {broken(page, "=\n", 70), m.token},
		"broken by equals":      {broken(page, "=", 20), m.token},
		"broken by spaces":      {broken(page, " ", 30), m.token},
		"broken by no width":    {broken(page, "\u200b", 25), m.token},
		"broken by soft hyphen": {broken(page, "\u00ad", 25), m.token},
		"quoted-printable":      {strings.NewReplacer("-", "=2D", "_", "=5F", "/", "=2F").Replace(page), strings.NewReplacer("-", "=2D", "_", "=5F").Replace(m.token)},
		"references":            {strings.NewReplacer("-", "&#45;", "_", "&#x5f;").Replace(page), strings.NewReplacer("-", "&#45;", "_", "&#x5f;").Replace(m.token)},
		"with a name in it":     {broken(page, "\nCarla> ", 60), m.token},
		"a character missing":   {page[:70] + page[71:], m.token},
		"the end missing":       {page[:len(page)-9], m.token},
		"the beginning changed": {redactSite + "/c/x" + m.token[3:], m.token[3:]},
		"an address":            {m.address, m.reply},
		"in capitals":           {strings.ToUpper(m.address), m.reply},
		"an address encoded":    {"mailto:" + url.QueryEscape(m.address), m.reply},
		"an address in lines":   {"> " + broken(m.address, "\n> ", 30), m.reply},
		"an address in spaces":  {broken(m.address, " ", 12), m.reply},
		"an address truncated":  {m.address[:36], m.reply},
		"of another mailbox":    {"help+" + m.reply + "@other.example", m.reply},
		"the token of one":      {m.reply, m.reply},
		"a Message-ID":          {"Message-ID: <" + m.messageID + ">", m.messageID[:34]},
	}
}

func TestRedact_findsWhatIsSecretHoweverItIsSpelled(t *testing.T) {
	m := newSecretMail(t)
	for name, s := range m.spellings() {
		text := "Thank you, Ms Agent.\nOpen it: " + s[0] + "\n\nMy order is HM-7Q2K9XM4TD, number 4711, and unfortunately it is late.\n"
		got := m.redactor.Redact(text)
		if remains(got, s[1]) || !strings.Contains(got, "removed]") {
			t.Errorf("%s: %q becomes %q", name, text, got)
		}
		if !strings.HasPrefix(got, "Thank you, Ms Agent.\nOpen it: ") || !strings.HasSuffix(got, "My order is HM-7Q2K9XM4TD, number 4711, and unfortunately it is late.\n") {
			t.Errorf("%s: what was written is gone: %q", name, got)
		}
		if !m.redactor.Ours(text) {
			t.Errorf("%s: it is not of the desk", name)
		}
	}
}

func TestRedactHTML_findsWhatIsSecretInTextAndAttributes(t *testing.T) {
	m := newSecretMail(t)
	for name, s := range m.spellings() {
		for form, page := range map[string]string{
			"in a link": `<p>Thanks. <a href="` + strings.ReplaceAll(s[0], "\n", "") + `">Open it</a></p><p>It is late.</p>`,
			"as text":   `<p>Thanks. Open it: ` + strings.ReplaceAll(s[0], ">", "&gt;") + `</p><p>It is late.</p>`,
			"as alt":    `<p>Thanks. Open it<img src="cid:x" alt="` + s[0] + `"></p><p>It is late.</p>`,
			"quoted":    `<p>Thanks.</p><blockquote type="cite">Open it <b>` + strings.ReplaceAll(s[0], ">", "&gt;") + `</b></blockquote><p>It is late.</p>`,
		} {
			got := m.redactor.RedactHTML(markup.SanitizeMail(quote.FoldHTML(page, quote.Options{})))
			if remains(got, s[1]) || !strings.Contains(got, "Thanks.") || !strings.Contains(got, "Open it") || !strings.Contains(got, "It is late.") {
				t.Errorf("%s, %s: %q", name, form, got)
			}
			if again := markup.SanitizeMail(got); elements(again) != elements(got) {
				t.Errorf("%s, %s: not well nested: %q", name, form, got)
			}
		}
	}
	page := `<p>Open <span dir="ltr"><a href="https://gateway.example/">` + m.token[:30] + `<wbr>` + m.token[30:60] + `</a></span><br>` + m.token[60:] + `, please</p>`
	if got := m.redactor.RedactHTML(markup.SanitizeMail(page)); remains(got, m.token) || elements(got) != elements(markup.SanitizeMail(page)) || !strings.Contains(got, ", please") {
		t.Errorf("across elements: %q", got)
	}
}

func TestRedact_leavesEverythingElse(t *testing.T) {
	m := newSecretMail(t)
	for _, text := range []string{
		"", "The FAQ AAAA says: see https://shop.example/c/blog and /c/Users, or http://127.0.0.1:18080/t/HM-7Q2K9XM4TD.",
		"support@desk.example, support+newsletter@desk.example, HM-7Q2K9XM4TD, F-0123456789ABCDEFGHJKMNPQRS",
		"PLEASE HELP ME WITH MY ORDER AS SOON AS POSSIBLE BECAUSE IT HAS NOT ARRIVED AND I AM WAITING FOR IT",
		"1234 5678 9012 3456 7890 1234 5678 9012 3456 7890 1234 5678", "100%25 = 100 % \u200b done > no", "sha256: " + strings.Repeat("0a1b2c3d", 8),
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7yXn5a0G0f2Vt5T2W1bq6Y2cWQh6v3 me@host", strings.Repeat("h0", 5000),
		"<abc.def@mail.example> <hm-7q2k9xm4td.3@desk.example>",
	} {
		if got := m.redactor.Redact(text); got != text {
			t.Errorf("%.200q becomes %.200q", text, got)
		}
		if sanitized := markup.SanitizeMail(`<p title="x">` + text + `</p>`); m.redactor.RedactHTML(sanitized) != sanitized {
			t.Errorf("%.200q becomes %.200q", sanitized, m.redactor.RedactHTML(sanitized))
		}
	}
}

func TestOurs_recognizesEmailsToStaffWithoutSecrets(t *testing.T) {
	m := newSecretMail(t)
	const page = redactSite + "/desk/tickets/HM-7Q2K9XM4TD"
	for _, text := range []string{
		page, "https://gateway.example/?u=" + url.QueryEscape(page), "https://gateway.example/?u=" + url.QueryEscape(url.QueryEscape(page)),
		"https://urldefense.proofpoint.com/v2/url?u=http-3A__127.0.0.1-3A18080_desk_tickets_HM-2D7Q2K9XM4TD&d=x", "http://localhost/desk/tickets/HM-7Q2K9XM4TD",
		"http://127.0.0.1:18080/supervi=\nsion", "> Reply to this email\n> to add an internal note.",
	} {
		if !m.redactor.Ours(text) {
			t.Errorf("%q is not of the desk", text)
		}
	}
	template, err := os.ReadFile("../mail/templates/replies.tmpl")
	if err != nil || !strings.Contains(string(template), inbound.StaffReplies) {
		t.Errorf("emails to staff do not contain %q: %v", inbound.StaffReplies, err)
	}
	if m.redactor.Ours("It is at http://127.0.0.1:18080/t/HM-7Q2K9XM4TD, on your desk.") {
		t.Error("what is public is of the desk")
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("a %2525 &#45; =3D <a href=\"x\">AQAAAA</a>")
	f.Fuzz(func(t *testing.T, text string) {
		key := []byte("k")
		r := inbound.NewRedactor(redactSite, inbound.Addresses{"support@desk.example": ""}, link.Secrets{Links: key, Replies: key})
		once := r.Redact(text)
		if once != text && r.Redact(text+" ") == text+" " {
			t.Errorf("%q", text)
		}
		r.RedactHTML(markup.SanitizeMail(text))
	})
}
