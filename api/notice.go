package api

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
	views := []noticeView{}
	if s.Board == nil {
		return views, nil
	}
	all, err := s.Board.Notices(ctx)
	for _, n := range all {
		views = append(views, noticeView{
			Emergency: n.Emergency, Kind: n.Kind, InForce: n.InForce, From: n.From.UTC(), Until: n.Until,
			DelaySeconds: seconds(n.By), Text: n.Text,
		})
	}
	return views, err
}
