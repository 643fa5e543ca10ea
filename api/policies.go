package api

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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

type checkOutput struct{ Body policyCheckView }

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

// policies returns the use cases of policies, or a NotFound fault if this process has none.
func (s *server) policies() (request.Policies, error) {
	if s.Policies == nil {
		return nil, fault.New(fault.NotFound, "policies are not kept here")
	}
	return s.Policies, nil
}

// policyVersions returns every version with its changes, and the records that they were made from, the newest first.
func (s *server) policyVersions(ctx context.Context) ([]policyVersionView, []desk.PolicyVersionRecord, error) {
	policies, err := s.policies()
	if err != nil {
		return nil, nil, err
	}
	records, err := policies.PolicyVersions(ctx)
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
			view.Changes = differenceTexts(is.Differences(was))
		}
		views = append(views, view)
	}
	return views, records, nil
}

func differenceTexts(differences []policy.Difference) []string {
	lines := make([]string, len(differences))
	for i, d := range differences {
		lines[i] = d.String()
	}
	return lines
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
	policies, err := s.policies()
	if err != nil {
		return nil, err
	}
	v := request.Of(ctx)
	p := desk.Publication{Document: []byte(in.Body.Document), Reason: in.Body.Reason, IdempotencyKey: v.IdempotencyKey}
	if in.Body.EffectiveAt != nil {
		p.Effective = *in.Body.EffectiveAt
	}
	published, err := policies.Publish(ctx, v.Person, p)
	if err != nil {
		return nil, err
	}
	out := &publishOutput{Location: prefix + "/policies/" + decimal(published.Version), Replayed: replayed(published.Again)}
	out.Body.Version, out.Body.EffectiveAt, out.Body.PublishedAt = published.Version, published.Effective.UTC(), published.At.UTC()
	return out, nil
}

func (s *server) checkPolicy(ctx context.Context, in *checkInput) (*checkOutput, error) {
	policies, err := s.policies()
	if err != nil {
		return nil, err
	}
	draft, err := policies.Examine(ctx, []byte(in.Body.Document), time.Now())
	if err != nil {
		return nil, err
	}
	view := policyCheckView{
		Problems: []problemLine{}, Advice: append([]string{}, draft.Advice...), Examples: []exampleView{},
		Changes: differenceTexts(draft.Differences), InForce: draft.InForce,
	}
	for _, p := range draft.Problems {
		view.Problems = append(view.Problems, problemLine(p))
	}
	for _, e := range draft.Examples {
		example := exampleView{Title: e.Title}
		if !e.At.IsZero() {
			example.AcceptedAt, example.Promises = &e.At, &e.Deadlines
		}
		if !e.Today.Resolution.IsZero() {
			example.Today = &e.Today
		}
		view.Examples = append(view.Examples, example)
	}
	return &checkOutput{view}, nil
}
