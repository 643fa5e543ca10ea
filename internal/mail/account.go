package mail

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// accountView is the data of the templates of account mails, sanitized as in view.
type accountView struct {
	Subject    string
	Name       string // of the recipient; empty if they have not entered it themselves
	At         string // when the reported event happened
	URL, Until string // the link and when it expires; both may be empty
	Label      string // of a token
	Writes     bool   // the token may write
	Site       string
	footer

	Notices []notice
}

// parseAccount parses the templates of account mails and executes each once.
func (r *Renderer) parseAccount() (err error) {
	r.accounts = map[account.MailKind]templatePair{}
	for _, kind := range account.MailKinds() {
		if r.accounts[kind], err = parseTemplates("templates/account", "templates/account/"+string(kind)+".tmpl"); err != nil {
			return fmt.Errorf("mail %s: %w", kind, err)
		}
		if _, err := r.RenderAccount(account.Mail{Kind: kind, URL: "x", Policy: &policy.Policy{Zone: time.UTC}}, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// RenderAccount renders an account mail, with times relative to now. It fails for an unknown kind and without a policy.
func (r *Renderer) RenderAccount(mail account.Mail, now time.Time) (Message, error) {
	pair, known := r.accounts[mail.Kind]
	if !known {
		return Message{}, fmt.Errorf("render mail: there is no kind %q", mail.Kind)
	}
	if mail.Policy == nil || mail.Policy.Zone == nil {
		return Message{}, fmt.Errorf("render mail %s: it has no policy", mail.Kind)
	}
	v := accountView{
		Name: oneLine(mail.To.Name, maxName), At: formatTime(mail.At, now, mail.Policy.Zone), Label: oneLine(mail.Label, maxName), Writes: mail.Writes,
		URL: mail.URL, Until: formatTime(mail.Until, now, mail.Policy.Zone), Site: r.cfg.BaseURL + "/",
		footer:  newFooter(mail.Policy, r.cfg),
		Notices: newNotices(mail.Notices, now, mail.Policy.Zone),
	}
	m, err := pair.execute(&v, &v.Subject)
	if err != nil {
		return Message{}, fmt.Errorf("render mail %s: %w", mail.Kind, err)
	}
	return m, nil
}
