package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

// crash prints what a Go program prints that ends by a panic, after lines of a log in JSON with a stack.
const crash = `
cat <<'END'
{"level":"error","msg":"old","error":"forgotten"}
{"level":"error","msg":"Unable to read the tasks","error":"the disk is full","logging-call-at":"/go/queue.go:457","stacktrace":"main.read\n\t/go/queue.go:457"}
{"level":"error","msg":"Unable to read the tasks","error":"the disk is full","logging-call-at":"/go/queue.go:458","stacktrace":"main.read\n\t/go/queue.go:458"}
a warning of a library
main.warn(0x1)
	/go/warn.go:12 +0x1d

panic: boom

goroutine 1 gp=0xc000002380 m=0 mp=0x1 [running]:
main.main()
	/go/main.go:5 +0x25
created by runtime.main
	/go/proc.go:1

rax    0x0
rflags 0x246
END
printf 'half a line'
exit 2
`

func TestProgram_saysHowItEndedAndWhatItSaidLast(t *testing.T) {
	t.Parallel()
	log, err := os.Create(filepath.Join(t.TempDir(), "sick.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p, err := local.StartProgram(local.ProgramOptions{Name: "sick", Path: "/bin/sh", Args: []string{"-c", crash}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	want := "sick ended with exit status 2; its log is " + log.Name() + "; it said:\n" +
		"  Unable to read the tasks: the disk is full\n  a warning of a library\n  panic: boom\n  half a line"
	if got := p.Err(); got == nil || got.Error() != want {
		t.Errorf("it says\n%v\nwant\n%s", got, want)
	}
}

// Temporal's server prints the stacks of hundreds of goroutines when it crashes.
func TestTemporal_endsWithASentence(t *testing.T) {
	t.Parallel()
	log, err := os.Create(filepath.Join(t.TempDir(), "temporal.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	temporal, err := local.StartTemporal(t.Context(), local.TemporalOptions{
		Binary: temporalBinary(t), DB: filepath.Join(t.TempDir(), "temporal.db"), Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(temporal.Kill)
	if err := syscall.Kill(temporal.PID(), syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-temporal.Done()
	if err = temporal.Err(); err == nil {
		t.Fatal("it says nothing")
	}
	if got := err.Error(); !strings.HasPrefix(got, "Temporal ended with exit status 2; its log is "+log.Name()+"; it said:") || !strings.Contains(got, "SIGQUIT: quit") ||
		strings.Contains(got, "goroutine") || strings.Contains(got, ".go:") {
		t.Errorf("it says\n%.2000s", got)
	}
}

// While a program still writes, what it has said so far may be asked for.
func TestTail_isReadWhileALineIsWritten(t *testing.T) {
	t.Parallel()
	said := local.NewTail()
	write := func(text string) {
		if _, err := said.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write("panic: boom\n\ngoroutine 1 [running]:\nmain.ma")
	for range 2 {
		if got := said.String(); got != "panic: boom" {
			t.Errorf("in a stack it said last %q", got)
		}
	}
	write("in()\n\nhalf")
	if got := said.String(); got != "half" {
		t.Errorf("in a line it said last %q", got)
	}
	write(" a line\n")
	if got := said.Lines(); len(got) != 2 || got[1] != "half a line" {
		t.Errorf("it said %q", got)
	}
}
