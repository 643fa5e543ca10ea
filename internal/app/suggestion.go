package app

import (
	"context"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// suggestionStore holds suggestions.
type suggestionStore interface {
	// Suggest stores one, once for each key that is not empty. It is Limited for a person who has written too much of late.
	Suggest(ctx context.Context, by desk.Person, key, body string) error
	// Suggestions lists the newest, with unread only those not read, and counts the unread.
	Suggestions(ctx context.Context, unread bool, limit int) (newest []desk.Suggestion, count int, err error)
	// MarkSuggestion returns a NotFound fault if there is no such suggestion.
	MarkSuggestion(ctx context.Context, id int64, read bool) error
}

// Suggestions is the suggestion box: everyone may put something in, supervisors read it.
type Suggestions struct{ store suggestionStore }

// NewSuggestions returns the use cases on a store.
func NewSuggestions(s suggestionStore) *Suggestions { return &Suggestions{s} }

// Suggest stores a suggestion, once for each key that is not empty. The zero person is a visitor; how often those may
// suggest is the caller's to limit. It is Invalid on "body", and Limited for a person who has written too much of late.
func (s *Suggestions) Suggest(ctx context.Context, by desk.Person, key, body string) error {
	if !desk.Visible(body) || utf8.RuneCountInString(body) > desk.MaxSuggestion {
		return fault.Field("body", "must have 1 to %d characters", desk.MaxSuggestion)
	}
	return s.store.Suggest(ctx, by, key, body)
}

// Suggestions lists the newest suggestions, with unread only those not read, and counts the unread. It is Forbidden to
// all but supervisors and administrators.
func (s *Suggestions) Suggestions(ctx context.Context, by desk.Person, unread bool, limit int) (newest []desk.Suggestion, count int, err error) {
	if err := authorise(by, supervisorsOnly); err != nil {
		return nil, 0, err
	}
	return s.store.Suggestions(ctx, unread, limit)
}

// MarkSuggestion records that a suggestion was read, or is to be read again. It is Forbidden as Suggestions is, and
// NotFound if there is no such suggestion.
func (s *Suggestions) MarkSuggestion(ctx context.Context, by desk.Person, id int64, read bool) error {
	if err := authorise(by, supervisorsOnly); err != nil {
		return err
	}
	return s.store.MarkSuggestion(ctx, id, read)
}
