package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	anHour = time.Hour
	aDay   = 24 * time.Hour
)

// waitingSince submits a ticket some time ago and takes its first step.
func (d *fixture) waitingSince(by desk.Person, ago time.Duration) ticket.Number {
	d.t.Helper()
	a := d.submit(by)
	d.redate(a, a.At.Add(-ago))
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	return a.Number
}

// announce records announcements as if every ticket had been checked up to now.
func (d *fixture) announce() ticket.AnnounceResult {
	d.t.Helper()
	schedule, err := d.Schedule(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	result, err := d.Announce(d.t.Context(), ticket.AnnounceRequest{CheckedAt: one[time.Time](d, `SELECT clock_timestamp()`), Revision: schedule.Revision})
	if err != nil {
		d.t.Fatal(err)
	}
	return result
}

// applyTransitions has tickets take a step that applies the schedule's transitions.
func (d *fixture) applyTransitions(numbers ...ticket.Number) {
	for _, n := range numbers {
		d.step(ticket.StepRequest{Number: n, CatchUp: true})
	}
}

// announcementMails returns the unsent announcement mails by address.
func (d *fixture) announcementMails() map[string]desk.Announcement {
	d.t.Helper()
	mails := map[string]desk.Announcement{}
	for _, id := range one[[]int64](d, `SELECT coalesce(array_agg(n ORDER BY n), '{}') FROM deliveries WHERE queue = 'announcement' AND status = 'owed'`) {
		a, status, _, err := d.mails.Announcement(d.t.Context(), id)
		if err != nil || status != desk.DeliveryOwed {
			d.t.Fatalf("mail %d: %s, %v", id, status, err)
		}
		if _, twice := mails[a.To.Address]; twice {
			d.t.Errorf("%s is owed two mails", a.To.Address)
		}
		mails[a.To.Address] = a
	}
	return mails
}

func (d *fixture) deliveryStatuses() string {
	return one[string](d, `SELECT coalesce(string_agg(status || ' ' || n, ', ' ORDER BY status), '')
		FROM (SELECT status, count(*) AS n FROM deliveries WHERE queue = 'announcement' GROUP BY status) s`)
}

func TestAnnounce_addsOneMailForEachRequesterConcerned(t *testing.T) {
	d := open(t)
	gone := d.add(ticket.RoleCustomer, "Gina Gone", "gina@example.com")
	done := d.add(ticket.RoleCustomer, "Dora Done", "dora@example.com")
	late := d.add(ticket.RoleCustomer, "Lena Late", "lena@example.com")
	d.waitingSince(d.customer, 2*aDay)
	second := d.waitingSince(d.customer, aDay)
	d.waitingSince(d.other, aDay)
	d.waitingSince(gone, aDay)
	resolved := d.waitingSince(done, aDay)
	d.do(d.agent, desk.Request{Number: resolved, Verb: ticket.VerbResolve, Body: "Sent."})
	d.sql(`UPDATE people SET disabled_at = now() WHERE id = $1`, gone.ID)

	e := d.begun(d.declare(closedBy("The river is in our hall.")), anHour)
	d.waitingSince(late, anHour/2) // its receipt says what there is to say
	if result := d.announce(); result.Announcements != 1 || result.Left != 2 {
		t.Errorf("announced %+v: %s", result, d.deliveryStatuses())
	}
	if result := d.announce(); result.Announcements != 0 || result.Left != 2 {
		t.Errorf("announced again %+v", result)
	}
	mails := d.announcementMails()
	carla, otto := mails[d.customer.Address], mails[d.other.Address]
	if len(carla.Tickets) != 2 || carla.Token != "" || carla.Tickets[1].Number != second || carla.Tickets[0].Subject != submission().Subject {
		t.Errorf("Carla's %+v", carla)
	}
	if len(otto.Tickets) != 1 || otto.Token == "" || otto.Announces != desk.AnnounceStarted || otto.Kind != ticket.EmergencyClosed ||
		otto.Emergency != e.ID || otto.Notice != "The river is in our hall." || otto.Policy == nil || otto.Stage != desk.StageInForce || !otto.From.Equal(e.From) {
		t.Errorf("Otto's %+v", otto)
	}
}

func TestAnnounce_saysNothingBeforeAllTicketsAreUpToDate(t *testing.T) {
	d := open(t)
	d.waitingSince(d.customer, aDay)
	e := d.begun(d.declare(closedBy("Closed.")), anHour)
	for name, r := range map[string]ticket.AnnounceRequest{
		"checked before its beginning": {CheckedAt: e.From.Add(-time.Second), Revision: e.Revision},
		"checked before its change":    {CheckedAt: time.Now(), Revision: e.Revision - 1},
	} {
		if result, err := d.Announce(t.Context(), r); err != nil || result != (ticket.AnnounceResult{}) {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
}

func TestAnnounce_aNewerOneSupersedesWhatIsStillPending(t *testing.T) {
	d := open(t)
	d.waitingSince(d.customer, aDay)
	d.waitingSince(d.other, aDay)
	e := d.begun(d.declare(closedBy("Closed.")), anHour)
	other := d.begun(d.declare(desk.EmergencyPlan{Kind: ticket.EmergencyDelayed, By: aDay, Notice: "Slow."}), anHour/2)
	d.announce()
	sent, found, err := d.NextAnnouncement(t.Context(), "a try", time.Minute)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if err := d.AnnouncementSent(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	for _, days := range []int{2, 3} {
		until := time.Now().AddDate(0, 0, days).Truncate(time.Second)
		if _, err := app.ChangeEmergency(t.Context(), d, d.supervisor, e.ID, desk.EmergencyChange{Until: &until}); err != nil {
			t.Fatal(err)
		}
		if result := d.announce(); result.Announcements != 1 {
			t.Errorf("announced %+v", result)
		}
	}
	notice := "Other words."
	if _, err := app.ChangeEmergency(t.Context(), d, d.supervisor, e.ID, desk.EmergencyChange{Notice: &notice}); err != nil {
		t.Fatal(err)
	}
	if result := d.announce(); result.Announcements != 0 {
		t.Errorf("words alone are announced: %+v", result)
	}
	of := func(id ticket.EmergencyID) string {
		counts, err := d.AnnouncementMails(t.Context(), id)
		return fmt.Sprint(counts, err)
	}
	if got := of(e.ID); got != "map[owed:2 sent:1 superseded:3] <nil>" {
		t.Errorf("of the closure: %s", got)
	}
	if got := of(other.ID); got != "map[owed:2] <nil>" {
		t.Errorf("of the delay: %s", got)
	}
}

// One that is on its way when it is superseded has been sent all the same.
func TestAnnouncementSent_countsWhatWasOnItsWay(t *testing.T) {
	d := open(t)
	d.waitingSince(d.customer, aDay)
	e := d.begun(d.declare(closedBy("Closed.")), anHour)
	d.announce()
	id, _, err := d.NextAnnouncement(t.Context(), "a try", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.EndEmergency(t.Context(), d, d.supervisor, e.ID); err != nil {
		t.Fatal(err)
	}
	d.sql(`UPDATE emergencies SET ends_at = ends_at - interval '1 minute'`)
	d.announce()
	if err := d.AnnouncementSent(t.Context(), id); err != nil || d.deliveryStatuses() != "owed 1, sent 1" {
		t.Errorf("%v: %s", err, d.deliveryStatuses())
	}
	if got := d.announcementMails()[d.customer.Address].Announces; got != desk.AnnounceEnded {
		t.Errorf("owes %q", got)
	}
}

func TestAnnouncement_saysHowDeadlinesMoved(t *testing.T) {
	d := openUnder(t, always)
	n := d.waitingSince(d.customer, 4*anHour)
	submitted := one[time.Time](d, `SELECT submitted_at FROM tickets WHERE number = $1`, n)
	before := desk.Move{Owed: true, Before: submitted.Add(48 * anHour)}
	plan := closedBy("Closed.")
	plan.Until = time.Now().Add(9 * anHour).Truncate(time.Second)
	e := d.begun(d.declare(plan), 2*anHour)
	d.applyTransitions(n)
	d.announce()
	want := before
	want.Expected = before.Before.Add(e.Until.Sub(e.From))
	if got := d.announcementMails()[d.customer.Address].Tickets[0].FirstResponse; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("while it lasts %+v, want %+v", got, want)
	}
	ended, err := app.EndEmergency(t.Context(), d, d.supervisor, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	d.sql(`UPDATE emergencies SET ends_at = starts_at + interval '1 hour' WHERE id = $1`, e.ID)
	d.sql(`UPDATE emergency_schedule SET revision = revision + 1`)
	d.applyTransitions(n)
	d.announce()
	want = before
	want.Due = before.Before.Add(anHour)
	if got := d.announcementMails()[d.customer.Address]; got.Announces != desk.AnnounceEnded || len(got.Tickets) != 1 || fmt.Sprint(got.Tickets[0].FirstResponse) != fmt.Sprint(want) {
		t.Errorf("after its end (%s) %+v, want %+v", ended.Until, got, want)
	}
	late := d.waitingSince(d.other, 0)
	d.applyTransitions(late)
	delay := d.begun(d.declare(desk.EmergencyPlan{Kind: ticket.EmergencyDelayed, By: 5 * anHour, Notice: "Slow."}), 0)
	d.sql(`UPDATE emergencies SET starts_at = starts_at - interval '2 seconds' WHERE id = $1`, delay.ID)
	d.sql(`UPDATE emergency_delays SET starts_at = starts_at - interval '2 seconds' WHERE emergency = $1`, delay.ID)
	d.sql(`UPDATE emergency_schedule SET revision = revision + 1`)
	d.applyTransitions(n)
	d.announce()
	want.Before, want.Due = want.Due, want.Due.Add(5*anHour)
	for _, id := range one[[]int64](d, `SELECT array_agg(m.n) FROM deliveries m JOIN announcements a ON a.id = m.announcement WHERE a.emergency = $1 AND m.person = $2`, delay.ID, d.customer.ID) {
		a, _, _, err := d.mails.Announcement(t.Context(), id)
		if err != nil || a.By != 5*anHour || len(a.Tickets) != 1 || fmt.Sprint(a.Tickets[0].FirstResponse) != fmt.Sprint(want) {
			t.Errorf("delayed %+v, want %+v: %v", a, want, err)
		}
	}
}

// always is a policy whose clocks never rest.
const always = `
time_zone: UTC
clocks:
  first_response: {target: 48h, counts: calendar}
  resolution: {target: 96h, counts: calendar, pauses: [waiting]}
`

func TestNextAnnouncement_handsEachMailToOneTry(t *testing.T) {
	d := open(t)
	const many = 40
	for i := range many {
		d.waitingSince(d.add(ticket.RoleCustomer, "Demo", fmt.Sprintf("demo%d@example.com", i)), aDay)
	}
	d.begun(d.declare(closedBy("Closed.")), anHour)
	d.announce()
	var mu sync.Mutex
	var handed []int64
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for {
				id, found, err := d.NextAnnouncement(t.Context(), fmt.Sprint("try ", i), time.Minute)
				if err != nil || !found {
					if err != nil {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				handed = append(handed, id)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(handed)
	if distinct := len(slices.Compact(slices.Clone(handed))); distinct != len(handed) || distinct != many {
		t.Errorf("handed out %d, %d of them distinct", len(handed), distinct)
	}
	if left, err := d.AnnouncementsLeft(t.Context()); err != nil || left.Left != many || time.Until(left.Next) < 30*time.Second {
		t.Errorf("left %+v, %v", left, err)
	}
	d.sql(`UPDATE deliveries SET claimed_until = now() - interval '1 second' WHERE queue = 'announcement' AND n = $1`, handed[3])
	if id, found, err := d.NextAnnouncement(t.Context(), "another", time.Minute); err != nil || !found || id != handed[3] {
		t.Errorf("a dead try's mail: %d, %v, %v", id, found, err)
	}
	if err := d.HoldAnnouncement(t.Context(), handed[3], "try 1", anHour); err != nil || one[bool](d, `SELECT claimed_until > now() + interval '30 minutes' FROM deliveries WHERE queue = 'announcement' AND n = $1`, handed[3]) {
		t.Errorf("a dead try holds on to a mail: %v", err)
	}
}

func TestAnnouncementDeferred_leavesTheMailAloneForAGrowingWhile(t *testing.T) {
	d := open(t)
	d.waitingSince(d.customer, aDay)
	d.begun(d.declare(closedBy("Closed.")), anHour)
	d.announce()
	id, _, err := d.NextAnnouncement(t.Context(), "a try", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var first time.Time
	for i, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		since, err := d.DeferDelivery(t.Context(), ofAnnouncement(id), "", want)
		if i == 0 {
			first = since
		}
		pause := time.Until(one[time.Time](d, `SELECT not_before FROM deliveries WHERE queue = 'announcement'`))
		if err != nil || !since.Equal(first) || pause < want-10*time.Second || pause > want {
			t.Errorf("deferral %d: since %s, pause %s, want %s, %v", i, since, pause, want, err)
		}
	}
	if err := d.ReleaseAnnouncement(t.Context(), id, "a try"); err != nil {
		t.Fatal(err)
	}
	if _, found, err := d.NextAnnouncement(t.Context(), "a try", time.Minute); found || err != nil {
		t.Errorf("it is handed out at once: %v", err)
	}
	_, _, _, err = d.mails.Announcement(t.Context(), id+1)
	wantKind(t, err, fault.NotFound)
	wantKind(t, d.AnnouncementSent(t.Context(), id+1), fault.NotFound)
}

func TestMailState_countsAnnouncements(t *testing.T) {
	d := open(t)
	d.waitingSince(d.customer, aDay)
	d.waitingSince(d.other, aDay)
	d.begun(d.declare(closedBy("Closed.")), anHour)
	d.announce()
	id, _, err := d.NextAnnouncement(t.Context(), "a try", time.Minute)
	if err == nil {
		err = d.AnnouncementBounced(t.Context(), id, "550 5.1.1 no such user")
	}
	state, failed := d.MailState(t.Context(), time.Now().Add(-anHour))
	if err != nil || failed != nil || state.AnnouncementsWaiting != 1 || state.AnnouncementsBounced != 1 {
		t.Errorf("%+v, %v, %v", state, err, failed)
	}
}

// announceToSome says that some tickets are not right yet.
func (d *fixture) announceToSome() ticket.AnnounceResult {
	d.t.Helper()
	schedule, err := d.Schedule(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	result, err := d.Announce(d.t.Context(), ticket.AnnounceRequest{
		CheckedAt: one[time.Time](d, `SELECT clock_timestamp()`), Revision: schedule.Revision, Partial: true,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return result
}

func (d *fixture) wantAnnouncementMails(kind desk.AnnouncementKind, to ...desk.Person) {
	d.t.Helper()
	mails := d.announcementMails()
	for _, p := range to {
		if mails[p.Address].Announces != kind {
			d.t.Errorf("%s is owed %q, want %q", p.Address, mails[p.Address].Announces, kind)
		}
	}
	if len(mails) != len(to) {
		d.t.Errorf("owed %d mails, want %d: %s", len(mails), len(to), d.deliveryStatuses())
	}
}

// One ticket that can't take its step keeps only its own requester's mail.
func TestAnnounce_holdsBackOnlyThoseWhoseTicketIsNotRight(t *testing.T) {
	d := open(t)
	third := d.add(ticket.RoleCustomer, "Theo Third", "theo@example.com")
	n, stuck, theirs := d.taken(d.customer), d.taken(d.other), d.taken(third)
	alsoTheirs := d.taken(third)
	e := d.declare(closedBy("Closed."))
	transition := d.awaitTransition()
	d.applyTransitions(n, theirs) // and another of the third's tickets is behind still
	p := d.checkFanout(transition)
	if want := slices.Sorted(slices.Values([]ticket.Number{stuck, alsoTheirs})); !slices.Equal(p.Late, want) {
		t.Errorf("the proof names %v, want %v", p.Late, want)
	}
	if result := d.announceToSome(); result != (ticket.AnnounceResult{Announcements: 1, Left: 1, Held: 2}) {
		t.Errorf("announced %+v: %s", result, d.deliveryStatuses())
	}
	d.wantAnnouncementMails(desk.AnnounceStarted, d.customer)
	d.applyTransitions(alsoTheirs)
	if result := d.announceToSome(); result != (ticket.AnnounceResult{Left: 2, Held: 1}) {
		t.Errorf("announced again %+v: %s", result, d.deliveryStatuses())
	}
	d.wantAnnouncementMails(desk.AnnounceStarted, d.customer, third)
	if _, found, err := d.NextAnnouncement(t.Context(), "a try", 0); err != nil || !found {
		t.Errorf("nothing can be sent: %v", err)
	}
	if bag, err := d.CountAnnouncementMails(t.Context(), e.ID); err != nil || bag.Held != 1 || bag.Owed != 2 || bag.All() != 3 {
		t.Errorf("mails %+v, %v", bag, err)
	}

	// A change made meanwhile is announced to each of them once, and replaces the unsent mails.
	until := time.Now().AddDate(0, 0, 2).Truncate(time.Second)
	for _, id := range one[[]int64](d, `SELECT array_agg(n) FROM deliveries WHERE queue = 'announcement' AND status = 'owed'`) {
		if err := d.AnnouncementSent(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := app.ChangeEmergency(t.Context(), d, d.supervisor, e.ID, desk.EmergencyChange{Until: &until}); err != nil {
		t.Fatal(err)
	}
	if result := d.announceToSome(); result != (ticket.AnnounceResult{Announcements: 1, Left: 2, Held: 1}) {
		t.Errorf("announced the change %+v: %s", result, d.deliveryStatuses())
	}
	d.wantAnnouncementMails(desk.AnnounceChanged, d.customer, third)

	// Paused, and then not, although the emergency pauses clocks: late as well.
	d.applyTransitions(stuck)
	d.sql(`UPDATE tickets SET paused_by = NULL WHERE number = $1`, stuck)
	if result := d.announceToSome(); result.Held != 1 {
		t.Errorf("of a ticket that is not paused: %+v", result)
	}
	d.sql(`UPDATE tickets SET paused_by = $2 WHERE number = $1`, stuck, e.ID)
	if result := d.announceToSome(); result != (ticket.AnnounceResult{Left: 3}) {
		t.Errorf("when all are right: %+v", result)
	}
	mails := d.announcementMails()
	if mails[d.customer.Address].Announces != desk.AnnounceChanged || mails[third.Address].Announces != desk.AnnounceChanged ||
		mails[d.other.Address].Announces != desk.AnnounceStarted || len(mails) != 3 { // the third requester's first mail
		t.Errorf("owed are %+v", mails)
	}
	if result := d.announce(); result != (ticket.AnnounceResult{Left: 3}) {
		t.Errorf("when that is verified: %+v", result)
	}
	if got := d.deliveryStatuses(); got != "owed 3, sent 2, superseded 1" {
		t.Errorf("in the end %s", got)
	}
}

func TestAnnounce_makesEveryMailDueOnceAllTicketsAreUpToDate(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.declare(closedBy("Closed."))
	transition := d.awaitTransition()
	d.checkFanout(transition)
	if result := d.announceToSome(); result.Held != 1 || result.Left != 0 {
		t.Errorf("announced %+v", result)
	}
	late := func(want ...ticket.Number) {
		t.Helper()
		f, ok, err := d.LatestFanout(t.Context())
		if err != nil || !ok || f.Behind != 1 || !slices.Equal(f.Late, want) {
			t.Errorf("supervisors see %+v, %v; want %v named", f, err, want)
		}
	}
	late()
	d.sql(`UPDATE fanouts SET began_at = began_at - interval '3 minutes'`)
	late(n)
	if result := d.announce(); result.Left != 1 || result.Held != 0 {
		t.Errorf("when all are verified: %+v", result)
	}
	d.wantAnnouncementMails(desk.AnnounceStarted, d.customer)
}
