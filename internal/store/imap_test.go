package store_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

const inbox = "support@mail.example:993/INBOX"

// claimMailbox claims the mailbox at an address.
func (d *fixture) claimMailbox(address, owner string, lasts time.Duration) (desk.MailboxPosition, bool) {
	d.t.Helper()
	p, held, err := d.ClaimMailbox(d.t.Context(), "support", address, owner, lasts)
	if err != nil {
		d.t.Fatal(err)
	}
	return p, held
}

func TestMailbox_hasOneReaderThatAloneMovesItsPosition(t *testing.T) {
	t.Parallel()
	d := open(t)
	at := desk.MailboxPosition{Validity: 1<<32 - 1, UID: 1<<32 - 1}
	if p, held := d.claimMailbox(inbox, "one", time.Minute); !held || p != (desk.MailboxPosition{}) {
		t.Fatal(p, held)
	}
	if _, held := d.claimMailbox(inbox, "two", time.Minute); held {
		t.Error("two readers have it")
	}
	if err := d.AdvanceMailbox(t.Context(), "support", "one", at, true); err != nil {
		t.Fatal(err)
	}
	if p, held := d.claimMailbox(inbox, "one", -time.Second); !held || p != at { // renewed, and expired
		t.Error(p, held)
	}
	if p, held := d.claimMailbox(inbox, "two", time.Minute); !held || p != at {
		t.Error(p, held)
	}
	if err := d.AdvanceMailbox(t.Context(), "support", "one", desk.MailboxPosition{Validity: 1, UID: 1}, true); fault.KindOf(err) != fault.Conflict {
		t.Errorf("who lost it moves its position: %v", err)
	}
	if err := d.SkipMail(t.Context(), "one", desk.MailboxPosition{Validity: 1, UID: 1}, desk.SkippedMail{Mailbox: "support", Reason: "too large"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("who lost it skips a mail: %v", err)
	}
	if err := d.ReleaseMailbox(t.Context(), "support", "one", "fails"); err != nil {
		t.Fatal(err)
	}
	if p, held := d.claimMailbox(inbox, "three", time.Minute); held {
		t.Errorf("who lost it released it: %v", p)
	}
	if err := d.ReleaseMailbox(t.Context(), "support", "two", ""); err != nil {
		t.Fatal(err)
	}
	if p, held := d.claimMailbox(inbox, "three", time.Minute); !held || p != at {
		t.Error(p, held)
	}
}

func TestMailbox_atAnotherAddressIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.claimMailbox(inbox, "one", time.Minute)
	if err := d.AdvanceMailbox(t.Context(), "support", "one", desk.MailboxPosition{Validity: 1, UID: 9}, true); err != nil {
		t.Fatal(err)
	}
	if p, held := d.claimMailbox("support@other.example:993/INBOX", "one", time.Minute); !held || p != (desk.MailboxPosition{}) {
		t.Error(p, held)
	}
}

func TestMailbox_failsUntilItIsReadOrNoLongerConfigured(t *testing.T) {
	t.Parallel()
	d := open(t)
	status := func() desk.MailboxStatus {
		all, err := d.MailboxStatuses(t.Context())
		if err != nil || len(all) > 1 {
			t.Fatal(all, err)
		}
		return append(all, desk.MailboxStatus{})[0]
	}
	fail := func(why string) desk.MailboxStatus {
		d.claimMailbox(inbox, "one", time.Minute)
		if err := d.ReleaseMailbox(t.Context(), "support", "one", why); err != nil {
			t.Fatal(err)
		}
		return status()
	}
	first := fail("connect: refused")
	if again := fail("sign in: \x00wrong\xff"); !again.Unread(time.Now()) || !again.Failing.Equal(first.Failing) || again.Error != "sign in: wrong" {
		t.Errorf("%+v", again)
	}
	d.claimMailbox(inbox, "one", time.Minute)
	if err := d.AdvanceMailbox(t.Context(), "support", "one", desk.MailboxPosition{Validity: 1, UID: 1}, true); err != nil {
		t.Fatal(err)
	}
	if now := time.Now(); status().Unread(now) || !status().Unread(now.Add(desk.MailboxStale+time.Minute)) {
		t.Errorf("%+v", status())
	}
	fail("connect: refused")
	for i, c := range []struct {
		names  []string
		idle   time.Duration
		unread bool
	}{{[]string{"support"}, 0, true}, {nil, time.Hour, true}, {nil, 0, false}} {
		if err := d.RetireMailboxes(t.Context(), c.names, c.idle); err != nil {
			t.Fatal(err)
		}
		if got := status().Unread(time.Now()); got != c.unread {
			t.Errorf("%d: unread %v", i, got)
		}
	}
}
