package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// resolved returns a resolved ticket without a rating.
func (d *fixture) resolved() ticket.Number {
	d.t.Helper()
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "It is on its way."})
	return n
}

func (d *fixture) rate(by desk.Person, n ticket.Number, score int, comment string) error {
	_, err := d.tickets.Rate(d.t.Context(), by, desk.Rating{Number: n, Score: score, Comment: comment})
	return err
}

func TestRate_keepsTheLatestOnly(t *testing.T) {
	d := open(t)
	n := d.resolved()
	_, err := d.Rating(t.Context(), d.customer, n)
	wantKind(t, err, fault.NotFound)
	if err := d.rate(d.customer, n, 2, "Slow."); err != nil {
		t.Fatal(err)
	}
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbClose})
	got, err := d.tickets.Rate(t.Context(), d.customer, desk.Rating{Number: n, Score: 5, Comment: strings.Repeat("é", desk.MaxComment)})
	if err != nil || time.Since(got.At) > time.Minute || got.At.Nanosecond() != 0 || got.At.Location() != time.UTC {
		t.Fatalf("got %+v, %v", got, err)
	}
	for _, viewer := range []desk.Person{d.customer, d.agent} {
		if read, err := d.Rating(t.Context(), viewer, n); read != got || err != nil {
			t.Errorf("%s reads %+v, %v", viewer.Role, read, err)
		}
	}
	if rows := one[int64](d, `SELECT count(*) FROM ratings`); rows != 1 {
		t.Errorf("%d ratings, want 1", rows)
	}
	d.consistent(n)
}

func TestRate_onlyOnceResolvedAndNotForever(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	wantCode(t, d.rate(d.customer, n, 5, ""), app.CodeTooEarly)
	wantCode(t, d.rate(d.customer, d.submit(d.customer).Number, 5, ""), app.CodeTooEarly)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Done."})
	d.do(d.customer, desk.Request{Number: n, Verb: ticket.VerbClose})
	age := func(by time.Duration) {
		d.sql(`UPDATE events SET at = clock_timestamp() - $2::interval WHERE ticket = $1 AND kind = 'closed'`, n, by)
	}
	age(desk.RatingTime - time.Minute)
	if err := d.rate(d.customer, n, 4, "Nice."); err != nil {
		t.Errorf("shortly before the end: %v", err)
	}
	age(desk.RatingTime + time.Minute)
	wantCode(t, d.rate(d.customer, n, 1, "Not nice."), app.CodeTooLate)
	if r, err := d.Rating(t.Context(), d.customer, n); r.Score != 4 || err != nil {
		t.Errorf("what was stored is now %+v, %v", r, err)
	}
}

func TestRate_isTheRequestersAlone(t *testing.T) {
	d := open(t)
	n := d.resolved()
	wantKind(t, d.rate(d.other, n, 1, ""), fault.NotFound)
	wantKind(t, d.rate(d.agent, n, 5, ""), fault.Forbidden)
	wantKind(t, d.rate(d.customer, "HM-0000000000", 5, ""), fault.NotFound)
	wantKind(t, d.rate(d.customer, n, 5, "a\x00b"), fault.Invalid)
	if err := d.rate(d.customer, n, 3, ""); err != nil {
		t.Fatal(err)
	}
	_, err := d.Rating(t.Context(), d.other, n)
	wantKind(t, err, fault.NotFound)
}
