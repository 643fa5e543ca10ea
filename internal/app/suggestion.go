package app

import (
	"context"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// suggestionStore holds suggestions.
type suggestionStore interface {
	// Suggest stores a suggestion, once for each key that is not empty. It returns a Limited fault for a person with too
	// many recent suggestions.
	Suggest(ctx context.Context, by desk.Person, key, body string) error
	// Suggestions returns the newest suggestions, with unread only the unread ones, and the number of unread ones.
	Suggestions(ctx context.Context, unread bool, limit int) (newest []desk.Suggestion, count int, err error)
	// MarkSuggestion returns a NotFound fault if there is no such suggestion.
	MarkSuggestion(ctx context.Context, id int64, read bool) error
}

// Suggestions accepts suggestions from everyone and shows them to supervisors.
type Suggestions struct{ store suggestionStore }

// NewSuggestions returns Suggestions over a store.
func NewSuggestions(s suggestionStore) *Suggestions { return &Suggestions{s} }

// Suggest stores a suggestion, once for each key that is not empty. The zero person is a visitor, whose rate the caller
// limits. It returns an Invalid fault for the field "body", and a Limited one for a person with too many recent suggestions.
func (s *Suggestions) Suggest(ctx context.Context, by desk.Person, key, body string) error {
	if !desk.Visible(body) || utf8.RuneCountInString(body) > desk.MaxSuggestion {
		return fault.Field("body", "must have 1 to %d characters", desk.MaxSuggestion)
	}
	return s.store.Suggest(ctx, by, key, body)
}

// Suggestions returns the newest suggestions, with unread only the unread ones, and the number of unread ones. It returns a
// Forbidden fault unless by is a supervisor or an administrator.
func (s *Suggestions) Suggestions(ctx context.Context, by desk.Person, unread bool, limit int) (newest []desk.Suggestion, count int, err error) {
	if err := authorise(by, supervisorsOnly); err != nil {
		return nil, 0, err
	}
	return s.store.Suggestions(ctx, unread, limit)
}

// MarkSuggestion marks a suggestion as read or unread. It returns Forbidden as Suggestions does, and NotFound if the
// suggestion does not exist.
func (s *Suggestions) MarkSuggestion(ctx context.Context, by desk.Person, id int64, read bool) error {
	if err := authorise(by, supervisorsOnly); err != nil {
		return err
	}
	return s.store.MarkSuggestion(ctx, id, read)
}
