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

// The trace of a context is stored with the command that is accepted in it, with the deliveries of a step, emails of accounts, changes of
// emergencies, from where announcements have it, and with an email, and
// whatever goes on with these is passed it. Without traces the columns are null.
func TestTrace_isStoredWithWhatItCauses(t *testing.T) {
	t.Parallel()
	d := open(t)
	s, err := store.Open(t.Context(), d.dsn, store.Options{Trace: func(ctx context.Context) string {
		trace, _ := ctx.Value(traceKey{}).(string)
		return trace
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	in := func(trace string) context.Context { return context.WithValue(t.Context(), traceKey{}, trace) }
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
	if err := s.Accounts().RequestLink(in("link"), linkID("A"), account.SignIn, d.customer.Address, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accounts().SetPassword(in("password"), d.customer.ID, "$argon2id$demo", account.KeepTokens); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[account.MailKind]string{account.MailKind(account.SignIn): "link", account.PasswordSet: "password"} {
		mail := one[int64](d, `SELECT n FROM deliveries WHERE queue = 'account' AND kind = $1`, kind)
		if trace, err := s.QueueTrace(t.Context(), outbox.AccountMails, mail); err != nil || trace != want {
			t.Errorf("of the email %s: %q, %v", kind, trace, err)
		}
	}
	if _, err := s.Accounts().SetPassword(t.Context(), d.customer.ID, "$argon2id$another", account.KeepTokens); err != nil { // not sampled
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
			OR trace IS NOT NULL AND kind = 'password-changed')::int`, a.Number); n != 0 {
		t.Errorf("%d rows have a trace without there being one", n)
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
