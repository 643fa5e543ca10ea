package store_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestDryRun_countsWhomAnnouncementsReach compares the mails that a dry run predicts with those that are added when the
// same is done: at the start, at a change and at the end.
func TestDryRun_countsWhomAnnouncementsReach(t *testing.T) {
	d := open(t)
	m, _ := d.command()
	gone := d.add(ticket.RoleCustomer, "Gina Gone", "gina@example.com")
	hired := d.add(ticket.RoleCustomer, "Hana Hired", "hana@example.com")
	late := d.add(ticket.RoleCustomer, "Lena Late", "lena@example.com")
	done := d.add(ticket.RoleCustomer, "Dora Done", "dora@example.com")
	for _, requester := range []desk.Person{d.customer, d.customer, d.other, gone, hired} {
		d.waitingSince(requester, aDay)
	}
	d.do(d.agent, desk.Request{Number: d.waitingSince(done, aDay), Verb: ticket.VerbResolve, Body: "Sent."})
	d.sql(`UPDATE people SET disabled_at = now() WHERE id = $1`, gone.ID)
	d.sql(`UPDATE people SET role = 'agent', handle = 'hana' WHERE id = $1`, hired.ID)

	reaches := func(dry desk.DryRun, kind desk.AnnouncementKind, want int) {
		t.Helper()
		d.announce()
		owed := one[int](d, `SELECT count(*) FROM deliveries m JOIN announcements a ON a.id = m.announcement
			WHERE a.id = (SELECT max(id) FROM announcements) AND a.kind = $1`, kind)
		if dry.Announces != kind || dry.Requesters != owed || owed != want {
			t.Errorf("%s: the dry run announces %q to %d, %d are owed a mail, want %d", kind, dry.Announces, dry.Requesters, owed, want)
		}
	}
	dry, err := m.DryDeclare(t.Context(), d.supervisor, closedBy("A flood."))
	if err != nil {
		t.Fatal(err)
	}
	e := d.begun(d.declare(closedBy("A flood.")), 3*anHour)
	reaches(dry, desk.AnnounceStarted, 2)

	d.waitingSince(late, anHour) // during it: its receipt mentioned the start, and not what is planned
	until := time.Now().Add(aDay).Truncate(time.Second)
	longer := desk.EmergencyChange{Until: &until}
	if dry, err = m.DryChange(t.Context(), d.supervisor, e.ID, longer); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Change(t.Context(), d.supervisor, e.ID, longer); err != nil {
		t.Fatal(err)
	}
	reaches(dry, desk.AnnounceChanged, 3)

	if dry, err = m.DryEnd(t.Context(), d.supervisor, e.ID); err != nil {
		t.Fatal(err)
	}
	if e, err = m.End(t.Context(), d.supervisor, e.ID); err != nil {
		t.Fatal(err)
	}
	d.begun(e, 10*time.Second)
	reaches(dry, desk.AnnounceEnded, 3)
}
