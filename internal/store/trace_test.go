package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type traceKey struct{}

// traced returns a store with traces, and a function that returns the context of a trace.
func (d *fixture) traced() (*store.Store, func(trace string) context.Context) {
	d.t.Helper()
	s, err := store.Open(d.t.Context(), d.dsn, store.Options{Trace: func(ctx context.Context) string {
		trace, _ := ctx.Value(traceKey{}).(string)
		return trace
	}})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(s.Close)
	return s, func(trace string) context.Context { return context.WithValue(d.t.Context(), traceKey{}, trace) }
}

// The trace of a context is stored with the command that is accepted in it, with the deliveries of a step, changes of emergencies, from where
// announcements have it, and with an email, and whatever goes on with these is passed it. Without traces the columns are null.
func TestTrace_isStoredWithWhatItCauses(t *testing.T) {
	t.Parallel()
	d := open(t)
	s, in := d.traced()
	a, err := s.Submit(in("submission"), d.customer, submission())
	if err != nil {
		t.Fatal(err)
	}
	reply := desk.Request{Number: a.Number, Verb: ticket.VerbAgentReply, Body: "Hello."}
	if _, err := s.Command(in("reply"), d.agent, reply); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Command(t.Context(), d.agent, reply); err != nil { // not sampled
		t.Fatal(err)
	}
	if traces, err := s.CommandTraces(t.Context(), a.Number, 3); err != nil || !slices.Equal(traces, []string{"reply", "submission"}) {
		t.Errorf("undecided: %v, %v", traces, err)
	}
	var relayed []string
	for range 2 { // a ticket's submission goes before its other commands
		_, err := s.Undelivered(t.Context(), 10, 10, func(_ context.Context, all []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
			for _, c := range all {
				relayed = append(relayed, c.Trace)
			}
			return all, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(relayed, []string{"submission", "reply", ""}) {
		t.Errorf("relayed: %q", relayed)
	}
	if _, err := app.NewSteps(s, app.MaxCommands).Step(in("step"), ticket.StepRequest{Number: a.Number, Command: 1}); err != nil {
		t.Fatal(err)
	}
	if traces, err := s.CommandTraces(t.Context(), a.Number, 3); err != nil || !slices.Equal(traces, []string{"reply"}) {
		t.Errorf("undecided after a step: %v, %v", traces, err)
	}
	if trace, err := s.DeliveryTrace(t.Context(), a.Number, 1); err != nil || trace != "step" {
		t.Errorf("of the receipt: %q, %v", trace, err)
	}
	if _, err := s.AddIncoming(in("email"), desk.IncomingMail{Envelope: desk.Envelope{Source: desk.SourceLMTP}, Blob: "b", Fingerprint: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	if m, found, err := s.ClaimIncoming(t.Context(), "an attempt", late); err != nil || !found || m.Trace != "email" {
		t.Errorf("an email: %q, %v, %v", m.Trace, found, err)
	}
	if _, err := s.Accounts().SetPassword(t.Context(), d.customer.ID, "$argon2id$demo", account.KeepTokens); err != nil { // not sampled
		t.Fatal(err)
	}
	e, err := app.DeclareEmergency(in("declaration"), s, d.supervisor, closedBy("A flood."))
	if err != nil {
		t.Fatal(err)
	}
	if trace, err := s.EmergencyTrace(t.Context(), e.ID, e.Revision); err != nil || trace != "declaration" {
		t.Errorf("of the emergency: %q, %v", trace, err)
	}
	if trace, err := s.EmergencyTrace(t.Context(), e.ID, e.Revision-1); fault.KindOf(err) != fault.NotFound {
		t.Errorf("of the emergency before it was declared: %q, %v", trace, err)
	}
	d.waitingSince(d.customer, time.Hour)
	e = d.begun(e, time.Minute)
	if _, err := app.NewAnnouncements(s).Announce(in("activity"), ticket.AnnounceRequest{CheckedAt: one[time.Time](d, `SELECT clock_timestamp()`), Revision: e.Revision}); err != nil {
		t.Fatal(err)
	}
	announced := one[int64](d, `SELECT n FROM deliveries WHERE queue = 'announcement'`)
	if trace, err := s.QueueTrace(t.Context(), outbox.AnnouncementMails, announced); err != nil || trace != "declaration" {
		t.Errorf("of its announcement: %q, %v", trace, err)
	}
	d.taken(d.customer) // by a store without traces
	if n := one[int](d, `SELECT (SELECT count(*) FROM commands WHERE trace = '' OR trace IS NOT NULL AND ticket <> $1)::int
		+ (SELECT count(*) FROM deliveries WHERE trace = '' OR trace IS NOT NULL AND ticket <> $1
			OR trace IS NOT NULL AND kind = 'password-set')::int`, a.Number); n != 0 {
		t.Errorf("%d rows have a trace without there being one", n)
	}
}

// What causes an email of an account has its trace stored with it, whatever the kind of the email.
func TestTrace_isStoredWithEveryKindOfAccountEmail(t *testing.T) {
	t.Parallel()
	d := open(t)
	s, in := d.traced()
	a, customer := s.Accounts(), d.customer.ID
	const further, lasts = "further@demo.example", time.Hour
	caused := map[account.MailKind]string{}
	for _, cause := range []struct {
		trace string
		of    []account.MailKind
		do    func(context.Context) error
	}{
		{"link", []account.MailKind{account.MailKind(account.SignIn)}, func(ctx context.Context) error {
			return a.RequestLink(ctx, linkID("A"), account.SignIn, d.customer.Address, lasts)
		}},
		{"reset", []account.MailKind{account.MailKind(account.Reset)}, func(ctx context.Context) error {
			return a.RequestLink(ctx, linkID("B"), account.Reset, d.customer.Address, lasts)
		}},
		{"registration", []account.MailKind{account.MailKind(account.VerifyAddress)}, func(ctx context.Context) error {
			return a.Register(ctx, linkID("C"), "Nina Newcomer", "nina@demo.example", lasts)
		}},
		{"another registration", []account.MailKind{account.AlreadyRegistered}, func(ctx context.Context) error {
			return a.Register(ctx, linkID("D"), "Demo Customer", d.customer.Address, lasts)
		}},
		{"address", []account.MailKind{account.MailKind(account.AddAddress)}, func(ctx context.Context) error {
			return a.RequestAddress(ctx, linkID("E"), customer, further, lasts)
		}},
		{"confirmation", []account.MailKind{account.AddressAdded}, func(ctx context.Context) error {
			return a.ConfirmAddress(ctx, linkID("E"), account.MaxAddresses)
		}},
		{"primary address", []account.MailKind{account.AddressChanged, account.AddressConfirmed}, func(ctx context.Context) error {
			return a.SetPrimaryAddress(ctx, customer, further)
		}},
		{"removal", []account.MailKind{account.AddressRemoved}, func(ctx context.Context) error {
			return a.RemoveAddress(ctx, customer, d.customer.Address)
		}},
		{"invitation", []account.MailKind{account.MailKind(account.Invitation)}, func(ctx context.Context) error {
			return a.Invite(ctx, linkID("F"), d.administrator.ID, desk.Person{Role: ticket.RoleAgent, Name: "Avery", Address: "avery@demo.example", Handle: "avery"}, lasts)
		}},
		{"first password", []account.MailKind{account.PasswordSet}, func(ctx context.Context) error {
			_, err := a.SetPassword(ctx, customer, "$argon2id$demo", account.KeepTokens)
			return err
		}},
		{"next password", []account.MailKind{account.PasswordChanged}, func(ctx context.Context) error {
			_, err := a.SetPassword(ctx, customer, "$argon2id$another", account.KeepTokens)
			return err
		}},
		{"token", []account.MailKind{account.TokenCreated}, func(ctx context.Context) error {
			_, err := a.MakeToken(ctx, d.agent.ID, "", "script", true, 10)
			return err
		}},
		{"quarantine", []account.MailKind{account.EmailQuarantined}, func(ctx context.Context) error {
			id, err := s.AddIncoming(ctx, desk.IncomingMail{Envelope: desk.Envelope{Source: desk.SourceLMTP}, Blob: "b", Fingerprint: make([]byte, 32)})
			if err != nil {
				return err
			}
			if _, _, err := s.ClaimIncoming(ctx, "an attempt", late); err != nil {
				return err
			}
			return s.SettleIncoming(ctx, id, "an attempt", desk.IncomingResult{Status: desk.IncomingQuarantined, Reason: "unreadable", Author: d.agent.ID})
		}},
	} {
		if err := cause.do(in(cause.trace)); err != nil {
			t.Fatalf("%s: %v", cause.trace, err)
		}
		for _, kind := range cause.of {
			caused[kind] = cause.trace
		}
	}
	// The owner of an address that another person adds.
	if err := a.RequestAddress(in("address of an agent"), linkID("G"), customer, d.agent.Address, lasts); err != nil {
		t.Fatal(err)
	}
	if n := one[int](d, `SELECT count(*) FROM deliveries WHERE kind = 'already-registered' AND trace = 'address of an agent'`); n != 1 {
		t.Errorf("%d emails about the address of an agent have its trace", n)
	}
	for _, kind := range account.MailKinds() {
		mail := one[int64](d, `SELECT min(n) FROM deliveries WHERE queue = 'account' AND kind = $1`, kind)
		if trace, err := s.QueueTrace(t.Context(), outbox.AccountMails, mail); err != nil || trace == "" || trace != caused[kind] {
			t.Errorf("of the email %s: %q, %v", kind, trace, err)
		}
	}
}

// A span has no more links than OpenTelemetry's SDK keeps.
func TestTrace_ofManyCommandsIsLimited(t *testing.T) {
	t.Parallel()
	d := open(t)
	n := d.taken(d.customer)
	for range 130 {
		d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "A note."})
	}
	d.sql(`UPDATE commands SET trace = seq::text`)
	traces, err := d.CommandTraces(t.Context(), n, 131)
	if err != nil || len(traces) != 129 || traces[0] != "131" || traces[128] != "3" {
		t.Errorf("%d: %v, %v", len(traces), traces, err)
	}
}
