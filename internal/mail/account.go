package mail

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
)

// accountView is the data of the templates of account mails, sanitized as in view.
type accountView struct {
	Subject    string
	Name       string // of the recipient; empty if they have not entered it themselves
	At         string // when the reported event happened
	URL, Until string // the link and when it expires; both may be empty
	Label      string // of a token, an address or an email
	Reason     string // why an email is in quarantine
	Writes     bool   // the token may write
	Site       string
	footer

	Notices []notice
}

// RenderAccount renders an account mail, with times relative to now. It fails for an unknown kind and without a policy.
func (r *Renderer) RenderAccount(mail account.Mail, now time.Time) (Message, error) {
	return r.render(accountTemplate(mail.Kind), mail.Policy, func() (any, *string, error) {
		v := accountView{
			Name: oneLine(mail.To.Name, maxName), At: formatTime(mail.At, now, mail.Policy.Zone), Label: oneLine(mail.Label, maxName), Writes: mail.Writes,
			Reason: oneLine(mail.Reason, 0),
			URL:    mail.URL, Until: formatTime(mail.Until, now, mail.Policy.Zone), Site: r.cfg.BaseURL + "/",
			footer:  newFooter(mail.Policy, r.cfg),
			Notices: newNotices(mail.Notices, now, mail.Policy.Zone),
		}
		return &v, &v.Subject, nil
	})
}

func accountTemplate(kind account.MailKind) string {
	return "templates/account/" + string(kind) + ".tmpl"
}
