package api

import (
	"context"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
)

type policyOutput struct {
	CacheControl string `header:"Cache-Control"`
	Vary         string `header:"Vary"`
	Body         policyView
}

// policyView is the policy in force, as customers may read it.
type policyView struct {
	Version        int64        `json:"version"`
	Name           string       `json:"name"`
	Contact        string       `json:"contact,omitempty"`
	PrivacyURL     string       `json:"privacy_url,omitempty"`
	TimeZone       string       `json:"time_zone"`
	Targets        []targetView `json:"targets" doc:"By priority, the lowest first."`
	Categories     []string     `json:"categories"`
	ChoosePriority bool         `json:"customers_choose_priority"`
	Document       string       `json:"document" doc:"The policy document, YAML. The people and webhooks that it names are shown to staff only."`
}

type targetView struct {
	Priority      policy.Priority `json:"priority"`
	FirstResponse budgetView      `json:"first_response"`
	Resolution    budgetView      `json:"resolution"`
}

type budgetView struct {
	Seconds int64               `json:"seconds"`
	Text    string              `json:"text" example:"72h"`
	Counts  policy.CountingMode `json:"counts"`
}

func (s *server) policy(ctx context.Context, _ *struct{}) (*policyOutput, error) {
	version, p, document, err := s.Desk.PolicyInForce(ctx)
	if err != nil {
		return nil, err
	}
	reader := readerOf(ctx)
	if document, err = reader.document(desk.PolicyVersion{Policy: p, Document: document}); err != nil {
		return nil, err
	}
	view := policyView{
		Version: version, Name: p.Name, Contact: p.Contact, PrivacyURL: p.PrivacyURL, TimeZone: p.Zone.String(),
		Categories: p.Categories, ChoosePriority: p.CustomersChoosePriority, Document: string(document),
	}
	for _, priority := range policy.Priorities() {
		view.Targets = append(view.Targets, targetView{
			Priority:      priority,
			FirstResponse: viewBudget(p, policy.FirstResponse, priority),
			Resolution:    viewBudget(p, policy.Resolution, priority),
		})
	}
	return &policyOutput{CacheControl: reader.cacheControl(), Vary: varyHeader, Body: view}, nil
}

// policyReader is who reads a policy. Only staff see the people and webhooks that it names.
type policyReader struct{ staff bool }

func readerOf(ctx context.Context) policyReader {
	return policyReader{staff: request.Of(ctx).Person.Role.Staff()}
}

// document returns a policy version's document as the reader may see it.
func (r policyReader) document(e desk.PolicyVersion) ([]byte, error) {
	if r.staff {
		return e.Document, nil
	}
	_, document, err := e.Public()
	return document, err
}

// varyHeader is the Vary header of responses that show staff more than others.
const varyHeader = "Authorization, Cookie"

// cacheControl returns the Cache-Control header of a response.
func (r policyReader) cacheControl() string {
	if r.staff {
		return "private, no-store"
	}
	return "public, max-age=60"
}

func viewBudget(p *policy.Policy, clock policy.ClockName, priority policy.Priority) budgetView {
	target, counts := p.Target(clock, priority), p.Clocks[clock].Counts
	return budgetView{Seconds: seconds(target), Text: policy.FormatDuration(target), Counts: counts}
}
