package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type incomingStatus string

// Schema lists the statuses of incoming mails.
func (incomingStatus) Schema(huma.Registry) *huma.Schema { return oneOf(desk.IncomingStatuses()) }

type incomingListInput struct {
	Status incomingStatus `query:"status" doc:"Absent: those in quarantine."`
	Before int64          `query:"before" minimum:"0" doc:"The ID of the last mail of the previous page."`
	Limit  int            `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type incomingInput struct {
	ID int64 `path:"id" minimum:"1"`
}

type rawMailInput struct {
	rawInput
	ID int64 `path:"id" minimum:"1"`
}

type incomingListView struct {
	Mails []IncomingView `json:"mails" doc:"The newest first."`
	More  bool           `json:"more" doc:"There are older ones."`
}

// IncomingView is an incoming mail in a list. It is exported, like TraitsView, because huma describes no other embedded fields.
type IncomingView struct {
	ID         int64               `json:"id"`
	Status     desk.IncomingStatus `json:"status" doc:"received: not processed yet; accepted: became a ticket or a reply; recorded: stored only; quarantined: staff decide; duplicate: of an earlier one; deleted: its content is gone."`
	ReceivedAt time.Time           `json:"received_at"`
	Source     desk.MailSource     `json:"source"`
	Sender     string              `json:"sender,omitempty" doc:"The address in From."`
	ReturnPath string              `json:"return_path,omitempty" doc:"The sender of the envelope."`
	Recipients []string            `json:"recipients" doc:"Of the envelope."`
	Subject    string              `json:"subject,omitempty"`
	Size       int64               `json:"size" doc:"In bytes."`
	Reason     string              `json:"reason,omitempty" doc:"Why it is in quarantine or only recorded, as a code."`
	Detail     string              `json:"detail,omitempty" doc:"The same in words."`
	Trust      desk.Trust          `json:"trust,omitempty" doc:"Whether the sender is believed: pass, fail, unknown, or ambiguous if it is not clear who that is."`
	Ticket     ticket.Number       `json:"ticket,omitempty"`
	DecidedBy  *namedView          `json:"decided_by,omitempty" doc:"Who released or deleted it."`
	DecidedAt  time.Time           `json:"decided_at,omitzero"`
}

// incomingContentsView is an incoming mail with its contents.
type incomingContentsView struct {
	IncomingView
	Headers string         `json:"headers,omitempty" doc:"As they came, truncated if they are long."`
	Text    string         `json:"text,omitempty"`
	Files   []mailFileView `json:"files,omitempty"`
	TraitsView
	Problems []string `json:"problems,omitempty" doc:"How malformed parts were read, or why the mail can't be."`
}

type mailFileView struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty" doc:"As the sender declared it."`
	Size int64  `json:"size" doc:"In bytes."`
}

func viewIncoming(m desk.IncomingMail) IncomingView {
	v := IncomingView{
		ID: m.ID, Status: m.Status, ReceivedAt: m.Received.UTC(), Source: m.Source, Sender: m.Sender, ReturnPath: m.ReturnPath,
		Recipients: m.Recipients, Subject: m.Subject, Size: m.Size, Reason: m.Reason, Detail: m.Detail, Trust: m.Trust, Ticket: m.Ticket,
	}
	if v.Recipients == nil {
		v.Recipients = []string{}
	}
	if m.SettledBy.ID != "" {
		by := viewNamed(m.SettledBy)
		v.DecidedBy, v.DecidedAt = &by, m.Settled.UTC()
	}
	return v
}

func (s *server) listIncoming(ctx context.Context, in *incomingListInput) (view incomingListView, err error) {
	f := desk.IncomingFilter{Status: desk.IncomingStatus(in.Status), Before: in.Before, Limit: in.Limit}
	if f.Status == "" {
		f.Status = desk.IncomingQuarantined
	}
	page, more, err := s.Incoming.List(ctx, request.Of(ctx).Person, f)
	return incomingListView{viewEach(page, viewIncoming), more}, err
}

func (s *server) readIncoming(ctx context.Context, in *incomingInput) (view incomingContentsView, err error) {
	m, c, err := s.Incoming.Mail(ctx, request.Of(ctx).Person, in.ID)
	view = incomingContentsView{IncomingView: viewIncoming(m), Headers: c.Headers, Text: c.Text, Problems: c.Problems, TraitsView: TraitsView(c.Traits)}
	for _, f := range c.Files {
		view.Files = append(view.Files, mailFileView(f))
	}
	return view, err
}

// readRaw sends a mail as it arrived.
func (s *server) readRaw(_ context.Context, in *rawMailInput) (*huma.StreamResponse, error) {
	r, end := request.ForTransfer(in.gin.Writer, in.gin.Request)
	content, err := s.Incoming.Raw(r.Context(), request.Of(r.Context()).Person, in.ID) //nolint:contextcheck // a transfer outlasts the request's time-out
	if err != nil {
		end()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(huma.Context) {
		defer end()
		request.SendFile(in.gin.Writer, r, content, false)
	}}, nil
}

// releaseIncoming releases a mail and returns it as it is then: it becomes a ticket or a reply in a moment.
func (s *server) releaseIncoming(ctx context.Context, in *incomingInput) (IncomingView, error) {
	return s.decideIncoming(ctx, in.ID, s.Incoming.Release)
}

func (s *server) deleteIncoming(ctx context.Context, in *incomingInput) (IncomingView, error) {
	return s.decideIncoming(ctx, in.ID, s.Incoming.Delete)
}

func (s *server) decideIncoming(ctx context.Context, id int64, decide func(context.Context, desk.Person, int64) error) (IncomingView, error) {
	by := request.Of(ctx).Person
	if err := decide(ctx, by, id); err != nil {
		return IncomingView{}, err
	}
	m, _, err := s.Incoming.Mail(ctx, by, id)
	return viewIncoming(m), err
}

type blockedListView struct {
	Senders []blockedView `json:"senders" doc:"In alphabetical order."`
}

type blockedView struct {
	Sender    string    `json:"sender" doc:"An email address, or a domain with an @ before it."`
	BlockedAt time.Time `json:"blocked_at"`
	BlockedBy namedView `json:"blocked_by"`
}

type blockedBody struct {
	Sender string `json:"sender" doc:"An email address, or a domain with an @ before it."`
}

type blockedInput struct {
	Sender string `path:"sender" doc:"An email address, or a domain with an @ before it."`
}

func viewBlocked(b desk.BlockedSender) blockedView {
	return blockedView{Sender: b.Sender, BlockedAt: b.At.UTC(), BlockedBy: viewNamed(b.By)}
}

func viewNamed(p desk.Ref) namedView {
	return namedView{ID: p.ID, Name: p.Name, Role: p.Role, Handle: p.Handle}
}

func (s *server) listBlocked(ctx context.Context, _ *struct{}) (blockedListView, error) {
	list, err := s.Incoming.Blocked(ctx, request.Of(ctx).Person)
	return blockedListView{viewEach(list, viewBlocked)}, err
}

func (s *server) blockSender(ctx context.Context, in *bodyOf[blockedBody]) (blockedListView, error) {
	return s.changeBlocked(ctx, in.Body.Sender, s.Incoming.Block)
}

func (s *server) unblockSender(ctx context.Context, in *blockedInput) (blockedListView, error) {
	return s.changeBlocked(ctx, in.Sender, s.Incoming.Unblock)
}

func (s *server) changeBlocked(ctx context.Context, sender string, change func(context.Context, desk.Person, string) error) (blockedListView, error) {
	if err := change(ctx, request.Of(ctx).Person, sender); err != nil {
		return blockedListView{}, err
	}
	return s.listBlocked(ctx, nil)
}
