package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
)

func TestDoctor_findsIncomingMailsThatWaitOrAreLost(t *testing.T) {
	ctx := t.Context()
	dsn := pgtest.Template(t, "cmd", store.Migrate)
	db, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blobs, err := blob.Open(ctx, "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blobs.Close() }()
	var said []string
	absent, err := dispatch.Connect(dispatch.Options{Address: "127.0.0.1:1", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer absent.Close()
	d := &doctor{dependencies: &dependencies{db: db, blobs: blobs, temporal: absent}, ctx: ctx, print: func(line string) {
		if strings.Contains(line, "incoming") {
			said = append(said, line)
		}
	}}
	examine := func(want ...string) {
		t.Helper()
		said = nil
		d.examine(false)
		if !slices.EqualFunc(said, want, strings.HasPrefix) {
			t.Errorf("said %q, want %q", said, want)
		}
	}
	id, err := inbound.NewReceiver(blobs, db, 1<<20).Receive(ctx, desk.Envelope{Source: desk.SourceLMTP}, strings.NewReader("Subject: Hello\r\n\r\nHello.\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	examine()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `UPDATE incoming_mails SET received_at = received_at - interval '10 minutes'`); err != nil {
		t.Fatal(err)
	}
	examine("1 incoming email is waiting to be processed, the oldest for 10m")
	m, err := db.Incoming(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := blobs.Delete(ctx, m.Blob); err != nil {
		t.Fatal(err)
	}
	examine("1 incoming email is waiting to be processed, the oldest for 10m", "1 incoming email has no content in the store of files: 1 (received)")
	if _, err := conn.Exec(ctx, `UPDATE incoming_mails SET status = 'quarantined', processed_at = now(), reason = 'refused'`); err != nil {
		t.Fatal(err)
	}
	examine("1 incoming email has no content in the store of files: 1 (quarantined)")
}
