package mail

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// notice is the notice of an emergency, in every mail while the emergency is in force or planned.
type notice struct {
	Closed  bool // support is closed; otherwise replies take longer
	InForce bool
	From    string
	Until   string // empty: until further notice
	By      string // by how much targets are extended, such as "48 hours"; empty if closed
	Words   [][]string
}

func newNotices(all []desk.Notice, now time.Time, zone *time.Location) []notice {
	notices := make([]notice, 0, len(all))
	for _, n := range all {
		shown := notice{
			Closed: n.Kind == ticket.EmergencyClosed, InForce: n.InForce,
			From: formatTime(n.From, now, zone), Until: formatTime(n.Until, now, zone), Words: paragraphs(n.Text),
		}
		if !shown.Closed {
			shown.By = policy.FormatHours(n.By)
		}
		notices = append(notices, shown)
	}
	return notices
}
