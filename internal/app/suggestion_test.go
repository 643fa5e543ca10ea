package app_test

import (
	"context"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// suggestions is a store that counts calls.
type suggestions struct{ stored, read int }

func (s *suggestions) Suggest(context.Context, desk.Person, string, string) error {
	s.stored++
	return nil
}

func (s *suggestions) Suggestions(context.Context, bool, int) ([]desk.Suggestion, int, error) {
	s.read++
	return nil, 0, nil
}

func (s *suggestions) MarkSuggestion(context.Context, int64, bool) error {
	s.read++
	return nil
}

func TestSuggest_limitsLength(t *testing.T) {
	store := &suggestions{}
	box, long := app.NewSuggestions(store), strings.Repeat("é", desk.MaxSuggestion)
	for _, body := range []string{"", " \n ", long + "é"} {
		if err := box.Suggest(t.Context(), customer, "", body); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%.10q: %v", body, err)
		}
	}
	for _, by := range []desk.Person{{}, customer, agent} {
		if err := box.Suggest(t.Context(), by, "", long); err != nil {
			t.Errorf("%q: %v", by.Role, err)
		}
	}
	if store.stored != 3 {
		t.Errorf("%d stored, want 3", store.stored)
	}
}

func TestSuggestions_requireSupervisor(t *testing.T) {
	for role, want := range map[ticket.Role]fault.Kind{
		"": fault.Forbidden, ticket.RoleCustomer: fault.Forbidden, ticket.RoleAgent: fault.Forbidden,
		ticket.RoleSupervisor: 0, ticket.RoleAdministrator: 0,
	} {
		store := &suggestions{}
		box, by := app.NewSuggestions(store), desk.Person{ID: "P-1", Role: role}
		_, _, listErr := box.Suggestions(t.Context(), by, true, 1)
		markErr := box.MarkSuggestion(t.Context(), by, 1, true)
		for _, err := range []error{listErr, markErr} {
			if want == 0 && err != nil || want != 0 && fault.KindOf(err) != want {
				t.Errorf("%q: %v", role, err)
			}
		}
		if (store.read == 2) != (want == 0) {
			t.Errorf("%q read %d times", role, store.read)
		}
	}
}
