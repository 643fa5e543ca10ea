package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// slack is what a machine that is busy may need beyond a time-out. What doesn't time out waits for ever.
const slack = 2 * time.Minute

// TestChild is no test: the tests below run it as a process of its own, which they stop. What it prints behind an @ is
// for them.
func TestChild(t *testing.T) {
	dsn, number := os.Getenv("CHILD_DSN"), ticket.Number(os.Getenv("CHILD_TICKET"))
	say := func(format string, args ...any) { fmt.Printf("@"+format+"\n", args...) }
	switch os.Getenv("CHILD_DOES") {
	case "step":
		retry(say, func() error {
			_, err := app.NewSteps(childStore(t, dsn), app.MaxCommands).Step(t.Context(), ticket.StepRequest{Number: number, Command: 1})
			return err
		})
	case "deliver":
		_, err := childStore(t, dsn).Undelivered(t.Context(), 10, 10, func(_ context.Context, all []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
			say("handed out %d", len(all))
			_, err := bufio.NewReader(os.Stdin).ReadString('\n')
			return all, err
		})
		say("settled, %v", err)
	case "migrate":
		retry(say, func() error { return store.Migrate(t.Context(), dsn) })
	}
}

func childStore(t *testing.T, dsn string) *store.Store {
	s, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// retry repeats do while it returns Unavailable, as a worker does.
func retry(say func(string, ...any), do func() error) {
	for {
		err := do()
		if fault.KindOf(err) != fault.Unavailable {
			say("done, %v", err)
			return
		}
		say("unavailable")
	}
}

// child is a process that a test can stop and resume.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	output chan string
}

func startChild(t *testing.T, does, dsn string, n ticket.Number) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0], "-test.run=^TestChild$"), output: make(chan string, 100)}
	c.cmd.Env = append(os.Environ(), "CHILD_DOES="+does, "CHILD_DSN="+dsn, "CHILD_TICKET="+string(n))
	c.cmd.Stderr = os.Stderr
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.output)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if line, ours := strings.CutPrefix(lines.Text(), "@"); ours {
				c.output <- line
			}
		}
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	return c
}

// awaitLine waits for a line of output.
func (c *child) awaitLine(want string) {
	c.t.Helper()
	for {
		select {
		case line, running := <-c.output:
			if line == want {
				return
			}
			if !running {
				c.t.Fatalf("the child ended and did not say %q", want)
			}
			c.t.Logf("the child says %q", line)
		case <-time.After(slack):
			c.t.Fatalf("the child does not say %q", want)
		}
	}
}

// stop returns when the kernel has stopped every thread of the process.
func (c *child) stop() {
	c.t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		c.t.Fatal(err)
	}
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(c.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || !status.Stopped() {
			c.t.Fatalf("the child is not stopped: %v, %v", status, err)
		}
		return
	}
}

func (c *child) resume() {
	c.t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		c.t.Fatal(err)
	}
}

// hold runs a statement in a transaction and keeps its locks until the returned function is called.
func (d *fixture) hold(statement string, args ...any) (letGo func()) {
	d.t.Helper()
	tx, err := d.beside.Begin(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	letGo = func() { _ = tx.Rollback(context.Background()) }
	d.t.Cleanup(letGo)
	if _, err := tx.Exec(d.t.Context(), statement, args...); err != nil {
		d.t.Fatal(err)
	}
	return letGo
}

// await waits until a query returns true.
func (d *fixture) await(what, query string, args ...any) {
	d.t.Helper()
	for deadline := time.Now().Add(slack); !one[bool](d, query, args...); {
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: not within %s", what, slack)
		}
	}
}

// lockingSession selects the sessions of this database that hold an advisory lock, in a state of pg_stat_activity.
const lockingSession = `SELECT EXISTS (SELECT FROM pg_stat_activity a JOIN pg_locks l USING (pid)
	WHERE a.datname = current_database() AND l.locktype = 'advisory' AND l.granted AND `

func TestStep_ofAFrozenProcessHoldsUpNoEmergencyForLong(t *testing.T) {
	d := open(t)
	n := d.submit(d.customer).Number
	letGo := d.hold(`SELECT FROM tickets WHERE number = $1 FOR UPDATE`, n)
	c := startChild(t, "step", d.dsn, n)
	d.await("a step with the schedule's lock", lockingSession+`a.wait_event_type = 'Lock')`)
	c.stop()
	letGo()
	d.await("a transaction that is frozen", lockingSession+`a.state = 'idle in transaction')`)

	stood := time.Now()
	var declared desk.Emergency
	var err error
	for {
		declared, err = app.DeclareEmergency(t.Context(), d, d.supervisor, closedBy("Closed."))
		if fault.KindOf(err) != fault.Unavailable || time.Since(stood) > slack {
			break
		}
	}
	if err != nil {
		t.Fatalf("after %s no one can declare an emergency: %v", time.Since(stood), err)
	}
	t.Logf("declared after %s", time.Since(stood))
	c.resume()
	c.awaitLine("unavailable")
	c.awaitLine("done, <nil>")
	d.awaitTransition()
	d.applyTransitions(n)
	d.consistent(n)
	if at := one[time.Time](d, `SELECT (data->>'at')::timestamptz FROM events WHERE ticket = $1 AND kind = 'paused'`, n); !at.Equal(declared.From) {
		t.Errorf("paused at %s, want %s", at, declared.From)
	}
}

func TestUndelivered_ofAFrozenProcessIsDeliveredByAnother(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	note := desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Words."}
	d.ask(d.agent, note)
	c := startChild(t, "deliver", d.dsn, n)
	c.awaitLine("handed out 1")
	d.ask(d.agent, note)
	claimed := one[time.Time](d, `SELECT claimed_until FROM undelivered WHERE ticket = $1 AND seq = 2`, n)
	d.await("a renewal", `SELECT claimed_until > $2 FROM undelivered WHERE ticket = $1 AND seq = 2`, n, claimed)
	if held := one[int](d, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`); held > 0 {
		t.Errorf("%d transactions are held while commands are delivered", held)
	}
	for deadline := claimed.Add(time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) { // beyond what it claimed first
		if early := d.deliverAll(); len(early) > 0 {
			t.Fatalf("%+v is handed out to another as well", early)
		}
	}
	c.stop()
	stood := time.Now()
	var all []desk.AcceptedCommand
	for len(all) == 0 && time.Since(stood) < slack {
		all = d.deliverAll()
	}
	if len(all) != 2 || all[0].Command.Seq != 2 || all[1].Command.Seq != 3 {
		t.Fatalf("after %s another is handed %+v", time.Since(stood), all)
	}
	t.Logf("taken over after %s", time.Since(stood))
	c.resume()
	if _, err := io.WriteString(c.stdin, "go on\n"); err != nil {
		t.Fatal(err)
	}
	c.awaitLine("settled, <nil>")
	if left := d.deliverAll(); len(left) > 0 {
		t.Errorf("left %+v", left)
	}
	if known := one[int](d, `SELECT count(delivered_at) FROM undelivered`); known != 2 {
		t.Errorf("%d commands are known as delivered and not decided, want 2", known)
	}
	d.step(ticket.StepRequest{Number: n, Command: 3})
	if known := one[int](d, `SELECT count(*) FROM undelivered`); known != 0 {
		t.Errorf("%d commands are left when all are decided", known)
	}
	d.consistent(n)
}

func TestMigrate_ofAFrozenProcessBlocksNoOther(t *testing.T) {
	beside, err := pgxpool.New(t.Context(), pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(beside.Close)
	d := &fixture{t: t, dsn: beside.Config().ConnString(), beside: beside}
	letGo := d.hold(`CREATE TABLE people ()`) // as a migration does
	c := startChild(t, "migrate", d.dsn, "")
	d.await("a migration under way", lockingSession+`a.wait_event_type = 'Lock')`)
	c.stop()
	letGo()
	ctx, cancel := context.WithTimeout(t.Context(), slack)
	defer cancel()
	if err := store.Migrate(ctx, d.dsn); err != nil {
		t.Error(err)
	}
	c.resume()
	c.awaitLine("unavailable")
	c.awaitLine("done, <nil>")
}
