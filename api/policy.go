package api

import (
	"context"
	"strconv"
	"time"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
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

type policyVersionView struct {
	Version     int64       `json:"version"`
	State       string      `json:"state" enum:"ahead,in force,past"`
	EffectiveAt time.Time   `json:"effective_at"`
	PublishedAt time.Time   `json:"published_at"`
	By          ticket.Role `json:"by" doc:"The role of the person who published it; operator: the command line."`
	Reason      string      `json:"reason"`
	Changes     []string    `json:"changes" doc:"The changes from the previous version, in words."`
	Document    string      `json:"document,omitempty" doc:"YAML; only where a single version is requested. The people and webhooks that it names are shown to staff only."`
}

type policyVersionsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Vary         string `header:"Vary"`
	Body         struct {
		Policies []policyVersionView `json:"policies"`
	}
}

type policyVersionOutput struct {
	CacheControl string `header:"Cache-Control"`
	Vary         string `header:"Vary"`
	Body         policyVersionView
}

type versionInput struct {
	Version int64 `path:"version" minimum:"1"`
}

type publishInput struct {
	Body struct {
		Document    string     `json:"document" doc:"YAML. A request can have at most 128 KiB."`
		Reason      string     `json:"reason" doc:"Why the policy changes; customers can read it. Up to 500 characters."`
		EffectiveAt *time.Time `json:"effective_at,omitempty" doc:"When the version takes effect for new tickets; absent: at once."`
	}
}

type publishOutput struct {
	Location string `header:"Location"`
	Replayed string `header:"Idempotency-Replayed" doc:"true if the idempotency key was used before."`
	Body     struct {
		Version     int64     `json:"version"`
		EffectiveAt time.Time `json:"effective_at"`
		PublishedAt time.Time `json:"published_at"`
	}
}

type checkInput struct {
	Body struct {
		Document string `json:"document" doc:"YAML. A request can have at most 128 KiB."`
	}
}

type policyCheckView struct {
	Problems []problemLine `json:"problems" doc:"Empty if the document is valid; otherwise nothing else was computed."`
	Advice   []string      `json:"advice"`
	Examples []exampleView `json:"examples"`
	Changes  []string      `json:"changes" doc:"The changes from the version in force, in words."`
	InForce  int64         `json:"in_force"`
}

type problemLine struct {
	Line    int    `json:"line"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

type exampleView struct {
	Title      string            `json:"title"`
	AcceptedAt *time.Time        `json:"accepted_at,omitempty"`
	Promises   *policy.Deadlines `json:"promises,omitempty"`
	Today      *policy.Deadlines `json:"today,omitempty" doc:"Under the policy in force."`
}

// policyVersions returns every version with its changes, and the records that they were made from, the newest first.
func (s *server) policyVersions(ctx context.Context) ([]policyVersionView, []desk.PolicyVersionRecord, error) {
	records, err := s.Policies.PolicyVersions(ctx)
	if err != nil {
		return nil, nil, err
	}
	reader, now, views, past := readerOf(ctx), time.Now(), []policyVersionView{}, false
	for i, r := range records {
		view := policyVersionView{
			Version: r.Version, State: "ahead", EffectiveAt: r.Effective.UTC(), PublishedAt: r.Published.UTC(), By: r.Author,
			Reason: r.Reason, Changes: []string{},
		}
		switch {
		case past:
			view.State = "past"
		case !r.Effective.After(now):
			view.State, past = "in force", true
		}
		if i+1 < len(records) {
			is, was := r.Policy, records[i+1].Policy
			if !reader.staff {
				is, was = is.Public(), was.Public()
			}
			view.Changes = viewEach(is.Differences(was), policy.Difference.String)
		}
		views = append(views, view)
	}
	return views, records, nil
}

func (s *server) listPolicies(ctx context.Context, _ *struct{}) (*policyVersionsOutput, error) {
	out := &policyVersionsOutput{CacheControl: readerOf(ctx).cacheControl(), Vary: varyHeader}
	var err error
	out.Body.Policies, _, err = s.policyVersions(ctx)
	return out, err
}

func (s *server) policyVersion(ctx context.Context, in *versionInput) (*policyVersionOutput, error) {
	views, records, err := s.policyVersions(ctx)
	if err != nil {
		return nil, err
	}
	for i, view := range views {
		if view.Version == in.Version {
			reader := readerOf(ctx)
			document, err := reader.document(records[i].PolicyVersion)
			view.Document = string(document)
			return &policyVersionOutput{CacheControl: reader.cacheControl(), Vary: varyHeader, Body: view}, err
		}
	}
	return nil, fault.New(fault.NotFound, "there is no policy version %d", in.Version)
}

func (s *server) publishPolicy(ctx context.Context, in *publishInput) (*publishOutput, error) {
	v := request.Of(ctx)
	p := desk.Publication{Document: []byte(in.Body.Document), Reason: in.Body.Reason, IdempotencyKey: v.IdempotencyKey}
	if in.Body.EffectiveAt != nil {
		p.Effective = *in.Body.EffectiveAt
	}
	published, err := s.Policies.Publish(ctx, v.Person, p)
	if err != nil {
		return nil, err
	}
	out := &publishOutput{Location: prefix + "/policies/" + strconv.FormatInt(published.Version, 10), Replayed: replayed(published.Again)}
	out.Body.Version, out.Body.EffectiveAt, out.Body.PublishedAt = published.Version, published.Effective.UTC(), published.At.UTC()
	return out, nil
}

func (s *server) checkPolicy(ctx context.Context, in *checkInput) (policyCheckView, error) {
	draft, err := s.Policies.CheckDraft(ctx, []byte(in.Body.Document), time.Now())
	return policyCheckView{
		Problems: viewEach(draft.Problems, func(p policy.Problem) problemLine { return problemLine(p) }),
		Advice:   append([]string{}, draft.Advice...),
		Examples: viewEach(draft.Examples, viewExample),
		Changes:  viewEach(draft.Differences, policy.Difference.String),
		InForce:  draft.InForce,
	}, err
}

func viewExample(e desk.ExamplePair) exampleView {
	view := exampleView{Title: e.Title}
	if !e.At.IsZero() {
		view.AcceptedAt, view.Promises = &e.At, &e.Deadlines
	}
	if !e.Today.Resolution.IsZero() {
		view.Today = &e.Today
	}
	return view
}
