package portal

import (
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type homeView struct {
	page.Layout
	Policy   *policy.Policy // nil: no policy is in force
	First    string         // targets in words
	Solution string
	Hours    []string
	Sent     currentPromises
}

// currentPromises are the deadlines of a ticket that is submitted now.
type currentPromises struct{ First, Resolution promise }

// Together reports whether both deadlines are the same instant.
func (s currentPromises) Together() bool {
	return s.First.Due.Equal(s.Resolution.Due) && s.First.Expected.Equal(s.Resolution.Expected)
}

func (p *Pages) currentPromises(v *page.Visit, inForce *policy.Policy, now time.Time) (s currentPromises, err error) {
	promised, err := p.desk.DeadlinesIfSubmitted(v.Context(), inForce, now)
	if err == nil {
		s.First, s.Resolution = newPromises(promised, ticket.StatusNew, now)
	}
	return s, err
}

// home shows visitors the targets of the policy in force. People who are signed in are redirected to their start page.
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
		view.First, view.Solution = inForce.DescribeTarget(policy.FirstResponse), inForce.DescribeTarget(policy.Resolution)
		view.Hours = inForce.DescribeHours()
		if view.Sent, err = p.currentPromises(v, inForce, view.Now); err != nil {
			return err
		}
	}
	return v.Show("home", view)
}

type noticeView struct {
	page.Layout
	Past []desk.Emergency // ended recently, latest first
}

// Closed reports whether an emergency of this kind pauses the clocks.
func (noticeView) Closed(kind ticket.EmergencyKind) bool { return kind == ticket.EmergencyClosed }

// Longer returns the extension of targets in words.
func (noticeView) Longer(by time.Duration) string { return policy.FormatHours(by) }

// LastDelay returns the delay of an emergency at its end.
func (noticeView) LastDelay(e desk.Emergency) time.Duration { return e.DelayAt(e.Until) }

// notice shows the texts of current and recent emergencies. The page can be linked to.
func (p *Pages) notice(v *page.Visit) error {
	view := noticeView{Layout: v.Layout("Notices", "/notice")}
	var err error
	if view.Past, err = v.PastNotices(view.Now.Add(-page.Remembered)); err != nil {
		return err
	}
	return v.Show("notice", view)
}
