package inbound_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/disktest"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
)

const limit = 64 << 10 // bytes of a mail

// door is a server that accepts mails, with the store and the blobs behind it.
type door struct {
	t     *testing.T
	db    *store.Store
	blobs *blob.Store
	dir   string
	addr  string
	lmtp  bool
}

func openDoor(t *testing.T, lmtp bool) *door {
	t.Helper()
	return openDoorAt(t, lmtp, pgtest.Template(t, "store", store.Migrate), t.TempDir())
}

func openDoorAt(t *testing.T, lmtp bool, dsn, dir string) *door {
	t.Helper()
	d := &door{t: t, lmtp: lmtp, dir: dir}
	var err error
	if d.db, err = store.Open(t.Context(), dsn, store.Options{MaxConns: 8}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.db.Close)
	if d.blobs, err = blob.Open(t.Context(), "file://"+dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.blobs.Close() })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = listener.Addr().String()
	server := inbound.NewServer(inbound.NewReceiver(d.blobs, d.db, limit), inbound.ServerOptions{
		LMTP: lmtp, Name: "desk.example", Limit: limit, Addresses: inbound.Addresses{"support@desk.example": ""}, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *door) dial() *smtp.Client {
	d.t.Helper()
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	var client *smtp.Client
	if d.lmtp {
		client = smtp.NewClientLMTP(conn)
	} else {
		client = smtp.NewClient(conn)
	}
	d.t.Cleanup(func() { _ = client.Close() })
	if err := client.Hello("client.example"); err != nil {
		d.t.Fatal(err)
	}
	return client
}

// send sends a mail and returns the code with which it was answered; 250 if it was accepted.
func (d *door) send(from, to, content string) int {
	d.t.Helper()
	client := d.dial()
	defer func() { _ = client.Close() }()
	err := client.Mail(from, nil)
	if err == nil {
		err = client.Rcpt(to, nil)
	}
	if err == nil {
		var w io.WriteCloser
		if w, err = client.Data(); err == nil {
			if _, err = io.WriteString(w, content); err == nil {
				err = w.Close()
			}
		}
	}
	if refused, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return refused.Code
	}
	if all, ok := errors.AsType[smtp.LMTPDataError](err); ok {
		for _, refused := range all {
			return refused.Code
		}
	}
	if err != nil {
		d.t.Fatalf("send: %v", err)
	}
	return 250
}

// next claims the next mail that was stored, and returns it with its content. Its ID is 0 if there is none.
func (d *door) next() (desk.IncomingMail, string) {
	d.t.Helper()
	m, found, err := d.db.ClaimIncoming(d.t.Context(), fmt.Sprint("attempt ", time.Now().UnixNano()), time.Hour)
	if err != nil {
		d.t.Fatal(err)
	}
	if !found {
		return m, ""
	}
	r, _, err := d.blobs.Open(d.t.Context(), m.Blob)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var content bytes.Buffer
	if _, err := io.Copy(&content, r); err != nil {
		d.t.Fatal(err)
	}
	return m, content.String()
}

// stored returns how many files the blob store has, also unfinished ones.
func (d *door) stored() (n int) {
	d.t.Helper()
	err := filepath.WalkDir(d.dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

const plainLetter = "Subject: Hello\r\nFrom: ann@example.com\r\n\r\nA line.\r\n.a line with a dot\r\n\x80\xff no UTF-8\r\n"

func TestServer_storesTheMailAsItWasSentWithItsEnvelope(t *testing.T) {
	t.Parallel()
	for _, lmtp := range []bool{false, true} {
		d := openDoor(t, lmtp)
		if code := d.send("ann@example.com", "Support+token@desk.example", plainLetter); code != 250 {
			t.Fatalf("LMTP %t: %d", lmtp, code)
		}
		if code := d.send("", "support@desk.example", "Subject: bounced\r\n\r\nGone.\r\n"); code != 250 {
			t.Fatalf("LMTP %t: without a return path: %d", lmtp, code)
		}
		m, content := d.next()
		want := map[bool]desk.MailSource{false: desk.SourceSMTP, true: desk.SourceLMTP}[lmtp]
		if content != plainLetter || m.ReturnPath != "ann@example.com" || m.Source != want || m.Helo != "client.example" || m.Client != "127.0.0.1" ||
			len(m.Recipients) != 1 || m.Recipients[0] != "Support+token@desk.example" || m.Size != int64(len(plainLetter)) {
			t.Errorf("LMTP %t: %+v %q", lmtp, m, content)
		}
		if m, _ := d.next(); m.ID == 0 || m.ReturnPath != "" {
			t.Errorf("LMTP %t: %+v", lmtp, m)
		}
	}
}

func TestServer_acceptsLinesThatAreLongerThanTheStandardAllows(t *testing.T) {
	t.Parallel()
	d := openDoor(t, true)
	long := "Subject: long\r\n\r\n<p>" + strings.Repeat("x", limit/2) + "</p>\r\n"
	if code := d.send("ann@example.com", "support@desk.example", long); code != 250 {
		t.Fatal(code)
	}
	if _, content := d.next(); content != long {
		t.Errorf("%d bytes, want %d", len(content), len(long))
	}
}

func TestServer_refusesAtTheDoorWhatIsNotForTheDeskOrTooLarge(t *testing.T) {
	t.Parallel()
	for _, lmtp := range []bool{false, true} {
		d := openDoor(t, lmtp)
		for _, to := range []string{"other@desk.example", "support@elsewhere.example", "support@desk.example@elsewhere.example"} {
			if code := d.send("ann@example.com", to, plainLetter); code != 550 && code != 501 {
				t.Errorf("LMTP %t, to %s: %d", lmtp, to, code)
			}
		}
		large := plainLetter + strings.Repeat(strings.Repeat("x", 70)+"\r\n", limit/72+1)
		if code := d.send("ann@example.com", "support@desk.example", large); code != 552 {
			t.Errorf("LMTP %t, %d bytes: %d", lmtp, len(large), code)
		}
		if err := d.dial().Mail("ann@example.com", &smtp.MailOptions{Size: limit + 1}); err == nil {
			t.Errorf("LMTP %t: a mail that says it is too large is not refused", lmtp)
		}
		if m, _ := d.next(); m.ID != 0 || d.stored() != 0 {
			t.Errorf("LMTP %t: mail %d and %d blobs were stored", lmtp, m.ID, d.stored())
		}
	}
}

func TestServer_storesNothingOfAMailThatIsCutShort(t *testing.T) {
	t.Parallel()
	d := openDoor(t, false)
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	client := smtp.NewClient(conn)
	for _, err := range []error{client.Mail("ann@example.com", nil), client.Rcpt("support@desk.example", nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := client.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, plainLetter+strings.Repeat("more\r\n", 5000)); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if code := d.send("ann@example.com", "support@desk.example", plainLetter); code != 250 { // the server goes on
		t.Fatal(code)
	}
	if m, content := d.next(); m.ID == 0 || content != plainLetter {
		t.Errorf("%+v %q", m, content)
	}
	if m, _ := d.next(); m.ID != 0 {
		t.Error("a mail was stored that its sender never finished")
	}
}

func TestServer_whilePostgreSQLIsDownTheSenderKeepsTheMailAndNothingIsTwice(t *testing.T) {
	t.Parallel()
	pg := pgtest.Cluster(t)
	dsn := pg.Database(t)
	if err := store.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	d := openDoorAt(t, true, dsn, t.TempDir())
	pg.Kill()
	if code := d.send("ann@example.com", "support@desk.example", plainLetter); code != 451 {
		t.Errorf("without a database: %d", code)
	}
	pg.Restart()
	for range 2 { // the sender's second try, and a third because it missed the answer
		if code := d.send("ann@example.com", "support@desk.example", plainLetter); code != 250 {
			t.Fatal(code)
		}
	}
	if m, content := d.next(); m.ID == 0 || content != plainLetter {
		t.Errorf("%+v %q", m, content)
	}
	if m, _ := d.next(); m.ID != 0 {
		t.Error("the mail is processed twice")
	}
}

func TestServer_onAFullDiskTheSenderKeepsTheMail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	disktest.Mount(t, dir, "128k")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 100<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	d := openDoorAt(t, true, pgtest.Template(t, "store", store.Migrate), dir)
	large := plainLetter + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 700)
	if code := d.send("ann@example.com", "support@desk.example", large); code != 452 && code != 451 {
		t.Errorf("on a full disk: %d", code)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if code := d.send("ann@example.com", "support@desk.example", large); code != 250 {
		t.Fatal(code)
	}
	if m, content := d.next(); m.ID == 0 || content != large {
		t.Errorf("mail %d of %d bytes, want %d", m.ID, len(content), len(large))
	}
}
