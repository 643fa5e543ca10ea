package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Edition is a published version of the policy. Versions count from 1, and the highest that has taken effect is in
// force.
type Edition struct {
	Version   int64
	Author    ticket.Role // of who published it; RoleOperator when nobody the desk knows did
	Reason    string
	Effective time.Time // when it took or takes effect
	Published time.Time
	Policy    *policy.Policy
	Document  []byte // as it was published, YAML
}

// Public gives the policy and its document as anybody may read them; see policy.Public.
func (e Edition) Public() (*policy.Policy, []byte, error) {
	document, err := e.Policy.PublicDocument(e.Document)
	return e.Policy.Public(), document, err
}

// EditionRecord is an edition as supervisors see it.
type EditionRecord struct {
	Edition
	Publisher string // the name of who published it, or what did
	Tickets   int    // open ones under it
}

// InForce gives the index of the edition that is in force at an instant, of editions that come the newest first; -1
// without one.
func InForce(editions []Edition, at time.Time) int {
	return slices.IndexFunc(editions, func(e Edition) bool { return !e.Effective.After(at) })
}
