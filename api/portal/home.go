package portal

import (
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

type homeView struct {
	page.Layout
	Policy   *policy.Policy // nil while nothing is promised yet
	First    string         // the promises in words
	Solution string
	Hours    []string
	Promises policy.Promises // of a ticket sent now
}

// home shows visitors what this desk promises; who has signed in is led to their own start.
func (p *Pages) home(v *page.Visit) error {
	switch {
	case v.Person.Role.Staff():
		return v.Redirect("/desk")
	case v.SignedIn():
		return v.Redirect("/dashboard")
	}
	view := homeView{Layout: v.Layout("How can we help?", "/")}
	_, inForce, _, err := p.desk.PolicyInForce(v.Context())
	if err != nil && fault.KindOf(err) != fault.Unavailable {
		return err
	}
	if err == nil {
		view.Policy = inForce
		view.First, view.Solution = inForce.InOneLine(policy.FirstResponse), inForce.InOneLine(policy.Resolution)
		view.Hours = inForce.HoursInWords()
		if view.Promises, err = inForce.Promise(time.Now(), policy.PriorityNormal); err != nil {
			return err
		}
	}
	return v.Show("home", view)
}
