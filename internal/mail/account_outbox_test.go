package mail_test

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/mailtest"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// accountFixture has accounts in a real database, and outboxes that send their mails to a real SMTP server.
type accountFixture struct {
	*account.Service
	t      *testing.T
	beside *pgxpool.Pool
	sink   *mailtest.Sink
}

func newAccountFixture(t *testing.T, outboxes int) *accountFixture {
	t.Helper()
	dsn := pgtest.Template(t, "accounts", store.Migrate)
	db, err := store.Open(t.Context(), dsn, store.Options{MaxConns: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	beside, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(beside.Close)
	if _, _, err := app.PublishPolicy(t.Context(), db, policy.Holesalemart(), "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.AddPerson(t.Context(), desk.Person{Role: ticket.RoleCustomer, Name: "Demo Customer", Address: "customer@demo.example"}); err != nil {
		t.Fatal(err)
	}
	o := &accountFixture{Service: account.New(db.Accounts(), "https://support.example.com"), t: t, beside: beside, sink: mailtest.New(t)}
	host, port, err := net.SplitHostPort(o.sink.Addr())
	if err != nil {
		t.Fatal(err)
	}
	cfg := config()
	cfg.Host, cfg.TLS, cfg.Username, cfg.Password = host, mail.TLSNone, "", ""
	if cfg.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	sender := newSender(t, cfg)
	for range outboxes {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- outbox.New(db, map[outbox.Queue]outbox.Transport{outbox.AccountMails: mail.AccountMails(account.New(db.Accounts(), "https://support.example.com").LoadMail, sender.SendAccount)}, slog.New(slog.DiscardHandler)).Run(ctx, outbox.AccountMails)
		}()
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	return o
}

// settled waits until no mail is pending, and returns the reasons of those that failed for good.
func (o *accountFixture) settled() []string {
	o.t.Helper()
	for {
		var owed int
		var reasons []string
		if err := o.beside.QueryRow(o.t.Context(), `
			SELECT count(*) FILTER (WHERE settled_at IS NULL), coalesce(array_agg(reason) FILTER (WHERE reason IS NOT NULL), '{}')
			FROM deliveries WHERE queue = 'account'`).Scan(&owed, &reasons); err != nil {
			o.t.Fatal(err)
		}
		if owed == 0 {
			return reasons
		}
	}
}

func (o *accountFixture) sql(statement string) {
	o.t.Helper()
	if _, err := o.beside.Exec(o.t.Context(), statement); err != nil {
		o.t.Fatal(err)
	}
}

func anyMail(mailtest.Message) bool { return true }

func TestAccountMails_bringsALinkThatWorks(t *testing.T) {
	o := newAccountFixture(t, 1)
	if err := o.RequestLink(t.Context(), account.Browser{Source: "192.0.2.1"}, "customer@demo.example"); err != nil {
		t.Fatal(err)
	}
	m := o.sink.Wait(t, anyMail)
	_, link, found := strings.Cut(m.Text, "Sign in: https://support.example.com/link/")
	token, _, _ := strings.Cut(link, "\n")
	if !found || m.To[0] != "customer@demo.example" || !strings.Contains(m.HTML, token) {
		t.Fatalf("the mail to %v says\n%s", m.To, m.Text)
	}
	if used, err := o.Use(t.Context(), strings.TrimSpace(token), "", "", account.RevokeTokens); err != nil || used.Person.Address != "customer@demo.example" {
		t.Errorf("%+v, %v", used, err)
	}
}

// One mail, however many processes look for it.
func TestAccountMails_sendsOnceAmongSeveral(t *testing.T) {
	o := newAccountFixture(t, 3)
	for range 5 {
		if err := o.RequestLink(t.Context(), account.Browser{Source: "192.0.2.1"}, "customer@demo.example"); err != nil {
			t.Fatal(err)
		}
	}
	if reasons := o.settled(); len(reasons) != 0 || len(o.sink.Messages()) != 5 {
		t.Errorf("%d mails were sent, want 5; given up: %q", len(o.sink.Messages()), reasons)
	}
}

func TestAccountMails_goesOnWhenTheMailServerIsBack(t *testing.T) {
	o := newAccountFixture(t, 1)
	o.sink.Stop()
	if err := o.RequestLink(t.Context(), account.Browser{Source: "192.0.2.1"}, "customer@demo.example"); err != nil {
		t.Fatal(err)
	}
	for tries := 0; tries == 0; { // until it has been tried in vain
		if err := o.beside.QueryRow(t.Context(), `SELECT tries FROM deliveries WHERE queue = 'account'`).Scan(&tries); err != nil {
			t.Fatal(err)
		}
	}
	o.sink.Restart()
	o.sink.Wait(t, anyMail)
	if reasons := o.settled(); len(reasons) != 0 {
		t.Errorf("given up: %q", reasons)
	}
}

func TestAccountMails_givesUpUselessOrRefusedOnes(t *testing.T) {
	o := newAccountFixture(t, 1)
	o.sink.RejectRecipients(func(_, to string) *smtp.SMTPError {
		if strings.HasPrefix(to, "refused@") {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
		}
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "come back later"}
	})
	if err := o.Register(t.Context(), "192.0.2.1", "Demo", "refused@demo.example"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // one link is used, the other's time runs out
		if err := o.RequestLink(t.Context(), account.Browser{Source: "192.0.2.1"}, "customer@demo.example"); err != nil {
			t.Fatal(err)
		}
	}
	for tried := 0; tried < 2; {
		if err := o.beside.QueryRow(t.Context(), `SELECT count(*) FROM deliveries m JOIN links l ON l.id = m.link
			WHERE l.purpose = 'sign-in' AND m.tries > 0`).Scan(&tried); err != nil {
			t.Fatal(err)
		}
	}
	o.sql(`UPDATE links SET used_at = clock_timestamp() WHERE id = (SELECT min(id) FROM links WHERE purpose = 'sign-in')`)
	o.sql(`UPDATE links SET expires_at = clock_timestamp() WHERE purpose = 'sign-in' AND used_at IS NULL`)
	reasons := strings.Join(o.settled(), "; ")
	if !strings.Contains(reasons, "550 5.1.1 no such mailbox") || strings.Count(reasons, "it expired") != 2 {
		t.Errorf("given up: %s", reasons)
	}
	if sent := o.sink.Messages(); len(sent) != 0 {
		t.Errorf("sent all the same: %+v", sent)
	}
}

func TestRenderAccount_readsAsTheGoldenFiles(t *testing.T) {
	r := newRenderer(t)
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for _, kind := range account.MailKinds() {
		l := account.Mail{
			ID: 7, Kind: kind, To: desk.Mailbox{Name: "Carla <b>Customer</b>\r\nBcc: x@example.com", Address: "carla@example.com"},
			Until: now.Add(24 * time.Hour), Policy: samplePolicy(time.UTC),
		}
		switch kind {
		case account.AddressChanged, account.AddressConfirmed, account.AlreadyRegistered, account.PasswordChanged, account.PasswordSet:
			l.At = now.Add(-time.Minute)
		case account.AddressAdded, account.AddressRemoved:
			l.At, l.Label = now.Add(-time.Minute), "<b>carla</b>@home.example"
		case account.TokenCreated:
			l.At, l.Label, l.Writes = now.Add(-time.Minute), "Laptop <1>", true
		case account.EmailQuarantined:
			l.Label, l.URL, l.Reason = "Re: [HM-7Q2K9XM4TD] <b>Parcel</b>", "https://support.example.com/desk/mail/7", "The email is from a member of staff, and the ticket is closed."
		default:
			l.URL = "https://support.example.com/link/SAMPLE"
		}
		m, err := r.RenderAccount(l, now)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "account/"+string(kind)+".txt", "Subject: "+m.Subject+"\n\n"+m.Text)
		golden(t, "account/"+string(kind)+".html", m.HTML)
		if kind == account.MailKind(account.SignIn) {
			l.Notices = sampleNotices(now)
			if m, err = r.RenderAccount(l, now); err != nil {
				t.Fatal(err)
			}
			golden(t, "account/sign-in-notices.txt", "Subject: "+m.Subject+"\n\n"+m.Text)
			golden(t, "account/sign-in-notices.html", m.HTML)
		}
	}
}
