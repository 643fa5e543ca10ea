package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
)

// TestReady_isDegradedWhileAMailboxIsNotRead and not down: the other ways by which mail comes in are open.
func TestReady_isDegradedWhileAMailboxIsNotRead(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Template(t, "cmd", store.Migrate)
	db, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blobs, err := blob.Open(ctx, "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	health := api.Health("test", (&dependencies{db: db, blobs: blobs}).mailChecks(nil), nil, slog.New(slog.DiscardHandler))
	expect := func(what, status, mailboxes string) {
		t.Helper()
		a := httptest.NewRecorder()
		health.ServeHTTP(a, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if body := a.Body.String(); a.Code != http.StatusOK || !strings.Contains(body, `"status":"`+status+`"`) || !strings.Contains(body, `"mailboxes":{"status":"`+mailboxes+`"`) {
			t.Errorf("%s: %d %s", what, a.Code, body)
		}
	}
	claim := func() {
		t.Helper()
		if _, held, err := db.ClaimMailbox(ctx, "support", "support@desk.example/INBOX", "reader", time.Minute); err != nil || !held {
			t.Fatal(held, err)
		}
	}
	read := func() {
		t.Helper()
		if err := db.AdvanceMailbox(ctx, "support", "reader", desk.MailboxPosition{Validity: 1, UID: 1}, true); err != nil {
			t.Fatal(err)
		}
	}
	expect("without mailboxes", "ready", "up")
	claim()
	read()
	expect("a mailbox that is read", "ready", "up")
	if err := db.SkipMail(ctx, "reader", desk.MailboxPosition{Validity: 1, UID: 2}, desk.SkippedMail{Mailbox: "support", Reason: "too large"}); err != nil {
		t.Fatal(err)
	}
	expect("a mail that is skipped", "ready", "up")
	if err := db.ReleaseMailbox(ctx, "support", "reader", "sign in: wrong password"); err != nil {
		t.Fatal(err)
	}
	expect("a mailbox that fails", "degraded", "down")
	claim()
	read()
	expect("a mailbox that is read again", "ready", "up")
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `UPDATE imap_mailboxes SET read_at = now() - interval '16 minutes'`); err != nil {
		t.Fatal(err)
	}
	expect("a mailbox that nothing has checked for 16 minutes", "degraded", "down")
}
