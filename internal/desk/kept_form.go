package desk

import (
	"net/url"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// KeptForm is a form whose writer has to sign in before it is taken.
type KeptForm struct {
	Person ticket.PersonID // the writer
	Page   string          // the address that it was written on, with its query
	Action string          // the path that it was sent to
	Fields url.Values      // without passwords
	Kept   time.Time
}
