package mailtest_test

import (
	"errors"
	"fmt"
	"net/smtp"
	"net/textproto"
	"testing"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/mailtest"
)

func send(sink *mailtest.Sink, to, subject string) error {
	text := fmt.Sprintf("From: desk@example.com\r\nTo: %s\r\nSubject: %s\r\n\r\nHello\r\n", to, subject)
	return smtp.SendMail(sink.Addr(), nil, "desk@example.com", []string{to}, []byte(text))
}

func code(err error) int {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return answer.Code
	}
	return 0
}

func TestReject_decidesForEachRecipient(t *testing.T) {
	t.Parallel()
	sink := mailtest.New(t)
	sink.RejectRecipients(func(_, to string) *gosmtp.SMTPError {
		if to == "gone@example.com" {
			return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		}
		return nil
	})
	if err := send(sink, "gone@example.com", "one"); code(err) != 550 {
		t.Errorf("gone: %v", err)
	}
	if err := send(sink, "here@example.com", "two"); err != nil {
		t.Errorf("here: %v", err)
	}
	sink.RejectRecipients(nil)
	if err := send(sink, "gone@example.com", "three"); err != nil {
		t.Errorf("after the fault: %v", err)
	}
	got := sink.Messages()
	if len(got) != 2 || got[0].Subject != "two" || got[1].Subject != "three" {
		t.Errorf("kept %d mails: %+v", len(got), got)
	}
}

func TestRejectData_keepsNothing(t *testing.T) {
	t.Parallel()
	sink := mailtest.New(t)
	sink.RejectMails(func(m mailtest.Message) *gosmtp.SMTPError {
		return &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 3, 0}, Message: "later: " + m.Subject}
	})
	if err := send(sink, "a@example.com", "one"); code(err) != 451 {
		t.Errorf("send: %v", err)
	}
	if got := sink.Messages(); len(got) != 0 {
		t.Errorf("kept %+v", got)
	}
}

func TestWait_worksAcrossARestart(t *testing.T) {
	t.Parallel()
	sink := mailtest.New(t)
	if err := send(sink, "a@example.com", "before"); err != nil {
		t.Fatal(err)
	}
	got := make(chan mailtest.Message)
	go func() {
		got <- sink.Wait(t, func(m mailtest.Message) bool { return m.Subject == "after" })
	}()
	sink.Stop()
	if err := send(sink, "a@example.com", "lost"); err == nil {
		t.Error("a stopped sink takes mail")
	}
	sink.Restart()
	if err := send(sink, "a@example.com", "after"); err != nil {
		t.Fatal(err)
	}
	if m := <-got; m.ID != 2 {
		t.Errorf("the mail after the restart is number %d", m.ID)
	}
	if all := sink.WaitCount(t, 2); len(all) != 2 || all[0].Subject != "before" {
		t.Errorf("mails: %+v", all)
	}
}
