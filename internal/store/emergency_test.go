package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func closedBy(notice string) desk.EmergencyPlan {
	return desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: notice}
}

func (d *fixture) declare(p desk.EmergencyPlan) desk.Emergency {
	d.t.Helper()
	e, err := app.DeclareEmergency(d.t.Context(), d, d.supervisor, p)
	if err != nil {
		d.t.Fatal(err)
	}
	return e
}

// begun moves an emergency into the past, as if time had passed.
func (d *fixture) begun(e desk.Emergency, ago time.Duration) desk.Emergency {
	d.t.Helper()
	d.sql(`UPDATE emergencies SET starts_at = starts_at - $2::interval, ends_at = ends_at - $2::interval WHERE id = $1`, e.ID, ago)
	d.sql(`UPDATE emergency_delays SET starts_at = starts_at - $2::interval WHERE emergency = $1`, e.ID, ago)
	e, err := d.Emergency(d.t.Context(), e.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return e
}

func (d *fixture) acts(id ticket.EmergencyID) string {
	d.t.Helper()
	edits, err := d.EmergencyChanges(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	said := ""
	for _, e := range edits {
		said += fmt.Sprintf("%d %s by %q; ", e.Revision, e.Act, e.By.Name)
	}
	return said
}

func TestDeclareEmergency_isStoredAndRecorded(t *testing.T) {
	d := open(t)
	before := time.Now()
	p := desk.EmergencyPlan{
		Kind: ticket.EmergencyDelayed, Notice: "Half of us are ill.\n\n<b>Sorry.</b> ", By: 24 * time.Hour,
		Until: time.Now().Add(48 * time.Hour).Truncate(time.Second),
	}
	made := d.declare(p)
	read, err := d.Emergency(t.Context(), made.ID)
	if err != nil || !read.Same(made) || read.By != made.By || !read.Declared.Equal(made.Declared) || read.By.ID != d.supervisor.ID || read.Revision != 1 || made.Revision != 1 {
		t.Errorf("stored %+v (%v), made %+v", read, err, made)
	}
	// The database's clock is this machine's.
	if made.From.Before(before) || made.From.After(time.Now().Add(time.Second)) || made.From.Nanosecond() != 0 {
		t.Errorf("declared at %s it begins at %s", before, made.From)
	}
	if read.Notice != "Half of us are ill.\n\n<b>Sorry.</b>" || !read.Until.Equal(p.Until) || read.Delay() != 24*time.Hour {
		t.Errorf("stored %+v", read)
	}
	edits, err := d.EmergencyChanges(t.Context(), made.ID)
	if err != nil || len(edits) != 1 || edits[0].Act != desk.ActionDeclared || edits[0].By.Name != "Sue Supervisor" || edits[0].After != read.State() {
		t.Errorf("recorded %+v, %v", edits, err)
	}
	later := d.declare(closedBy("A flood."))
	all, err := d.Emergencies(t.Context())
	if err != nil || len(all) != 2 || all[0].ID != later.ID || all[0].Revision != 2 {
		t.Errorf("listed %+v, %v", all, err)
	}
}

func TestDeclareEmergency_byHandHasNoAuthor(t *testing.T) {
	d := open(t)
	e, err := app.DeclareEmergency(t.Context(), d, desk.Person{}, closedBy("A storm."))
	if err != nil || e.By != (desk.Ref{}) {
		t.Fatalf("%+v, %v", e, err)
	}
	if got := d.acts(e.ID); got != `1 declared by ""; ` {
		t.Error(got)
	}
}

func TestEmergency_isForSupervisors(t *testing.T) {
	d := open(t)
	m, _ := d.command()
	e := d.declare(closedBy("A flood."))
	for _, by := range []desk.Person{d.customer, d.agent} {
		_, err := m.Declare(t.Context(), by, closedBy("Mine."))
		wantKind(t, err, fault.Forbidden)
		_, err = m.Change(t.Context(), by, e.ID, desk.EmergencyChange{})
		wantKind(t, err, fault.Forbidden)
		_, err = m.End(t.Context(), by, e.ID)
		wantKind(t, err, fault.Forbidden)
	}
	if _, err := m.End(t.Context(), d.administrator, e.ID); err != nil {
		t.Error(err)
	}
}

func TestEmergency_unknownOnesAreNotFound(t *testing.T) {
	d := open(t)
	for _, id := range []ticket.EmergencyID{ticket.NewEmergencyID(), "", "E-'; DROP TABLE", "\x7f"} {
		_, err := d.Emergency(t.Context(), id)
		wantKind(t, err, fault.NotFound)
		_, err = app.ChangeEmergency(t.Context(), d, d.supervisor, id, desk.EmergencyChange{})
		wantKind(t, err, fault.NotFound)
		_, err = app.EndEmergency(t.Context(), d, d.supervisor, id)
		wantKind(t, err, fault.NotFound)
	}
	if n := one[int64](d, `SELECT revision FROM emergency_schedule`); n != 0 {
		t.Errorf("the schedule is at revision %d", n)
	}
}

func TestDeclareEmergency_refusedLeavesNothing(t *testing.T) {
	d := open(t)
	for _, p := range []desk.EmergencyPlan{{}, closedBy("a\x00"), {Kind: ticket.EmergencyClosed, Notice: "x", From: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}} {
		_, err := app.DeclareEmergency(t.Context(), d, d.supervisor, p)
		wantKind(t, err, fault.Invalid)
	}
	if n := one[int64](d, `SELECT revision + (SELECT count(*) FROM emergencies) + (SELECT count(*) FROM emergency_changes) FROM emergency_schedule`); n != 0 {
		t.Errorf("%d traces", n)
	}
}

func TestDeclareEmergency_isLimitedInNumber(t *testing.T) {
	d := open(t)
	var first desk.Emergency
	for i := range desk.MaxEmergencies {
		if e := d.declare(closedBy(fmt.Sprint("Flood ", i))); i == 0 {
			first = e
		}
	}
	before := one[int64](d, `SELECT revision FROM emergency_schedule`)
	_, err := app.DeclareEmergency(t.Context(), d, d.supervisor, closedBy("One more."))
	wantKind(t, err, fault.Conflict)
	_, err = app.DeclareEmergency(t.Context(), d, desk.Person{}, closedBy("One more, by hand."))
	wantKind(t, err, fault.Conflict)
	m, _ := d.command()
	_, err = m.DryDeclare(t.Context(), d.supervisor, closedBy("One more."))
	wantKind(t, err, fault.Conflict)
	if after := one[int64](d, `SELECT revision FROM emergency_schedule`); after != before {
		t.Errorf("the schedule went from revision %d to %d", before, after)
	}
	d.begun(first, time.Hour)
	d.sql(`UPDATE emergencies SET ends_at = date_trunc('second', now()) - interval '1 minute' WHERE id = $1`, first.ID)
	d.declare(closedBy("In the place of one that is over."))
}

func TestDeclareEmergency_onceForAKey(t *testing.T) {
	d := open(t)
	p := closedBy("A flood.")
	p.IdempotencyKey = desk.IdempotencyKey{Key: "k", Fingerprint: bytes.Repeat([]byte{1}, 32)}
	ids := make([]ticket.EmergencyID, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			e, err := app.DeclareEmergency(t.Context(), d, d.supervisor, p)
			if err != nil {
				t.Error(err)
			}
			ids[i] = e.ID
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("one key made %s and %s", ids[0], id)
		}
	}
	if _, err := app.DeclareEmergency(t.Context(), d, d.administrator, p); err != nil { // the key is each person's own
		t.Error(err)
	}
	p.IdempotencyKey.Fingerprint = bytes.Repeat([]byte{2}, 32)
	_, err := app.DeclareEmergency(t.Context(), d, d.supervisor, p)
	wantCode(t, errors.Unwrap(err), desk.CodeKeyReused)
	if n := one[int64](d, `SELECT count(*) FROM emergencies`); n != 2 {
		t.Errorf("%d were declared", n)
	}
}

func TestChangeEmergency_fromNowOn(t *testing.T) {
	d := open(t)
	p := desk.EmergencyPlan{Kind: ticket.EmergencyDelayed, Notice: "Ill.", By: time.Hour}
	e := d.begun(d.declare(p), time.Hour)
	by, until, words := 3*time.Hour, time.Now().Add(time.Hour).Truncate(time.Second), "Many are ill."
	after, err := app.ChangeEmergency(t.Context(), d, d.administrator, e.ID, desk.EmergencyChange{By: &by, Until: &until, Notice: &words})
	if err != nil {
		t.Fatal(err)
	}
	if len(after.Delays) != 2 || after.Delays[0] != e.Delays[0] || !after.Delays[1].From.After(time.Now().Add(-2*time.Second)) {
		t.Errorf("delays %v became %v", e.Delays, after.Delays)
	}
	if read, err := d.Emergency(t.Context(), e.ID); err != nil || !read.Same(after) || read.Revision != 2 {
		t.Errorf("stored %+v (%v), want %+v", read, err, after)
	}
	again, err := app.ChangeEmergency(t.Context(), d, d.supervisor, e.ID, desk.EmergencyChange{By: &by, Until: &until, Notice: &words})
	if err != nil || again.Revision != 2 {
		t.Errorf("nothing changed and it is revision %d, %v", again.Revision, err)
	}
	if got := d.acts(e.ID); got != `1 declared by "Sue Supervisor"; 2 changed by "Ada Administrator"; ` {
		t.Error(got)
	}
	lifted, err := app.EndEmergency(t.Context(), d, d.supervisor, e.ID)
	if err != nil || lifted.Until.After(time.Now().Add(time.Second)) {
		t.Errorf("lifted: %+v, %v", lifted, err)
	}
	e = d.begun(lifted, time.Hour)
	_, err = app.ChangeEmergency(t.Context(), d, d.supervisor, e.ID, desk.EmergencyChange{Until: &until})
	wantCode(t, errors.Unwrap(err), desk.CodeEmergencyOver)
}

func TestEndEmergency_cancelsWhatIsPlanned(t *testing.T) {
	d := open(t)
	p := closedBy("A strike.")
	p.From = time.Now().Add(24 * time.Hour).Truncate(time.Second)
	e := d.declare(p)
	e, err := app.EndEmergency(t.Context(), d, d.supervisor, e.ID)
	if err != nil || e.Stage(time.Now()) != desk.StageCancelled || !e.From.Equal(p.From) {
		t.Fatalf("%+v, %v", e, err)
	}
	_, err = app.EndEmergency(t.Context(), d, d.supervisor, e.ID)
	wantKind(t, err, fault.Conflict)
	if got := d.acts(e.ID); got != `1 declared by "Sue Supervisor"; 2 cancelled by "Sue Supervisor"; ` {
		t.Error(got)
	}
}

// TestEmergency_twoSupervisors has two supervisors lift an emergency that they also change: one lifts it, and nothing
// is lost or done twice.
func TestEmergency_twoSupervisors(t *testing.T) {
	d := open(t)
	e := d.begun(d.declare(closedBy("A flood.")), time.Minute)
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			by := []desk.Person{d.supervisor, d.administrator}[i%2]
			var err error
			if i < 10 {
				words := fmt.Sprint("Words ", i)
				_, err = app.ChangeEmergency(t.Context(), d, by, e.ID, desk.EmergencyChange{Notice: &words, Until: &until})
			} else {
				_, err = app.EndEmergency(t.Context(), d, by, e.ID)
			}
			if err != nil && fault.KindOf(err) != fault.Conflict && fault.KindOf(err) != fault.Invalid {
				t.Error(err)
			}
		})
	}
	all.Wait()
	e, err := d.Emergency(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	edits, err := d.EmergencyChanges(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range edits {
		if c.Revision != int64(i+1) {
			t.Errorf("change %d has number %d", i+1, c.Revision)
		}
	}
	last := edits[len(edits)-1]
	if e.Revision != last.Revision || last.After != e.State() || e.Revision != one[int64](d, `SELECT revision FROM emergency_schedule`) {
		t.Errorf("it stands at %+v, and its record at %+v", e.State(), last)
	}
}

// TestChangeSchedule_waitsForStepsUnderWay shares the lock as a step does: a change waits for it, gives up in the end,
// and leaves nothing.
func TestChangeSchedule_waitsForStepsUnderWay(t *testing.T) {
	d := open(t)
	inside, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inside.Rollback(t.Context()) }()
	if _, err := inside.Exec(t.Context(), `SELECT pg_advisory_xact_lock_shared($1)`, store.ScheduleLock); err != nil {
		t.Fatal(err)
	}
	_, err = app.DeclareEmergency(t.Context(), d, d.supervisor, closedBy("A flood."))
	wantKind(t, err, fault.Unavailable)
	done := make(chan error, 1)
	go func() {
		_, err := app.DeclareEmergency(t.Context(), d, d.supervisor, closedBy("A flood."))
		done <- err
	}()
	for one[int64](d, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`) == 0 {
		select {
		case err := <-done:
			t.Fatalf("declared while a step is under way: %v", err)
		default:
		}
	}
	if err := inside.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := one[int64](d, `SELECT count(*) FROM emergencies`); n != 1 {
		t.Errorf("%d were declared", n)
	}
}

// TestDeclareEmergency_beginsAfterWhatWasAccepted checks that the clock is read after the lock is acquired, so that an
// emergency never begins in a second that an earlier holder used.
func TestDeclareEmergency_beginsAfterWhatWasAccepted(t *testing.T) {
	d := open(t)
	inside, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inside.Rollback(t.Context()) }()
	if _, err := inside.Exec(t.Context(), `SELECT pg_advisory_xact_lock_shared($1)`, store.ScheduleLock); err != nil {
		t.Fatal(err)
	}
	made := make(chan desk.Emergency, 1)
	go func() {
		e, err := app.DeclareEmergency(t.Context(), d, d.supervisor, closedBy("A flood."))
		if err != nil {
			t.Error(err)
		}
		made <- e
	}()
	var used time.Time // a second that began while the change waits
	for used.IsZero() {
		err := d.beside.QueryRow(t.Context(), `
			SELECT date_trunc('second', clock_timestamp()) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE l.locktype = 'advisory' AND NOT l.granted AND a.datname = current_database()
				AND date_trunc('second', a.xact_start) < date_trunc('second', clock_timestamp())`).Scan(&used)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			t.Fatal(err)
		}
	}
	if err := inside.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := <-made; !e.From.After(used) {
		t.Errorf("it begins at %s, and %s was used", e.From, used)
	}
}

func TestNotices_areThoseInForceOrPlanned(t *testing.T) {
	d := open(t)
	other, err := store.Open(t.Context(), d.dsn, store.Options{}) // another process
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	notices := func(s *store.Store) (said string) {
		t.Helper()
		all, err := s.Notices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			said += e.Notice + " "
		}
		return said
	}
	if got := notices(d.Store) + notices(other); got != "" {
		t.Errorf("at first: %s", got)
	}
	planned := closedBy("later")
	planned.From = time.Now().Add(time.Hour).Truncate(time.Second)
	later := d.declare(planned)
	d.declare(closedBy("now"))
	if got := notices(d.Store); got != "now later " {
		t.Errorf("declared: %q", got)
	}
	if got := notices(other); got != "" && got != "now later " {
		t.Errorf("elsewhere: %q", got)
	}
	if _, err := app.EndEmergency(t.Context(), d, d.supervisor, later.ID); err != nil {
		t.Fatal(err)
	}
	if got := notices(d.Store); got != "now " {
		t.Errorf("cancelled: %q", got)
	}
	for deadline := time.Now().Add(5 * time.Second); notices(other) != "now "; {
		if time.Now().After(deadline) {
			t.Fatal("another process never learns of it")
		}
	}
	words := "over soon"
	until := time.Now().Add(2 * time.Second).Truncate(time.Second)
	all, _ := d.Notices(t.Context())
	if _, err := app.ChangeEmergency(t.Context(), d, d.supervisor, all[0].ID, desk.EmergencyChange{Notice: &words, Until: &until}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); notices(d.Store) != ""; {
		if time.Now().After(deadline) {
			t.Fatal("it is shown after its end")
		}
	}
}
