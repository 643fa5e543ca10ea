package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// settlingFixture is a fixture with two requesters and with Options.Settle set to a minute.
type settlingFixture struct{ *fixture }

func openSettling(t *testing.T) settlingFixture {
	d := settlingFixture{open(t)}
	d.SettleAfter(time.Minute)
	d.waitingSince(d.customer, aDay)
	d.waitingSince(d.other, aDay)
	return d
}

// lift ends an emergency, and lets its end be behind.
func (d settlingFixture) lift(e desk.Emergency) {
	d.t.Helper()
	if _, err := app.EndEmergency(d.t.Context(), d, d.supervisor, e.ID); err != nil {
		d.t.Fatal(err)
	}
	d.sql(`UPDATE emergencies SET ends_at = ends_at - interval '3 seconds' WHERE id = $1`, e.ID)
	d.announce()
}

func (d settlingFixture) until(e desk.Emergency, at time.Time) {
	d.t.Helper()
	if _, err := app.ChangeEmergency(d.t.Context(), d, d.supervisor, e.ID, desk.EmergencyChange{Until: &at}); err != nil {
		d.t.Fatal(err)
	}
	d.announce()
}

// sentAfterSettling lets the minute pass, and returns the kind of announcement that each requester is sent.
func (d settlingFixture) sentAfterSettling() string {
	d.t.Helper()
	if _, found, err := d.NextAnnouncement(d.t.Context(), "early", time.Minute); err != nil || found {
		d.t.Errorf("a mail goes out before it has settled: %v", err)
	}
	if left, err := d.AnnouncementsLeft(d.t.Context()); err != nil || left.Left > 0 && time.Until(left.Next) < 50*time.Second {
		d.t.Errorf("the next of %d is sent %s, %v", left.Left, left.Next, err)
	}
	d.sql(`UPDATE emergency_changes SET at = at - interval '1 minute'`)
	mailed := map[string]desk.AnnouncementKind{}
	for address, mail := range d.announcementMails() {
		mailed[address] = mail.Announces
	}
	for {
		id, found, err := d.NextAnnouncement(d.t.Context(), "a try", time.Minute)
		if err != nil {
			d.t.Fatal(err)
		}
		if !found {
			break
		}
		if err := d.AnnouncementSent(d.t.Context(), id); err != nil {
			d.t.Fatal(err)
		}
	}
	said := ""
	for _, address := range slices.Sorted(maps.Keys(mailed)) {
		said += fmt.Sprintf("%s %s. ", address, mailed[address])
	}
	return said
}

// TestAnnouncement_waitsFromTheTimeOfAChange: a mail that is unsent when the emergency changes is not sent any more, even
// if the change has not been announced yet.
func TestAnnouncement_waitsFromTheTimeOfAChange(t *testing.T) {
	d := openSettling(t)
	e := d.begun(d.declare(closedBy("Closed.")), anHour)
	d.announce()
	d.sql(`UPDATE emergency_changes SET at = at - interval '1 minute'`)
	if left, err := d.AnnouncementsLeft(t.Context()); err != nil || left.Left != 2 || time.Until(left.Next) > 0 {
		t.Errorf("before the change: %+v, %v", left, err)
	}
	if _, found, err := d.NextAnnouncement(t.Context(), "before", 0); err != nil || !found {
		t.Errorf("before the change: %t, %v", found, err)
	}
	far := time.Now().AddDate(0, 0, 3).Truncate(time.Second)
	if _, err := app.ChangeEmergency(t.Context(), d, d.supervisor, e.ID, desk.EmergencyChange{Until: &far}); err != nil {
		t.Fatal(err)
	}
	if id, found, err := d.NextAnnouncement(t.Context(), "after", time.Minute); err != nil || found {
		t.Errorf("mail %d is sent right after the change: %v", id, err)
	}
	if left, err := d.AnnouncementsLeft(t.Context()); err != nil || left.Left != 2 || time.Until(left.Next) < 50*time.Second {
		t.Errorf("after the change: %+v, %v", left, err)
	}
}

// TestAnnounce_settlesUntilNothingChanges: what is declared, changed and lifted in a minute makes one mail, or none.
func TestAnnounce_settlesUntilNothingChanges(t *testing.T) {
	far := time.Now().AddDate(0, 0, 3).Truncate(time.Second)
	for name, c := range map[string]struct {
		does func(settlingFixture)
		want string
	}{
		"declared and extended": {func(d settlingFixture) {
			e := d.begun(d.declare(closedBy("Closed.")), 5*time.Second)
			d.announce()
			d.until(e, far)
		}, "carla@example.com started. otto@example.com started. "},
		"declared, extended and lifted": {func(d settlingFixture) {
			e := d.begun(d.declare(closedBy("Closed.")), 5*time.Second)
			d.announce()
			d.until(e, far)
			d.lift(e)
		}, ""},
		"declared and lifted before it was announced": {func(d settlingFixture) {
			d.lift(d.begun(d.declare(closedBy("Closed.")), 5*time.Second))
		}, ""},
		"lifted after a while": {func(d settlingFixture) {
			e := d.begun(d.declare(closedBy("Closed.")), anHour)
			d.announce()
			d.lift(e)
		}, "carla@example.com ended. otto@example.com ended. "},
		"a delay that is lifted stays": {func(d settlingFixture) {
			e := d.begun(d.declare(desk.EmergencyPlan{Kind: ticket.EmergencyDelayed, By: aDay, Notice: "Slow."}), 5*time.Second)
			d.announce()
			d.lift(e)
		}, "carla@example.com ended. otto@example.com ended. "},
		"lifted when one was mailed": {func(d settlingFixture) {
			e := d.begun(d.declare(closedBy("Closed.")), 5*time.Second)
			d.announce()
			d.sql(`UPDATE deliveries SET status = 'sent', settled_at = now() WHERE queue = 'announcement' AND person = $1`, d.customer.ID)
			d.lift(e)
		}, "carla@example.com ended. "},
		"lifted while a mail is on its way": {func(d settlingFixture) {
			e := d.begun(d.declare(closedBy("Closed.")), 5*time.Second)
			d.announce()
			d.sql(`UPDATE deliveries SET claimed_by = 'a try', claimed_until = now() + interval '1 hour' WHERE queue = 'announcement' AND person = $1`, d.customer.ID)
			d.lift(e)
		}, "carla@example.com ended. "},
		"lifted, with a ticket from meanwhile": {func(d settlingFixture) {
			e := d.begun(d.declare(closedBy("Closed.")), 30*time.Second)
			d.announce()
			d.waitingSince(d.other, 20*time.Second) // its receipt named no date
			d.lift(e)
		}, "otto@example.com ended. "},
		"extended and taken back": {func(d settlingFixture) {
			e := d.begun(d.declare(closedBy("Closed.")), anHour)
			d.until(e, far)
			d.sentAfterSettling()
			d.until(e, far.AddDate(0, 0, 1))
			d.until(e, far)
		}, ""},
		"planned and cancelled": {func(d settlingFixture) {
			plan := closedBy("Closed.")
			plan.From = far
			e := d.declare(plan)
			d.announce()
			if _, err := app.EndEmergency(d.t.Context(), d, d.supervisor, e.ID); err != nil {
				d.t.Fatal(err)
			}
			d.announce()
		}, ""},
		"lifted, and declared again": {func(d settlingFixture) {
			e := d.begun(d.declare(closedBy("Closed.")), anHour)
			d.announce()
			d.sentAfterSettling()
			d.lift(e)
			d.begun(d.declare(closedBy("Still closed.")), time.Second)
			d.announce()
		}, "carla@example.com started. otto@example.com started. "},
		"lifted while another closes the desk": {func(d settlingFixture) {
			e := d.begun(d.declare(closedBy("Closed.")), anHour)
			d.begun(d.declare(closedBy("A flood.")), anHour)
			d.announce()
			d.sql(`UPDATE deliveries SET status = 'sent', settled_at = now() WHERE queue = 'announcement'`)
			d.lift(e)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := openSettling(t)
			c.does(d)
			if got := d.sentAfterSettling(); got != c.want {
				t.Errorf("mailed: %q, want %q; %s", got, c.want, d.deliveryStatuses())
			}
		})
	}
}
