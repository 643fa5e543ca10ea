package portal

import (
	"strconv"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errNoVersion = fault.New(fault.NotFound, "there is no such version of the policy")

type policyView struct {
	page.Layout
	PolicyVersion desk.PolicyVersion
	Current       bool // in force
	Ahead         bool // not in force yet
	Words         []policy.Section
	Document      string               // YAML, without the names of people and webhooks
	Sent          currentPromises      // zero unless the version is in force
	Versions      []desk.PolicyVersion // newest first

	Before  int64               // the previous version; 0: none
	Changes []policy.Difference // from the previous version to this one
}

// By returns the role of who published a version, as words.
func (policyView) By(e desk.PolicyVersion) string {
	switch e.Author {
	case ticket.RoleAdministrator:
		return "an administrator"
	case ticket.RoleSupervisor:
		return "a supervisor"
	default:
		return "the operators"
	}
}

func (p *Pages) policyInForce(v *page.Visit) error { return p.policy(v, 0) }

func (p *Pages) policyVersion(v *page.Visit) error {
	version, err := strconv.ParseInt(v.Param("version"), 10, 64)
	if err != nil || version < 1 || strconv.FormatInt(version, 10) != v.Param("version") {
		return errNoVersion
	}
	return p.policy(v, version)
}

// policy shows a version of the policy in words; version 0 is the one in force.
func (p *Pages) policy(v *page.Visit, version int64) error {
	versions, err := p.records.Policies(v.Context())
	if err != nil {
		return err
	}
	inForce := desk.InForce(versions, time.Now())
	for i, e := range versions {
		if e.Version != version && (version != 0 || i != inForce) {
			continue
		}
		view := policyView{
			Layout: v.Layout("Support policy", "/policy"), PolicyVersion: e, Current: i == inForce, Ahead: i < inForce,
			Words: e.Policy.Describe(), Versions: versions,
		}
		public, document, err := e.Public()
		if err != nil {
			return err
		}
		view.Document = string(document)
		if i+1 < len(versions) {
			view.Before, view.Changes = versions[i+1].Version, public.Differences(versions[i+1].Policy.Public())
		}
		if view.Current {
			if view.Sent, err = p.currentPromises(v, e.Policy, view.Now); err != nil {
				return err
			}
		}
		return v.Show("policy", view)
	}
	return errNoVersion
}
