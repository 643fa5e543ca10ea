package activities_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"

	"go.temporal.io/sdk/testsuite"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/mailtest"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// announcementFixture has customers whose mails go to a real SMTP server.
type announcementFixture struct {
	*sitetest.Fixture
	t      *testing.T
	sink   *mailtest.Sink
	outbox *outbox.Outbox
	sender *crashingSender
}

// crashingSender is a sender whose process dies after mails, as far as the record is concerned.
type crashingSender struct {
	*mail.Sender
	after atomic.Int32 // mails that are sent before that; negative: never
	die   context.CancelFunc
}

func (d *crashingSender) SendAnnouncement(ctx context.Context, a desk.Announcement) error {
	err := d.Sender.SendAnnouncement(ctx, a)
	if d.after.Add(-1) == 0 {
		d.die()
	}
	return err
}

// newAnnouncementFixture returns a fixture with customers who have an open ticket each, and an emergency to announce to all.
func newAnnouncementFixture(t *testing.T, customers int) *announcementFixture {
	t.Helper()
	s := &announcementFixture{Fixture: sitetest.Open(t, "square"), t: t, sink: mailtest.New(t)}
	for i := range customers {
		c := s.Employ(fmt.Sprintf("demo%d", i), ticket.RoleCustomer, "Demo Customer")
		a, err := s.Submit(t.Context(), c, desk.Submission{Number: ticket.NewNumber("HM"), Subject: "Where is it?", Body: "Late.", Category: "other", Priority: policy.PriorityNormal})
		if err == nil {
			_, err = s.Step(t.Context(), ticket.StepRequest{Number: a.Number, Command: 1})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.declare("The river is in our hall.")
	host, port, err := net.SplitHostPort(s.sink.Addr())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := mail.NewSender(mail.Config{
		Host: host, Port: n, TLS: mail.TLSNone, From: desk.Mailbox{Address: "support@example.com"}, Domain: "example.com",
		BaseURL: "http://support.example", Timeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sender.Close)
	s.sender = &crashingSender{Sender: sender}
	s.sender.after.Store(-1)
	s.outbox = outbox.New(s.Store, map[outbox.Queue]outbox.Transport{outbox.AnnouncementMails: mail.AnnouncementMails(app.NewMails(s.Store).Announcement, s.sender.SendAnnouncement)}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	return s
}

// declare closes the desk, as if that had been just after everyone submitted, and announces it.
func (s *announcementFixture) declare(notice string) {
	s.t.Helper()
	if _, err := app.DeclareEmergency(s.t.Context(), s, desk.Person{}, desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: notice}); err != nil {
		s.t.Fatal(err)
	}
	s.SQL(`UPDATE tickets SET submitted_at = submitted_at - interval '1 day'`)
	s.SQL(`UPDATE emergencies SET starts_at = starts_at - interval '1 hour'`)
	value, err := s.environment(context.Background(), 1e6).ExecuteActivity("PrepareAnnouncements", ticket.AnnounceRequest{CheckedAt: time.Now(), Revision: 1e6})
	var made ticket.AnnounceResult
	if err == nil {
		err = value.Get(&made)
	}
	if err != nil || made.Announcements != 1 {
		s.t.Fatalf("announced %+v, %v", made, err)
	}
}

// environment is a worker that lives as long as ctx.
func (s *announcementFixture) environment(ctx context.Context, perSecond float64) *testsuite.TestActivityEnvironment {
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(sdkworker.Options{BackgroundActivityContext: ctx})
	a := activities.NewAnnouncements(app.NewAnnouncements(s.Store), s.outbox, perSecond, time.Second)
	env.RegisterActivityWithOptions(a.Prepare, activity.RegisterOptions{Name: "PrepareAnnouncements"})
	env.RegisterActivityWithOptions(a.Send, activity.RegisterOptions{Name: "SendAnnouncements"})
	return env
}

func (s *announcementFixture) send(most int) (result ticket.SendAnnouncementsResult, err error) {
	ctx, die := context.WithCancel(context.Background())
	defer die()
	s.sender.die = die
	value, err := s.environment(ctx, 1e6).ExecuteActivity("SendAnnouncements", ticket.SendAnnouncementsRequest{Most: most})
	if err == nil {
		err = value.Get(&result)
	}
	return result, err
}

// pending counts the mails of a state.
func (s *announcementFixture) pending() int {
	s.t.Helper()
	left, err := s.AnnouncementsLeft(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return left.Left
}

// due makes deferred mails due at once, as if time had passed. That ends claims, too: a worker that dies while it
// claims a mail may leave the claim behind.
func (s *announcementFixture) due() {
	s.SQL(`UPDATE deliveries SET not_before = '-infinity', claimed_by = NULL, claimed_until = NULL WHERE queue = 'announcement' AND status = 'owed'`)
}

// oneEach checks that every customer got the mail, once.
func (s *announcementFixture) oneEach(customers int) {
	s.t.Helper()
	got := map[string]int{}
	for _, m := range s.sink.WaitCount(s.t, customers) {
		got[strings.Join(m.To, " ")]++
		if !strings.Contains(m.Subject, "Our support is closed") {
			s.t.Errorf("subject %q", m.Subject)
		}
	}
	for to, n := range got {
		if n != 1 {
			s.t.Errorf("%s got %d mails", to, n)
		}
	}
	if len(got) != customers {
		s.t.Errorf("%d of %d got one", len(got), customers)
	}
}

func TestAnnouncements_goOutInBoundedBatchesOnceEach(t *testing.T) {
	s := newAnnouncementFixture(t, 12)
	if result, err := s.send(5); err != nil || result.Sent != 5 || result.Left != 7 {
		t.Fatalf("first batch %+v, %v", result, err)
	}
	if result, err := s.send(100); err != nil || result.Sent != 7 || result.Left != 0 {
		t.Fatalf("the rest %+v, %v", result, err)
	}
	if result, err := s.send(100); err != nil || result != (ticket.SendAnnouncementsResult{}) {
		t.Fatalf("asked again %+v, %v", result, err)
	}
	s.oneEach(12)
	ids := map[string]bool{}
	for _, m := range s.sink.Messages() {
		ids[m.MessageID] = true
	}
	if len(ids) != 12 {
		t.Errorf("%d Message-IDs", len(ids))
	}
}

// A server that goes away in the middle delays mail, and nothing else.
func TestAnnouncements_aServerThatGoesAwayLosesNothing(t *testing.T) {
	s := newAnnouncementFixture(t, 20)
	var taken atomic.Int32
	s.sink.RejectMails(func(mailtest.Message) *smtp.SMTPError {
		if taken.Add(1) > 8 {
			return &smtp.SMTPError{Code: 421, Message: "going away"}
		}
		return nil
	})
	if _, err := s.send(100); err == nil {
		t.Fatal("a server that goes away is no failure")
	}
	s.sink.Stop()
	if _, err := s.send(100); err == nil {
		t.Fatal("no server is no failure")
	}
	s.sink.RejectMails(nil)
	s.sink.Restart()
	s.due()
	if result, err := s.send(100); err != nil || result.Left != 0 {
		t.Fatalf("after its return %+v, %v", result, err)
	}
	s.oneEach(20)
}

// A worker that is killed has recorded what it sent, or is about to: the next goes on with the rest.
func TestAnnouncements_aWorkerThatIsStoppedSendsNothingTwice(t *testing.T) {
	s := newAnnouncementFixture(t, 20)
	s.sender.after.Store(6)
	_, _ = s.send(100) // whatever a dying worker says
	if left := s.pending(); left == 0 || left > 14 {
		t.Errorf("%d are left", left)
	}
	s.due()
	if result, err := s.send(100); err != nil || result.Left != 0 {
		t.Fatalf("the next %+v, %v", result, err)
	}
	s.oneEach(20)
}

func TestAnnouncements_aNewerOneReplacesOnesThatWait(t *testing.T) {
	s := newAnnouncementFixture(t, 6)
	s.sink.Stop()
	if _, err := s.send(100); err == nil {
		t.Fatal("no server is no failure")
	}
	all, err := s.Emergencies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(72 * time.Hour).Truncate(time.Second)
	if _, err := app.ChangeEmergency(t.Context(), s, desk.Person{}, all[0].ID, desk.EmergencyChange{Until: &until}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.environment(context.Background(), 1e6).ExecuteActivity("PrepareAnnouncements", ticket.AnnounceRequest{CheckedAt: time.Now(), Revision: 1e6}); err != nil {
		t.Fatal(err)
	}
	s.sink.Restart()
	s.due()
	if result, err := s.send(100); err != nil || result.Sent != 6 || result.Left != 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	s.oneEach(6)
	for _, m := range s.sink.Messages() {
		if !strings.HasPrefix(m.Subject, "Our support is closed until ") { // no change, to people who had not heard of it
			t.Errorf("subject %q", m.Subject)
		}
	}
}

// A recipient that fails delays no other.
func TestAnnouncements_refusedAndDeferredOnesHoldUpNoOneElse(t *testing.T) {
	s := newAnnouncementFixture(t, 8)
	s.sink.RejectRecipients(func(_, to string) *smtp.SMTPError {
		switch {
		case strings.HasPrefix(to, "demo1@"):
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		case strings.HasPrefix(to, "demo2@"):
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
		}
		return nil
	})
	s.SQL(`UPDATE people SET disabled_at = now() WHERE address = 'demo3@example.com'`)
	s.SQL(`UPDATE tickets SET requester = (SELECT id FROM people WHERE address = 'demo5@example.com') WHERE requester = (SELECT id FROM people WHERE address = 'demo4@example.com')`)
	result, err := s.send(100)
	if err != nil || result.Sent != 5-1 || result.Bounced != 2 || result.Left != 1 || time.Until(result.Next) < 30*time.Second {
		t.Errorf("%+v, %v", result, err)
	}
	counts, err := s.AnnouncementMails(t.Context(), s.emergency())
	if got := fmt.Sprint(counts, err); got != "map[bounced:2 owed:1 sent:4 superseded:1] <nil>" {
		t.Error(got)
	}
}

func (s *announcementFixture) emergency() ticket.EmergencyID {
	s.t.Helper()
	all, err := s.Emergencies(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return all[0].ID
}

func TestAnnouncements_keepToTheirRate(t *testing.T) {
	s := newAnnouncementFixture(t, 6)
	began := time.Now()
	if _, err := s.environment(context.Background(), 20).ExecuteActivity("SendAnnouncements", ticket.SendAnnouncementsRequest{Most: 6}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 240*time.Millisecond {
		t.Errorf("6 mails at 20 a second took %s", took)
	}
}

func TestAnnouncements_revealNoRecipientsToTemporal(t *testing.T) {
	s := newAnnouncementFixture(t, 1)
	s.sink.RejectMails(func(mailtest.Message) *smtp.SMTPError {
		return &smtp.SMTPError{Code: 421, Message: "demo0@example.com: later"}
	})
	_, err := s.send(1)
	if err == nil || strings.Contains(err.Error(), "demo0") || errors.Is(err, context.Canceled) {
		t.Errorf("Temporal receives %v", err)
	}
}
