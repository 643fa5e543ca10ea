package api

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// trackingView is what a ticket's number alone reveals: no text and no names.
type trackingView struct {
	Number      ticket.Number       `json:"number"`
	Status      ticket.Status       `json:"status"`
	SubmittedAt time.Time           `json:"submitted_at"`
	Promises    currentPromisesView `json:"promises"`
	Notices     []noticeView        `json:"notices,omitempty" doc:"The notices of emergencies, as in GET /notice."`
}

type currentPromisesView struct {
	FirstResponse promiseView `json:"first_response"`
	Resolution    promiseView `json:"resolution"`
}

type promiseView struct {
	Due        time.Time       `json:"due,omitzero" doc:"Absent while the clock is paused."`
	MetAt      time.Time       `json:"met_at,omitzero"`
	BreachedAt time.Time       `json:"breached_at,omitzero"`
	PausedFor  []policy.Reason `json:"paused_for,omitempty"`
	Expected   time.Time       `json:"expected,omitzero" doc:"In an emergency: the deadline if it ends as planned. Absent while no end is planned."`
	ResumesAt  time.Time       `json:"resumes_at,omitzero" doc:"In an emergency: when the clock resumes if it ends as planned."`
}

var errNotTracked = fault.New(fault.NotFound, "there is no such ticket")

// number parses a ticket number in any spelling. It returns the same NotFound fault for text that can't be one as for a
// number that does not exist.
func (s *server) number(typed string) (ticket.Number, error) {
	n, err := ticket.ReadNumber(s.Prefix, typed)
	if err != nil {
		return "", errNotTracked
	}
	return n, nil
}

// track returns the state of a ticket by its number. Responses, and their timing, do not reveal which numbers exist.
func (s *server) track(ctx context.Context, in *ticketInput) (view trackingView, err error) {
	n, err := s.number(in.Number)
	if err != nil {
		return view, errNotTracked
	}
	notices, err := s.currentNotices(ctx) // first, so that an unknown number takes as long
	if err != nil {
		return view, err
	}
	t, err := s.Desk.Track(ctx, n)
	if fault.KindOf(err) == fault.NotFound {
		return view, errNotTracked
	}
	return trackingView{
		Number: t.Number, Status: t.Status, SubmittedAt: t.Submitted.UTC(), Promises: viewPromises(t.Promises), Notices: notices,
	}, err
}

func viewPromises(p desk.Promised) currentPromisesView {
	return currentPromisesView{FirstResponse: viewPromise(p.FirstResponse), Resolution: viewPromise(p.Resolution)}
}

func viewPromise(s desk.SLAState) promiseView {
	return promiseView{Due: s.Due, MetAt: s.MetAt, BreachedAt: s.BreachedAt, PausedFor: s.Paused, Expected: s.Expected, ResumesAt: s.ResumesAt}
}

type noticesOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Notices []noticeView `json:"notices" doc:"Those in force first; empty if there is no emergency."`
	}
}

// noticeView is the public part of an emergency.
type noticeView struct {
	Emergency    ticket.EmergencyID   `json:"emergency"`
	Kind         ticket.EmergencyKind `json:"kind" enum:"closed,delayed" doc:"closed: clocks are paused. delayed: targets are extended."`
	InForce      bool                 `json:"in_force" doc:"False: it is planned."`
	From         time.Time            `json:"from"`
	Until        time.Time            `json:"until,omitzero" doc:"Absent: until further notice."`
	DelaySeconds int64                `json:"delay_seconds,omitempty" doc:"delayed: how much targets are extended, in time that counts for them."`
	Text         string               `json:"text"`
}

func (s *server) notices(ctx context.Context, _ *struct{}) (*noticesOutput, error) {
	out := &noticesOutput{CacheControl: "public, max-age=10"}
	var err error
	out.Body.Notices, err = s.currentNotices(ctx)
	return out, err
}

// currentNotices returns the notices of emergencies that are in force or planned. It is never nil.
func (s *server) currentNotices(ctx context.Context) ([]noticeView, error) {
	if s.Board == nil {
		return []noticeView{}, nil
	}
	all, err := s.Board.Notices(ctx)
	return viewEach(all, viewNotice), err
}

func viewNotice(n desk.Notice) noticeView {
	return noticeView{
		Emergency: n.Emergency, Kind: n.Kind, InForce: n.InForce, From: n.From.UTC(), Until: n.Until,
		DelaySeconds: seconds(n.By), Text: n.Text,
	}
}
