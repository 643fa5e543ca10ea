package e2e_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/faulttest"
	"github.com/holesalemart/supportdesk/internal/mailtest"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/proxytest"
	"github.com/holesalemart/supportdesk/internal/temporaltest"
)

// hasty has everything happen to a ticket within a minute.
const hasty = `
name: Policy of a test of faults
contact: desk@demo.example
time_zone: UTC
clocks:
  first_response: {target: 6s, counts: calendar, remind_at: 50%}
  resolution: {target: 15s, counts: calendar, remind_at: 80%, pauses: [waiting, resolved]}
silence: {nudge_after: 4s, resolve_after: 8s, close_after: 6s}
escalation:
  - {after: 0s, tell: [assignee, supervisors]}
  - {after: 3s, tell: [supervisors]}
  - {after: 6s, tell: [supervisors, administrators]}
`

var (
	hastySteps   = []time.Duration{0, 3 * time.Second, 6 * time.Second}
	hastyTargets = map[string]time.Duration{"first_response": 6 * time.Second, "resolution": 15 * time.Second}

	hastyReminders = map[string]time.Duration{"first_response": 3 * time.Second, "resolution": 12 * time.Second}
)

// faultyDesk is a desk with two of each program, each part of which can have faults. The programs reach their neighbours, and
// clients reach the programs, by proxies; the test itself reaches PostgreSQL and Temporal directly.
type faultyDesk struct {
	*stack
	programs map[faulttest.Part]*part
	links    map[faulttest.Part][]*proxytest.Proxy
	disks    map[faulttest.Part]string // directories that are disks of their own; absent: those can't be filled
	apis     []string                  // URLs by their proxy
	lmtp     string                    // by its proxy
	pool     *pgxpool.Pool
	blobs    *blob.Store
	logs     string // the folder

	busy   map[faulttest.Part]*sync.Mutex // held during a fault
	mu     sync.Mutex
	faults []faulttest.Fault // that there were

	met  map[faulttest.Notification]int           // kills by what was under way; guarded by mu
	came map[faulttest.Notification]chan struct{} // closed when the kill that waits for it begins, met or not

	acknowledged faulttest.Acknowledged // guarded by mu
}

const (
	// PostgreSQL's programs make 40 MB of files and, with the setting below, about twice 64 MB of WAL.
	postgresDisk, blobDisk = "768m", "64m"
	walSetting             = `ALTER SYSTEM SET max_wal_size = '64MB'`
)

func openFaulty(t *testing.T) *faultyDesk {
	t.Helper()
	d := &faultyDesk{
		stack: &stack{t: t}, programs: map[faulttest.Part]*part{}, links: map[faulttest.Part][]*proxytest.Proxy{},
		disks: map[faulttest.Part]string{}, busy: map[faulttest.Part]*sync.Mutex{}, logs: logFolder(t),
		met: map[faulttest.Notification]int{},
	}
	d.acknowledged.Files = map[string]string{}
	d.postgres = pgtest.ClusterIn(t, d.disk(faulttest.Postgres, postgresDisk))
	direct := d.postgres.Database(t)
	var err error
	if d.pool, err = pgxpool.New(t.Context(), direct); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.pool.Close)
	for _, statement := range []string{walSetting, `SELECT pg_reload_conf()`} {
		if _, err := d.pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	where, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	where.Host = d.link(faulttest.PostgresLink, where.Host)
	d.database = where.String()
	d.temporal = temporaltest.Start(t)
	files := "file://" + d.disk(faulttest.Blobs, blobDisk)
	if d.blobs, err = blob.Open(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.blobs.Close() })
	receiver := freeAddress(t)
	d.lmtp = d.link(faulttest.ReceiverLink, receiver)
	d.configure(d.link(faulttest.TemporalLink, d.temporal.HostPort), append([]string{
		"SUPPORTDESK_BLOB_URL=" + files, "SUPPORTDESK_SMTP_TIMEOUT=5s",
		"SUPPORTDESK_EMERGENCY_PER_SECOND=10", // so that something dies while tickets are notified
		"SUPPORTDESK_MAIL_ADDRESSES=" + deskAddress, "SUPPORTDESK_INCOMING_LMTP_ADDRESS=" + receiver,
		"SUPPORTDESK_AUTHSERV_ID=border.example", // senders are not verified here, which would need DNS
	}, restless...))
	where = &url.URL{Host: d.link(faulttest.SMTPLink, d.mails.Addr())}
	d.env = append(d.env, "SUPPORTDESK_SMTP_HOST="+where.Hostname(), "SUPPORTDESK_SMTP_PORT="+where.Port())
	d.populate(hasty)
	d.startPrograms()
	return d
}

// logFolder is where the programs' logs are kept: as long as the test runs, if it fails, or if someone wants them.
func logFolder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("SUPPORTDESK_FAULTS_LOGS"); dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	dir, err := os.MkdirTemp("", "supportdesk-faults-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the programs' logs are in %s", dir)
		} else {
			_ = os.RemoveAll(dir)
		}
	})
	return dir
}

// disk returns a directory that is a disk of its own, if this user may mount one.
func (d *faultyDesk) disk(p faulttest.Part, size string) string {
	t := d.t.(*testing.T)
	t.Helper()
	parent := t.TempDir()
	dir := filepath.Join(parent, "disk")
	if os.Geteuid() == 0 || os.Getenv("CI") != "" {
		smallDisk(t, dir, size)
		d.disks[p] = dir
	} else {
		t.Logf("the disk of the %s is not filled: user %d can't mount one", p, os.Geteuid())
	}
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	return data
}

// link returns the address of a proxy to a neighbour.
func (d *faultyDesk) link(p faulttest.Part, address string) string {
	proxy := proxytest.Start(d.t, address)
	d.links[p] = append(d.links[p], proxy)
	return proxy.Addr()
}

func (d *faultyDesk) startPrograms() {
	for part, command := range map[faulttest.Part]string{
		faulttest.API1: "api", faulttest.API2: "api", faulttest.Worker1: "worker", faulttest.Worker2: "worker", faulttest.Receiver: "mail",
	} {
		var env []string
		if command == "api" {
			address := freeAddress(d.t)
			env = append(env, "SUPPORTDESK_HTTP_ADDRESS="+address)
			d.apis = append(d.apis, "http://"+d.link(faulttest.APILink, address))
		}
		if part == faulttest.API1 {
			d.base = d.apis[len(d.apis)-1]
		}
		p := d.program(command, env...)
		log, err := os.Create(filepath.Join(d.logs, string(part)+".log"))
		if err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(func() { _ = log.Close() })
		p.whole = log
		p.start()
		d.programs[part] = p
	}
	d.supervise()
}

// supervise starts programs again that have ended by themselves, as a scheduler does, until the test ends.
func (d *faultyDesk) supervise() {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	for part, p := range d.programs {
		watching.Go(func() {
			for look := time.NewTicker(200 * time.Millisecond); ctx.Err() == nil; {
				select {
				case <-look.C:
				case <-ctx.Done():
				}
				if ctx.Err() == nil && p.revive() {
					d.t.Logf("%s ended by itself and is started again", part)
				}
			}
		})
	}
	d.t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
}

// revive starts the program again if it has ended by itself, and reports whether it has.
func (p *part) revive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		return false
	}
	select {
	case <-p.process.Done():
	default:
		return false
	}
	process, err := p.launch()
	if err != nil {
		p.stack.t.Error(err)
	}
	p.process = process
	return true
}

// round has the faults of a round happen, each at its time, and returns when all have ended.
func (d *faultyDesk) round(faults []faulttest.Fault) {
	began := time.Now()
	for _, f := range faults {
		if d.busy[f.Part] == nil {
			d.busy[f.Part] = &sync.Mutex{}
		}
	}
	var happening sync.WaitGroup
	for _, f := range faults {
		if _, can := d.disks[f.Part]; f.Kind == faulttest.Fill && !can {
			continue
		}
		happening.Go(func() {
			time.Sleep(time.Until(began.Add(f.After))) // as the schedule has it
			d.occupy(f)
			defer d.busy[f.Part].Unlock()
			f.Began = time.Now()
			d.inflict(f)
			f.Ended = time.Now()
			d.mu.Lock()
			defer d.mu.Unlock()
			d.faults = append(d.faults, f)
		})
	}
	happening.Wait()
}

// occupy waits until the fault's part has no other fault, and what the fault has to meet is under way.
func (d *faultyDesk) occupy(f faulttest.Fault) {
	busy := d.busy[f.Part]
	if f.Amid != "" {
		defer close(d.came[f.Amid])
	}
	for deadline := time.Now().Add(holding); f.Amid != "" && time.Now().Before(deadline); {
		if busy.TryLock() {
			if notified, all := d.notified(f.Amid); all <= 5*notified && 5*notified <= 4*all && all > 1 {
				d.t.Logf("%s %s when %d of %d tickets are notified of the %s of an emergency", f.Kind, f.Part, notified, all, f.Amid)
				d.mu.Lock()
				defer d.mu.Unlock()
				d.met[f.Amid]++
				return
			}
			busy.Unlock()
		}
		time.Sleep(50 * time.Millisecond) // between looks, not instead of one
	}
	busy.Lock()
}

// holding is for how long a fault waits for what it has to meet: longer than the other faults of a round, which can keep an emergency
// from being declared and tickets from being notified.
const holding = 3 * time.Minute

// notified counts the open tickets that have recorded the start or the end of the newest emergency, and all that have to.
func (d *faultyDesk) notified(of faulttest.Notification) (notified, all int) {
	instant, kind := "starts_at", "paused"
	if of == faulttest.OfEnd {
		instant, kind = "ends_at", "resumed"
	}
	ctx, cancel := context.WithTimeout(context.Background(), waiting)
	defer cancel()
	err := d.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM events WHERE ticket = number AND kind = $1 AND data->>'emergency' = e.id)), count(*)
		FROM (SELECT id, `+instant+` AS at FROM emergencies WHERE kind = 'closed' AND cancelled_at IS NULL ORDER BY starts_at DESC LIMIT 1) e
		JOIN tickets t ON t.status <> 'closed' AND t.submitted_at < e.at AND e.at <= clock_timestamp()`, kind).Scan(&notified, &all)
	if err != nil {
		return 0, 0 // it is asked again
	}
	return notified, all
}

// inflict has a fault happen, and returns when it has ended.
func (d *faultyDesk) inflict(f faulttest.Fault) {
	lasts := func() { time.Sleep(f.Lasts) } // as the schedule has it
	if p := d.programs[f.Part]; p != nil {
		switch f.Kind {
		case faulttest.Kill:
			p.kill()
			lasts()
			p.start()
		case faulttest.Stop:
			p.stop()
			lasts()
			p.start()
		case faulttest.Freeze:
			p.signal(syscall.SIGSTOP)
			lasts()
			p.signal(syscall.SIGCONT)
		}
		return
	}
	for _, link := range d.links[f.Part] {
		switch f.Kind {
		case faulttest.Cut:
			link.Cut()
		case faulttest.Refuse:
			link.Refuse()
		case faulttest.Stall:
			link.Stall()
		case faulttest.LoseAnswers:
			link.LoseAnswers(endings[f.Part])
		}
	}
	switch f.Part {
	case faulttest.Temporal:
		d.inflictOnTemporal(f.Kind, lasts)
	case faulttest.Postgres:
		d.inflictOnPostgres(f.Kind, lasts)
	case faulttest.Blobs:
		d.full(f.Part, lasts)
	case faulttest.SMTP:
		d.refuseMails(f.Kind, lasts)
	default:
		if f.Kind != faulttest.Cut {
			lasts()
		}
	}
	for _, link := range d.links[f.Part] {
		link.Heal()
	}
}

// endings are how requests end whose answers are lost: bodies of the API are JSON, and mails end with a line of a full stop.
var endings = map[faulttest.Part]string{faulttest.APILink: "}", faulttest.ReceiverLink: "\r\n.\r\n", faulttest.SMTPLink: "\r\n.\r\n"}

func (d *faultyDesk) inflictOnTemporal(k faulttest.Kind, lasts func()) {
	switch k {
	case faulttest.Kill:
		d.temporal.Kill()
		lasts()
		d.temporal.Restart()
	case faulttest.Stop:
		d.temporal.Stop()
		lasts()
		d.temporal.Restart()
	case faulttest.Freeze:
		d.temporal.Signal(syscall.SIGSTOP)
		lasts()
		d.temporal.Signal(syscall.SIGCONT)
	}
}

func (d *faultyDesk) inflictOnPostgres(k faulttest.Kind, lasts func()) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	switch k {
	case faulttest.Kill:
		d.postgres.Kill()
		lasts()
		d.postgres.Restart()
	case faulttest.Stop:
		d.postgres.Stop()
		lasts()
		d.postgres.Restart()
	case faulttest.Freeze:
		thaw, err := d.postgres.Freeze(ctx)
		if err != nil {
			d.t.Errorf("freeze PostgreSQL: %v", err)
			return
		}
		lasts()
		thaw()
	case faulttest.Fill:
		d.full(faulttest.Postgres, lasts)
		if err := d.postgres.Recover(ctx); err != nil {
			d.t.Errorf("after its disk was full: %v", err)
		}
	}
}

// full leaves no room on a disk for a while.
func (d *faultyDesk) full(p faulttest.Part, lasts func()) {
	ballast := filepath.Join(d.disks[p], "ballast")
	fillDisk(d.t.(*testing.T), ballast)
	lasts()
	if err := os.Remove(ballast); err != nil {
		d.t.Error(err)
	}
}

func (d *faultyDesk) refuseMails(k faulttest.Kind, lasts func()) {
	switch k {
	case faulttest.Defer:
		d.mails.RejectRecipients(func(_, _ string) *smtp.SMTPError { return &smtp.SMTPError{Code: 451, Message: "try again later"} })
		lasts()
		d.mails.RejectRecipients(nil)
	case faulttest.HangUp:
		d.mails.RejectMails(func(mailtest.Message) *smtp.SMTPError { return &smtp.SMTPError{Code: 421, Message: "going down"} })
		lasts()
		d.mails.RejectMails(nil)
	}
}
