package mail

import (
	"fmt"
	html "html/template"
	"strings"
	text "text/template"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// accountView is what the templates of accounts' mails see, cleaned like a view.
type accountView struct {
	Subject          string
	Name             string // of the recipient; empty when they have not told it themselves
	At               string // when what it reports happened
	URL, Until       string // the link and when it ends; both may be empty
	Label            string // of a token
	Writes           bool   // the token may
	Site             string
	Contact, Privacy string
	Policy, From     string
	Notices          []notice
}

// accountWords are the templates of one kind of mail, in both forms.
type accountWords struct {
	text *text.Template
	html *html.Template
}

// parseAccount parses the templates of accounts' mails and tries each of them once.
func (r *Renderer) parseAccount() error {
	r.accounts = map[account.Kind]accountWords{}
	for _, kind := range account.Kinds() {
		words := "templates/account/" + string(kind) + ".tmpl"
		asText, err := text.New("account.txt").Option("missingkey=error").ParseFS(templates, "templates/account.txt", words, noticeWords)
		if err != nil {
			return fmt.Errorf("parse text of mail %s: %w", kind, err)
		}
		asHTML, err := html.New("account.html").Option("missingkey=error").ParseFS(templates, "templates/account.html", words, noticeWords)
		if err != nil {
			return fmt.Errorf("parse HTML of mail %s: %w", kind, err)
		}
		r.accounts[kind] = accountWords{asText, asHTML}
		if _, err := r.RenderAccount(account.Letter{Kind: kind, URL: "x", Policy: &policy.Policy{Zone: time.UTC}}, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// RenderAccount writes a letter out, at a time. It fails for a kind that doesn't exist and for a letter without a policy.
func (r *Renderer) RenderAccount(l account.Letter, now time.Time) (Message, error) {
	words, known := r.accounts[l.Kind]
	if !known {
		return Message{}, fmt.Errorf("render mail: there is no kind %q", l.Kind)
	}
	if l.Policy == nil || l.Policy.Zone == nil {
		return Message{}, fmt.Errorf("render mail %s: the letter has no policy", l.Kind)
	}
	v := accountView{
		Name: oneLine(l.To.Name, maxName), At: moment(l.At, now, l.Policy.Zone), Label: oneLine(l.Label, maxName), Writes: l.Writes, URL: l.URL, Until: moment(l.Until, now, l.Policy.Zone), Site: r.cfg.BaseURL + "/",
		Contact: oneLine(l.Policy.Contact, 0), Privacy: oneLine(l.Policy.PrivacyURL, 0),
		Policy: oneLine(l.Policy.Name, 0), From: oneLine(r.cfg.From.Name, maxName),
		Notices: newNotices(l.Notices, now, l.Policy.Zone),
	}
	var subject, asText, asHTML strings.Builder
	if err := words.text.ExecuteTemplate(&subject, "subject", v); err != nil {
		return Message{}, fmt.Errorf("render subject of mail %s: %w", l.Kind, err)
	}
	v.Subject = subject.String()
	if err := words.text.Execute(&asText, v); err != nil {
		return Message{}, fmt.Errorf("render text of mail %s: %w", l.Kind, err)
	}
	if err := words.html.Execute(&asHTML, v); err != nil {
		return Message{}, fmt.Errorf("render HTML of mail %s: %w", l.Kind, err)
	}
	return Message{Subject: v.Subject, Text: asText.String(), HTML: asHTML.String()}, nil
}

// composeAccount writes a letter out with its headers, like compose. Such mails make no thread: a mailbox that folded
// them would hide the one that counts.
func composeAccount(r *Renderer, l account.Letter, now time.Time) (parcel, error) {
	headers := func(m *gomail.Msg) {
		m.SetGenHeader(gomail.HeaderMessageID, AccountID(l.ID, r.cfg.Domain))
		m.SetGenHeader("Auto-Submitted", "auto-generated")
		m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
		m.SetGenHeader(gomail.HeaderContentLang, "en")
	}
	return pack(r, l.To, now, string(l.Kind), headers, func() (Message, error) { return r.RenderAccount(l, now) })
}

// AccountID is the Message-ID of an account's mail, the same however often it is sent.
func AccountID(id int64, domain string) string {
	return fmt.Sprintf("<account.%d@%s>", id, domain)
}
