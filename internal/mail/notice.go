package mail

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// notice is an emergency's notice as every mail carries it while the emergency lasts or is planned.
type notice struct {
	Closed  bool // else answers take longer
	InForce bool
	From    string
	Until   string // empty: until further notice
	By      string // how much longer targets are, such as "48 hours"; empty when closed
	Words   [][]string
}

func newNotices(all []desk.Notice, now time.Time, zone *time.Location) []notice {
	notices := make([]notice, 0, len(all))
	for _, n := range all {
		shown := notice{
			Closed: n.Kind == ticket.EmergencyClosed, InForce: n.InForce,
			From: moment(n.From, now, zone), Until: moment(n.Until, now, zone), Words: paragraphs(n.Text),
		}
		if !shown.Closed {
			shown.By = policy.FormatHours(n.By)
		}
		notices = append(notices, shown)
	}
	return notices
}
