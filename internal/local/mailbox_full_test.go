package local_test

import (
	"errors"
	"fmt"
	"net/smtp"
	"net/textproto"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

// answerTo sends a mail and returns the code that the mailbox answers.
func answerTo(t *testing.T, box *local.Mailbox, mail string) int {
	t.Helper()
	err := smtp.SendMail(box.Addr(), nil, "desk@example.com", []string{"ann@example.com"}, []byte(mail))
	if refused, ok := errors.AsType[*textproto.Error](err); ok {
		return refused.Code
	}
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	return 250
}

// checkFullDisk sends mails to a mailbox on a disk that fill makes full in the middle of one of them, and free frees.
func checkFullDisk(t *testing.T, dir string, fill, free func()) {
	t.Helper()
	box := startMailbox(t, dir)
	const words = "the last words\r\n"
	large := "Subject: large\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 1000) + words
	if code := answerTo(t, box, "Subject: before\r\n\r\nHello\r\n"); code != 250 {
		t.Fatalf("before: %d", code)
	}
	fill()
	for range 3 {
		if code := answerTo(t, box, large); code != 452 {
			t.Errorf("on a full disk the answer is %d", code)
		}
	}
	if got := box.Messages(); len(got) != 1 || got[0].Subject != "before" {
		t.Errorf("shown: %d mails", len(got))
	}
	if page := serve(box, "/dev/mail").Body.String(); strings.Contains(page, "large") {
		t.Error("the page shows a mail that was refused")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "000002*")); len(left) > 0 {
		t.Errorf("what could not be written keeps the disk full: %v", left)
	}
	free()
	if code := answerTo(t, box, large); code != 250 {
		t.Fatalf("when the disk is free again: %d", code)
	}
	_ = box.Stop()
	got := startMailbox(t, dir).Messages()
	if len(got) != 2 || got[1].ID != 2 || !strings.HasSuffix(got[1].Text, strings.ReplaceAll(words, "\r", "")) {
		t.Errorf("stored: %d mails", len(got))
	}
}

// fileLimit makes this test binary a process whose files cannot grow: its mailbox's writes end in the middle.
const fileLimit = "SUPPORTDESK_TEST_FILE_LIMIT"

func TestMailbox_fileLimitIsATemporaryFault(t *testing.T) {
	if os.Getenv(fileLimit) == "" {
		t.Parallel()
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run", "^"+t.Name()+"$")
		child.Env = append(os.Environ(), fileLimit+"=1")
		if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	var usual syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &usual); err != nil {
		t.Fatal(err)
	}
	limit := func(soft uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: soft, Max: usual.Max}); err != nil {
			t.Fatal(err)
		}
	}
	checkFullDisk(t, t.TempDir(), func() { limit(8192) }, func() { limit(usual.Max) })
}

// Only what is wrong with the mail itself is refused for good.
func TestMailbox_itsOwnFaultsAreTemporary(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mail")
	box := startMailbox(t, dir)
	const mail = "Subject: s\r\n\r\nHello\r\n"
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	move(dir, dir+".away")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code := answerTo(t, box, mail); code != 451 {
		t.Errorf("without its directory: %d", code)
	}
	if got := box.Messages(); len(got) != 0 {
		t.Errorf("it shows what it refused: %+v", got)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	move(dir+".away", dir)
	if code := answerTo(t, box, mail); code != 250 {
		t.Errorf("when it is back: %d", code)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if code := answerTo(t, box, mail); code != 250 {
		t.Errorf("after it was emptied by hand: %d", code)
	}
	if code := answerTo(t, box, "Subject: s\r\n\r\n"+strings.Repeat(strings.Repeat("x", 998)+"\r\n", 27_000)); code != 552 {
		t.Errorf("a mail that is too large: %d", code)
	}
	if code := answerTo(t, box, "Subject: s\r\n\r\n"+strings.Repeat("x", 1_100_000)+"\r\n"); code != 554 {
		t.Errorf("a line that is too long: %d", code)
	}
}

// A power cut can leave a file without its content, and a disk one that can't be read.
func TestMailbox_startsBesideWhatItCannotRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for id, text := range []string{"Subject: whole\r\n\r\nHello\r\n", ""} {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.eml", id+1)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "000003.eml"), 0o700); err != nil {
		t.Fatal(err)
	}
	box := startMailbox(t, dir)
	post(t, box, "ann@example.com", "Subject: next\n\nHello\n")
	got := box.Messages()
	if len(got) != 2 || got[0].Subject != "whole" || got[1].ID != 4 {
		t.Errorf("shown: %+v", got)
	}
	if code := serve(box, "/dev/mail/2").Code; code != 404 {
		t.Errorf("an empty file is shown as a mail: %d", code)
	}
}
