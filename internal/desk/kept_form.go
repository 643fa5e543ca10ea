package desk

import (
	"net/url"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// KeptForm is a submitted form that is saved while its author signs in again.
type KeptForm struct {
	Person ticket.PersonID // the author
	Page   string          // path and query of the page with the form
	Action string          // path that it was sent to
	Fields url.Values      // without passwords
	Kept   time.Time
}
