package mail

import (
	"fmt"
	"time"

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

// parseAccount parses the templates of accounts' mails and tries each of them once.
func (r *Renderer) parseAccount() (err error) {
	r.accounts = map[account.MailKind]words{}
	for _, kind := range account.MailKinds() {
		if r.accounts[kind], err = parseWords("templates/account", "templates/account/"+string(kind)+".tmpl"); err != nil {
			return fmt.Errorf("mail %s: %w", kind, err)
		}
		if _, err := r.RenderAccount(account.Mail{Kind: kind, URL: "x", Policy: &policy.Policy{Zone: time.UTC}}, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// RenderAccount writes a letter out, at a time. It fails for a kind that doesn't exist and for a letter without a policy.
func (r *Renderer) RenderAccount(l account.Mail, now time.Time) (Message, error) {
	words, known := r.accounts[l.Kind]
	if !known {
		return Message{}, fmt.Errorf("render mail: there is no kind %q", l.Kind)
	}
	if l.Policy == nil || l.Policy.Zone == nil {
		return Message{}, fmt.Errorf("render mail %s: the letter has no policy", l.Kind)
	}
	v := accountView{
		Name: oneLine(l.To.Name, maxName), At: moment(l.At, now, l.Policy.Zone), Label: oneLine(l.Label, maxName), Writes: l.Writes,
		URL: l.URL, Until: moment(l.Until, now, l.Policy.Zone), Site: r.cfg.BaseURL + "/",
		Contact: oneLine(l.Policy.Contact, 0), Privacy: oneLine(l.Policy.PrivacyURL, 0),
		Policy: oneLine(l.Policy.Name, 0), From: oneLine(r.cfg.From.Name, maxName),
		Notices: newNotices(l.Notices, now, l.Policy.Zone),
	}
	m, err := words.write(&v, &v.Subject)
	if err != nil {
		return Message{}, fmt.Errorf("render mail %s: %w", l.Kind, err)
	}
	return m, nil
}

// composeAccount writes a letter out with its headers, like compose. Such mails make no thread: a mailbox that folded
// them would hide the one that counts.
func composeAccount(r *Renderer, l account.Mail, now time.Time) (outgoing, error) {
	h := headers{messageID: AccountID(l.ID, r.cfg.Domain)}
	return pack(r, l.To, now, h, func() (Message, error) { return r.RenderAccount(l, now) })
}
