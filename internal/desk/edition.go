package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Edition is a published version of the policy. Versions count from 1, and the highest is in force.
type Edition struct {
	Version   int64
	Author    ticket.Role // of who published it; RoleOperator when nobody the desk knows did
	Reason    string
	Effective time.Time
	Policy    *policy.Policy
	Document  []byte // as it was published, YAML
}
