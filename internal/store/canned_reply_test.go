package store_test

import (
	"fmt"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// cannedFixture is the store of canned replies or of saved filters.
type cannedFixture struct {
	save   func(by desk.Person, id int64, title, text string, shared bool) (int64, error)
	list   func(by desk.Person) ([]string, error) // title, text; an asterisk for those that are theirs
	remove func(by desk.Person, id int64) error
}

func (d *fixture) cannedFixtures() map[string]cannedFixture {
	mark := func(yours bool) string { return map[bool]string{true: "*"}[yours] }
	ctx := d.t.Context()
	return map[string]cannedFixture{
		"canned replies": {
			save: func(by desk.Person, id int64, title, text string, shared bool) (int64, error) {
				return d.workspace.SaveCanned(ctx, by, desk.CannedReply{ID: id, Title: title, Body: text, Shared: shared})
			},
			list: func(by desk.Person) (lines []string, err error) {
				all, err := d.workspace.CannedReplies(ctx, by)
				for _, c := range all {
					lines = append(lines, c.Title+" "+c.Body+" "+c.Author.Name+mark(c.Yours))
				}
				return lines, err
			},
			remove: func(by desk.Person, id int64) error { return d.workspace.DeleteCanned(ctx, by, id) },
		},
		"saved filters": {
			save: func(by desk.Person, id int64, title, text string, shared bool) (int64, error) {
				return d.workspace.SaveFilter(ctx, by, desk.SavedFilter{ID: id, Name: title, Query: text, Shared: shared})
			},
			list: func(by desk.Person) (lines []string, err error) {
				all, err := d.workspace.SavedFilters(ctx, by)
				for _, f := range all {
					lines = append(lines, f.Name+" "+f.Query+" "+f.Author.Name+mark(f.Yours))
				}
				return lines, err
			},
			remove: func(by desk.Person, id int64) error { return d.workspace.DeleteFilter(ctx, by, id) },
		},
	}
}

func TestCannedReply_belongsToItsAuthorOrToAll(t *testing.T) {
	d := open(t)
	for name, k := range d.cannedFixtures() {
		t.Run(name, func(t *testing.T) {
			shows := func(by desk.Person, want ...string) {
				t.Helper()
				got, err := k.list(by)
				if err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
					t.Errorf("%s sees %q, want %q, %v", by.Name, got, want, err)
				}
			}
			saves := func(by desk.Person, id int64, title, text string, shared bool) int64 {
				t.Helper()
				id, err := k.save(by, id, title, text, shared)
				if err != nil {
					t.Fatal(err)
				}
				return id
			}
			own := saves(d.agent, 0, " own ", "q=1", false)
			shared := saves(d.agent, 0, "Shared", "q=2", true)
			shows(d.agent, "own q=1 Anna Agent*", "Shared q=2 Anna Agent*")
			shows(d.second, "Shared q=2 Anna Agent")
			shows(d.supervisor, "Shared q=2 Anna Agent*")

			for _, id := range []int64{own, shared, 999} {
				_, err := k.save(d.second, id, "Mine now", "q=3", true)
				wantKind(t, err, fault.NotFound)
				wantKind(t, k.remove(d.second, id), fault.NotFound)
			}
			_, err := k.save(d.supervisor, own, "Mine now", "q=3", true)
			wantKind(t, err, fault.NotFound)
			wantKind(t, k.remove(d.supervisor, own), fault.NotFound)

			if same := saves(d.supervisor, shared, "Better", "q=4", true); same != shared {
				t.Errorf("%d became %d", shared, same)
			}
			saves(d.agent, own, "Own", "q=5", false)
			shows(d.agent, "Better q=4 Anna Agent*", "Own q=5 Anna Agent*")
			if err := k.remove(d.supervisor, shared); err != nil {
				t.Error(err)
			}
			if err := k.remove(d.agent, own); err != nil {
				t.Error(err)
			}
			shows(d.agent)
		})
	}
}

func TestCannedReply_isForStaffAndChecked(t *testing.T) {
	d := open(t)
	for name, k := range d.cannedFixtures() {
		t.Run(name, func(t *testing.T) {
			_, err := k.list(d.customer)
			wantKind(t, err, fault.Forbidden)
			_, err = k.save(d.customer, 0, "A title", "q=1", true)
			wantKind(t, err, fault.Forbidden)
			wantKind(t, k.remove(d.customer, 1), fault.Forbidden)
			_, err = k.save(d.agent, 0, "", "q=1", true)
			wantKind(t, err, fault.Invalid)
		})
	}
	_, err := d.workspace.SaveCanned(t.Context(), d.agent, desk.CannedReply{Title: "A title", Body: "Dear {{requester.mother}}"})
	wantKind(t, err, fault.Invalid)
}
