package e2e_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/mailtest"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/temporaltest"
)

// patience bounds every wait for a condition. It is no expectation of speed: machines are shared.
const patience = 2 * time.Minute

// binary is the program under test, built once.
var binary string

// together is how many tests run at once, unless -parallel says otherwise: most of the time they wait. Those that have only
// seconds for something, load the processors or change the whole process don't call Parallel, and run alone.
const together = "3"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", together); err != nil {
		panic(err)
	}
	os.Exit(withBinary(m)) // which parses the flags
}

func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "supportdesk-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "supportdesk")
	build := exec.Command("go", "build", "-o", binary, "github.com/holesalemart/supportdesk/cmd/supportdesk")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build supportdesk:", err)
		return 1
	}
	return m.Run()
}

// stack is a whole desk: neighbours and programs, each of which a test may kill and start again.
type stack struct {
	t        testing.TB
	postgres *pgtest.Server // nil: it is shared with other tests
	temporal *temporaltest.Server
	mails    *mailtest.Sink
	env      []string
	database string // its address
	base     string // URL of the API
	api      *part
	worker   *part
	dialled  client.Client // Temporal's, made when it is first needed

	customer, other, agent, supervisor person
}

// start brings up everything under a policy document; "" is Holesalemart's. The server of its database is shared with other
// tests.
func start(t testing.TB, document string, env ...string) *stack {
	t.Helper()
	s := &stack{t: t, database: pgtest.Template(t, "e2e", store.Migrate)}
	s.start(document, env)
	return s
}

// startApart is start with a PostgreSQL server of the test's own, which it may kill.
func startApart(t testing.TB, document string, env ...string) *stack {
	t.Helper()
	s := &stack{t: t, postgres: pgtest.Cluster(t)}
	s.database = s.postgres.Database(t)
	s.start(document, env)
	return s
}

func (s *stack) start(document string, env []string) {
	t := s.t
	t.Helper()
	s.temporal = temporaltest.Start(t)
	s.configure(s.temporal.HostPort, env)
	s.populate(document)
	s.worker = s.program("worker")
	s.api = s.program("api")
	s.api.start()
	s.worker.start()
}

// populate publishes a policy and adds people.
func (s *stack) populate(document string) {
	s.t.Helper()
	s.run("migrate", s.policyArgs(document)...)
	s.customer = s.invite("customer", "customer@demo.example")
	s.other = s.invite("customer", "other@demo.example")
	s.agent = s.invite("agent", "agent@demo.example", "--handle", "agent-1")
	s.supervisor = s.invite("supervisor", "supervisor@demo.example", "--handle", "supervisor-1")
}

// configure makes the environment of the programs. Temporal need not be there.
func (s *stack) configure(temporal string, env []string) {
	t := s.t
	t.Helper()
	s.mails = mailtest.New(t)
	host, port, err := net.SplitHostPort(s.mails.Addr())
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	s.base = "http://" + address
	s.env = []string{
		"SUPPORTDESK_EMERGENCY_SETTLE=0s",
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"SUPPORTDESK_DATABASE_URL=" + s.database,
		"SUPPORTDESK_HTTP_ADDRESS=" + address, "SUPPORTDESK_BASE_URL=" + s.base,
		"SUPPORTDESK_BLOB_URL=file://" + t.TempDir(),
		"SUPPORTDESK_HEALTH_ADDRESS=off", "SUPPORTDESK_MAIL_HEALTH_ADDRESS=off",
		"SUPPORTDESK_ALLOWANCES=0", // a few people do here what thousands do elsewhere
		"SUPPORTDESK_SMTP_HOST=" + host, "SUPPORTDESK_SMTP_PORT=" + port, "SUPPORTDESK_SMTP_TLS=none",
		"SUPPORTDESK_MAIL_FROM=Desk <desk@demo.example>", "SUPPORTDESK_MAILS_PER_SECOND=1000",
		"TEMPORAL_ADDRESS=" + temporal,
	}
	s.env = append(s.env, env...)
}

func (s *stack) policyArgs(document string) []string {
	if document == "" {
		return nil
	}
	file := filepath.Join(s.t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return []string{"--policy", file}
}

// run runs a command of the program to its end and returns what it printed.
func (s *stack) run(command string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append(strings.Fields(command), args...)...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("supportdesk %s: %v\n%s", command, err, out)
	}
	return string(out)
}

var tokenLine = regexp.MustCompile(`(?m)^token: (\S+)$`)

func (s *stack) invite(role, address string, more ...string) person {
	s.t.Helper()
	out := s.run("people add", append([]string{"--role", role, "--name", "Demo " + role, "--email", address}, more...)...)
	found := tokenLine.FindStringSubmatch(out)
	if found == nil {
		s.t.Fatalf("no token in %q", out)
	}
	return person{stack: s, token: found[1]}
}

// part is one of our programs.
type part struct {
	stack   *stack
	name    string
	env     []string
	mu      sync.Mutex
	process *local.Program
	log     logBuffer
	whole   io.Writer // where all of its log goes as well; nil: nowhere
}

func (s *stack) program(name string, env ...string) *part {
	p := &part{stack: s, name: name, env: append(append([]string{}, s.env...), env...)}
	s.t.Cleanup(func() {
		p.kill()
		if s.t.Failed() {
			s.t.Logf("the %s's log ends:\n%s", name, p.log.tail())
		}
	})
	return p
}

func (p *part) start() {
	p.stack.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	process, err := p.launch()
	if err != nil {
		p.stack.t.Fatal(err)
	}
	p.process = process
}

func (p *part) launch() (*local.Program, error) {
	log := io.Writer(&p.log)
	if p.whole != nil {
		log = io.MultiWriter(log, p.whole)
	}
	return local.StartProgram(local.ProgramOptions{Name: p.name, Path: binary, Args: []string{p.name}, Env: p.env, Log: log})
}

// kill ends the program as kill -9 does.
func (p *part) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process != nil {
		p.process.Kill()
		p.process = nil
	}
}

// stop ends it as a scheduler does, and fails the test if it does not end cleanly.
func (p *part) stop() {
	p.stack.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.process.Stop(); err != nil {
		p.stack.t.Errorf("stop the %s: %v", p.name, err)
	}
	p.process = nil
}

// awaitEnd waits until the program has ended by itself.
func (p *part) awaitEnd() {
	p.stack.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.process.Done():
	case <-time.After(patience):
		p.stack.t.Errorf("the %s does not end", p.name)
	}
}

// logBuffer keeps the end of what a program prints.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const logKept = 64 << 10

func (b *logBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(text)
	if extra := b.text.Len() - logKept; extra > 0 {
		b.text.Next(extra)
	}
	return len(text), nil
}

func (b *logBuffer) tail() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(b.text.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-25):], "\n")
}

func freeAddress(t testing.TB) string {
	t.Helper()
	port, err := local.ChoosePort(0, "a test")
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
}

// eventually waits until a condition holds. The condition says what it sees, for the failure.
func eventually(t testing.TB, what string, holds func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, seen := holds()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s; last seen: %s", what, patience, seen)
		}
		time.Sleep(50 * time.Millisecond) // between looks, not instead of one
	}
}
