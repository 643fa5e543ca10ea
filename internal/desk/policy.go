package desk

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// PolicyVersion is a published version of the policy. Versions count from 1, and the highest that has taken effect is in
// force.
type PolicyVersion struct {
	Version   int64
	Author    ticket.Role // of who published it; RoleOperator when nobody the desk knows did
	Reason    string
	Effective time.Time // when it took or takes effect
	Published time.Time
	Policy    *policy.Policy
	Document  []byte // as it was published, YAML
}

// Public gives the policy and its document as anybody may read them; see policy.Public.
func (e PolicyVersion) Public() (*policy.Policy, []byte, error) {
	document, err := e.Policy.PublicDocument(e.Document)
	return e.Policy.Public(), document, err
}

// PolicyVersionRecord is an edition as supervisors see it.
type PolicyVersionRecord struct {
	PolicyVersion
	Publisher string // the name of who published it, or what did
	Tickets   int    // open ones under it
}

// InForce gives the index of the edition that is in force at an instant, of editions that come the newest first; -1
// without one.
func InForce(editions []PolicyVersion, at time.Time) int {
	return slices.IndexFunc(editions, func(e PolicyVersion) bool { return !e.Effective.After(at) })
}

// MaxReason is how long the reason of a publication may be, in characters.
const MaxReason = 500

// Publication is a policy document that is to become the next version.
type Publication struct {
	Document       []byte // YAML
	Author         string // the ID of somebody, or what published it when nobody the desk knows did
	Reason         string
	Effective      time.Time // from when it is in force for new tickets, to the second; zero: from now on
	IdempotencyKey IdempotencyKey
}

// Published answers a publication.
type Published struct {
	Version   int64
	Effective time.Time
	At        time.Time // when it was published
	Again     bool      // published before, under the same key
}

// Check says what is wrong with a publication's reason and effective date, as far as that can be told without the
// database. The document is checked by policy.Parse.
func (p Publication) Check() error {
	var details []fault.Detail
	switch reason := strings.TrimSpace(p.Reason); {
	case !Visible(reason):
		details = append(details, fault.Detail{Field: "reason", Message: "must say why the policy changes: customers read it"})
	case utf8.RuneCountInString(reason) > MaxReason:
		details = append(details, fault.Detail{Field: "reason", Message: "is longer than 500 characters"})
	case strings.ContainsFunc(strings.NewReplacer("\r\n", "", "\n", "", "\t", "").Replace(reason), unspeakable) || !utf8.ValidString(reason):
		details = append(details, fault.Detail{Field: "reason", Message: "must be plain text, and all of it visible"})
	}
	if !p.Effective.IsZero() && p.Effective.Year() > 9999 {
		details = append(details, fault.Detail{Field: "effective_at", Message: "lies too far ahead"})
	}
	if len(details) > 0 {
		return fault.Fields(details...)
	}
	return nil
}

// Draft is what there is to say about a document that may be published.
type Draft struct {
	Problems    policy.Problems // what is wrong with it; then there is nothing else
	Advice      []string
	Examples    []ExamplePair
	Differences []policy.Difference // to the policy in force
	InForce     int64
}

// ExamplePair is a worked example by a draft, and by the policy in force.
type ExamplePair struct {
	policy.Example
	Today policy.Deadlines // zero where that policy has no such example
}
