package portal

import (
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type noticeView struct {
	page.Layout
	Past []desk.Emergency // that ended not long ago, the latest first
}

// Closed reports whether an emergency stopped the clocks.
func (noticeView) Closed(kind ticket.EmergencyKind) bool { return kind == ticket.EmergencyClosed }

// Longer is how much longer targets are, in words.
func (noticeView) Longer(by time.Duration) string { return policy.FormatHours(by) }

// LastDelay is how much longer a delay made targets in the end.
func (noticeView) LastDelay(e desk.Emergency) time.Duration { return e.DelayAt(e.Until) }

// notice shows what is to be said of emergencies, in full: a page that others may link to.
func (p *Pages) notice(v *page.Visit) error {
	view := noticeView{Layout: v.Layout("Notices", "/notice")}
	var err error
	if view.Past, err = v.PastNotices(view.Now.Add(-page.Remembered)); err != nil {
		return err
	}
	return v.Show("notice", view)
}
