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
