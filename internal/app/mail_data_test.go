package app_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// oneMail is a store with one mail and no emergencies.
type oneMail struct {
	ticketMail   app.StoredMail
	announcement app.StoredAnnouncement
	tickets      []app.RequesterTicket
	total        int
	policy       *policy.Policy
	linked       []ticket.Number
}

func (o *oneMail) Mail(context.Context, ticket.Number, int) (app.StoredMail, error) {
	return o.ticketMail, nil
}

func (o *oneMail) AnnouncementMail(context.Context, int64) (app.StoredAnnouncement, error) {
	return o.announcement, nil
}

func (o *oneMail) RequesterTickets(context.Context, ticket.PersonID, int) ([]app.RequesterTicket, int, error) {
	return o.tickets, o.total, nil
}

func (*oneMail) PersonName(context.Context, ticket.PersonID) (string, error) { return "Anna", nil }

func (o *oneMail) ConversationLink(_ context.Context, n ticket.Number, _ ticket.PersonID, _ time.Time) (string, error) {
	o.linked = append(o.linked, n)
	return "conversation", nil
}

func (*oneMail) FileLink(_ context.Context, id desk.FileID, _ ticket.PersonID, _ time.Time) (string, error) {
	return "file " + string(id), nil
}

func (*oneMail) EscalationLink(context.Context, ticket.Number, ticket.PersonID, time.Time) (string, error) {
	return "escalation", nil
}

func (*oneMail) ReplyToken(_ context.Context, to desk.ReplyTo, _ time.Time) (string, error) {
	return fmt.Sprint(to.Number, " ", to.Person, " ", to.Public), nil
}

func (*oneMail) Notices(context.Context) ([]desk.Emergency, error) { return nil, nil }
func (*oneMail) Schedule(context.Context) (ticket.EmergencySchedule, error) {
	return ticket.EmergencySchedule{}, nil
}
func (o *oneMail) Policy(context.Context, int64) (*policy.Policy, error) { return o.policy, nil }
func (o *oneMail) PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error) {
	return 1, o.policy, nil, nil
}

// newOneMail returns a store with a mail that requests information, two minutes after the submission.
func newOneMail(t *testing.T) *oneMail {
	t.Helper()
	p, err := policy.Parse(policy.Holesalemart())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	state := ticket.Draft("HM-0000000000", "P-1", 1, p)
	var timeline []ticket.Event
	for i, c := range []ticket.Command{
		{Verb: ticket.VerbSubmit, By: ticket.Actor{ID: "P-1", Role: ticket.RoleCustomer}, Message: 1, Priority: policy.PriorityNormal, Category: p.Categories[0]},
		{Verb: ticket.VerbRequestInformation, By: ticket.Actor{ID: "P-2", Role: ticket.RoleAgent}, Message: 2},
	} {
		c.Seq, c.At = int64(i+1), at.Add(time.Duration(2*i)*time.Minute)
		step, err := ticket.Decide(state, ticket.Environment{Policy: p}, c)
		if err != nil {
			t.Fatal(err)
		}
		state, timeline = step.Ticket, append(timeline, step.Events...)
	}
	last := timeline[len(timeline)-1].N
	return &oneMail{policy: p, ticketMail: app.StoredMail{
		Data:     desk.MailData{Number: "HM-0000000000", N: 2, Kind: ticket.MailInformationRequest},
		Delivery: desk.DeliveryOwed, Person: "P-1", Requester: "P-1", Policy: 1, About: last, OwedBy: last, Owed: at, Timeline: timeline, Ticket: state,
	}}
}

func TestMailData_showsTheTicketAfterItsEvent(t *testing.T) {
	store := newOneMail(t)
	l, status, err := app.NewMails(store).LoadMail(t.Context(), "HM-0000000000", 2)
	if err != nil || status != desk.DeliveryOwed {
		t.Fatal(status, err)
	}
	if l.Status != ticket.StatusWaiting || l.Silence != store.policy.Silence.ResolveAfter || l.Assignee != "Anna" || l.Token != "conversation" {
		t.Errorf("status %s, silence %s, assignee %q, token %q", l.Status, l.Silence, l.Assignee, l.Token)
	}
	if !l.ResolutionDue.IsZero() || l.Priority != policy.PriorityNormal {
		t.Errorf("while it waits its resolution is due %s", l.ResolutionDue)
	}
	store.ticketMail.About, store.ticketMail.OwedBy = 1, 1
	l, _, err = app.NewMails(store).LoadMail(t.Context(), "HM-0000000000", 2)
	if err != nil || l.Status != ticket.StatusNew || l.Silence != 0 || l.Assignee != "" {
		t.Errorf("of the first event: status %s, silence %s, assignee %q, %v", l.Status, l.Silence, l.Assignee, err)
	}
}

func TestMailData_hasStaffLinksOnlyInEscalations(t *testing.T) {
	for kind, want := range map[ticket.MailKind]string{ticket.MailEscalation: "escalation", ticket.MailReminder: "", ticket.MailReceipt: "conversation"} {
		store := newOneMail(t)
		store.ticketMail.Data.Kind = kind
		if l, _, err := app.NewMails(store).LoadMail(t.Context(), "HM-0000000000", 2); err != nil || l.Token != want {
			t.Errorf("%s: %q, %v; want %q", kind, l.Token, err, want)
		}
	}
}

func TestMailData_hasTheAddressForPublicRepliesOnlyInMailsToStaff(t *testing.T) {
	for _, kind := range ticket.MailKinds() {
		store := newOneMail(t)
		store.ticketMail.Data.Kind = kind
		l, _, err := app.NewMails(store).LoadMail(t.Context(), "HM-0000000000", 2)
		public := ""
		if kind.ToStaff() {
			public = "HM-0000000000 P-1 true"
		}
		if err != nil || l.ReplyToken != "HM-0000000000 P-1 false" || l.PublicReplyToken != public {
			t.Errorf("%s: %q and %q, %v", kind, l.ReplyToken, l.PublicReplyToken, err)
		}
	}
}

func TestAnnouncement_isNotAChangeIfEarlierMailsWereSuperseded(t *testing.T) {
	for name, c := range map[string]struct {
		unsent, sent bool
		total        int
		want         desk.AnnouncementKind
		linked       int
	}{
		"the first":                {false, false, 1, desk.AnnounceChanged, 1},
		"all superseded":           {true, false, 1, desk.AnnounceStarted, 1},
		"one superseded, one sent": {true, true, 1, desk.AnnounceChanged, 1},
		"to one with more tickets": {false, false, 3, desk.AnnounceChanged, 0},
	} {
		t.Run(name, func(t *testing.T) {
			store := newOneMail(t)
			store.announcement = app.StoredAnnouncement{
				Data:     desk.Announcement{Announces: desk.AnnounceChanged, EmergencyTerms: desk.EmergencyTerms{Stage: desk.StageInForce}},
				Delivery: desk.DeliveryOwed, Unsent: c.unsent, Sent: c.sent,
			}
			store.tickets, store.total = []app.RequesterTicket{{Number: "HM-0000000000", Policy: 1, Ticket: store.ticketMail.Ticket}}, c.total
			a, _, _, err := app.NewMails(store).Announcement(t.Context(), 1)
			if err != nil || a.Announces != c.want || len(store.linked) != c.linked || a.More != c.total-1 {
				t.Errorf("announces %s, links %v, %d more, %v", a.Announces, store.linked, a.More, err)
			}
		})
	}
}
