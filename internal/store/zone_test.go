package store_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// moving is a policy in a time zone whose rules this test defines.
const moving = `
time_zone: Test/Moving
hours: {monday: ["09:00-10:00"], tuesday: ["09:00-10:00"], wednesday: ["09:00-10:00"], thursday: ["09:00-10:00"], friday: ["09:00-10:00"], saturday: ["09:00-10:00"], sunday: ["09:00-10:00"]}
clocks:
  first_response: {target: 20h, counts: business_hours, remind_at: 50%}
  resolution: {target: 40h, counts: business_hours, pauses: [waiting]}
`

// The environment by which TestZone_recordedInstantsStand runs itself as another program: time zone data is read once.
const (
	envZoneDSN    = "SUPPORTDESK_TEST_ZONE_DSN"
	envZoneNumber = "SUPPORTDESK_TEST_ZONE_NUMBER"
)

// TestZone_recordedInstantsStand has a worker with newer time zone data take over a running ticket: what is recorded
// stays as it is, and only later events are computed by the new rules.
func TestZone_recordedInstantsStand(t *testing.T) {
	if dsn := os.Getenv(envZoneDSN); dsn != "" {
		work(t, dsn, ticket.Number(os.Getenv(envZoneNumber)))
		return
	}
	dsn := pgtest.Template(t, "store", store.Migrate)
	before := under(t, dsn, "", 1)
	number := before["number"]
	recorded := ledgers(t, dsn, number)
	after := under(t, dsn, number, 3)
	if before["promise"] == after["promise"] {
		t.Fatalf("both rules promise %s: the test shows nothing", after["promise"])
	}
	now := ledgers(t, dsn, number)
	for i, was := range recorded {
		if now[i] != was {
			t.Errorf("recorded was\n%s\nand is\n%s", was, now[i])
		}
	}
	if !strings.Contains(recorded[2], before["promise"]) {
		t.Errorf("the first response is due %s, promised %s", recorded[2], before["promise"])
	}
}

// ledgers returns the stored clocks and promised instant of a ticket.
func ledgers(t *testing.T, dsn, number string) [3]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var all [3]string
	var due time.Time
	err = conn.QueryRow(t.Context(), `SELECT state->'ticket'->'first_response'->>'clock', state->'ticket'->'resolution'->>'clock', promise_due
		FROM tickets WHERE number = $1`, number).Scan(&all[0], &all[1], &due)
	if err != nil {
		t.Fatal(err)
	}
	all[2] = due.UTC().Format(time.RFC3339)
	return all
}

// under runs this test as a process in whose zone files Test/Moving is the given number of hours ahead of UTC, and
// returns its output.
func under(t *testing.T, dsn, number string, hours int) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "Test"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Test", "Moving"), zoneFile(hours), 0o600); err != nil {
		t.Fatal(err)
	}
	program := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestZone_recordedInstantsStand$", "-test.v")
	program.Env = append(os.Environ(), "ZONEINFO="+dir, envZoneDSN+"="+dsn, envZoneNumber+"="+number)
	out, err := program.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			said[key] = value
		}
	}
	return said
}

// work is the process: it submits a ticket, or steps it again.
func work(t *testing.T, dsn string, number ticket.Number) {
	var d *fixture
	if number == "" {
		d = staffed(t, dsn, moving)
		number = d.taken(d.customer)
	} else {
		s, err := store.Open(t.Context(), dsn, store.Options{MaxConns: 4})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		d = &fixture{Store: s, Steps: app.NewSteps(s, app.MaxCommands), t: t, dsn: dsn}
		if d.agent, err = s.PersonByHandleOrAddress(t.Context(), "anna@desk.example"); err != nil {
			t.Fatal(err)
		}
		d.do(d.agent, desk.Request{Number: number, Verb: ticket.VerbAssign})
		d.do(d.agent, desk.Request{Number: number, Verb: ticket.VerbNote, Body: "Looking into it."})
	}
	record, err := d.Track(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	promised, err := policyOf(t, d).DeadlinesFor(record.Submitted, policy.PriorityNormal)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("number=%s\npromise=%s\n", number, promised.FirstResponse.Format(time.RFC3339))
}

func policyOf(t *testing.T, d *fixture) *policy.Policy {
	t.Helper()
	p, err := d.Policy(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// zoneFile is a TZif file (RFC 8536) of a zone that is always so many hours ahead of UTC.
func zoneFile(hours int) []byte {
	var b bytes.Buffer
	for range 2 { // the old format, then the new one
		b.WriteString("TZif2")
		b.Write(make([]byte, 15))
		for _, count := range []uint32{0, 0, 0, 0, 1, 4} { // of them one type and four characters
			_ = binary.Write(&b, binary.BigEndian, count) // never fails on a buffer
		}
		_ = binary.Write(&b, binary.BigEndian, int32(hours*3600))
		b.WriteString("\x00\x00TST\x00")
	}
	fmt.Fprintf(&b, "\nTST-%d\n", hours)
	return b.Bytes()
}
