package demotest_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/demotest"
	"github.com/holesalemart/supportdesk/internal/desk"
)

func TestNew_givesEachTestADeskOfItsOwn(t *testing.T) {
	first, second := demotest.New(t, 60), demotest.New(t, 60)
	if err := first.DisablePerson(t.Context(), first.Customer.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := second.PersonByHandleOrAddress(t.Context(), second.Customer.Address); err != nil {
		t.Errorf("what one test does, another sees: %v", err)
	}
	for _, viewer := range []desk.Person{first.Customer, first.Agent, first.Supervisor, first.Administrator} {
		if records, _, err := second.List(t.Context(), desk.Filter{Viewer: viewer}); len(records) == 0 || err != nil {
			t.Errorf("%s sees %d tickets, %v", viewer.Name, len(records), err)
		}
	}
}

// BenchmarkList reads first pages of a desk with 100,000 tickets. It says also how long filling it takes.
func BenchmarkList(b *testing.B) {
	d := demotest.New(b, demotest.Many)
	for name, f := range map[string]desk.Filter{
		"customer": {Viewer: d.Customer}, "all": {Queue: desk.QueueAll}, "mine": {Queue: desk.QueueMine},
		"due soon": {Queue: desk.QueueDueSoon}, "breached": {Queue: desk.QueueBreached}, "search": {Text: "carrier depot"},
	} {
		if f.Viewer.ID == "" {
			f.Viewer = d.Agent
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := d.List(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
