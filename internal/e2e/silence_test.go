package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/mailtest"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// impatient is Holesalemart's policy with periods of silence that a test can wait for.
func impatient() string {
	return strings.Replace(string(policy.Holesalemart()), "nudge_after: 3d, resolve_after: 7d, close_after: 5d", "nudge_after: 4s, resolve_after: 8s, close_after: 4s", 1)
}

// at is when something happened to a ticket the last time, waiting for it if need be.
func (s *stack) at(number, kind string) entry {
	s.t.Helper()
	var found entry
	eventually(s.t, number+" shows "+kind, func() (bool, string) {
		lines := s.agent.timeline(number)
		for _, e := range lines {
			if e.Kind == kind {
				found = e
			}
		}
		return found.Kind != "", fmt.Sprint(kinds(lines))
	})
	return found
}

// With SMTP away for longer than all periods together nothing is held against the requester; when it is back, the full
// periods begin.
func TestSMTPAway_silenceWaitsForTheQuestion(t *testing.T) {
	t.Parallel()
	document := impatient()
	if !strings.Contains(document, "nudge_after: 4s") {
		t.Fatal("the policy's periods of silence are others than this test replaces")
	}
	s := start(t, document)
	number := s.customer.submit("Which one?", "words")
	s.awaitMailed(number)
	s.mails.Stop()
	s.agent.do(number, "information-requests", words{"body": "The red or the blue one?"})
	asked := s.at(number, "information-requested").At
	eventually(t, "all periods have passed", func() (bool, string) { return time.Since(asked) > 20*time.Second, "" })
	if got := kinds(s.agent.timeline(number)); !slices.Equal(got, []string{"submitted", "assigned", "information-requested"}) {
		t.Errorf("without SMTP came %v", got)
	}
	s.mails.Restart()
	yes := s.at(number, "question-delivered")
	nudged := s.at(number, "nudged")
	if waited := nudged.At.Sub(yes.Since); yes.Since.Sub(asked) < 20*time.Second || waited != 4*time.Second {
		t.Errorf("asked %s, delivered %s, nudged %s", asked, yes.Since, nudged.At)
	}
	resolved := s.at(number, "resolved")
	if waited := resolved.At.Sub(yes.Since); waited < 8*time.Second {
		t.Errorf("delivered %s, resolved %s", yes.Since, resolved.At)
	}
	s.awaitStatus(number, "closed")
}

// bouncing refuses a recipient.
func bouncing(address string) func(from, to string) *smtp.SMTPError {
	return func(_, to string) *smtp.SMTPError {
		if to == address {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		}
		return nil
	}
}

func (s *stack) awaitStatus(number, status string) { s.agent.awaitStatus(number, status) }

// bounce is the number of the mail that came back last.
func (s *stack) bounce(number string) int {
	s.t.Helper()
	return s.at(number, "mail-bounced").Mail
}

func TestBounce_handsTheTicketBackAndTheMailIsSentAgain(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	number := s.customer.submit("Which one?", "words")
	s.awaitMailed(number)
	s.mails.RejectRecipients(bouncing("customer@demo.example"))
	s.agent.do(number, "information-requests", words{"body": "The red or the blue one?"})
	s.at(number, "handed-back")
	s.awaitStatus(number, "open")
	s.mails.Wait(t, func(m mailtest.Message) bool {
		return slices.Contains(m.To, "agent@demo.example") && strings.Contains(m.Text, "could not be delivered")
	})
	again := func(m mailtest.Message) bool { return slices.Contains(m.To, "right@demo.example") }
	s.agent.do(number, fmt.Sprintf("mails/%d/resend", s.bounce(number)), words{"address": "right@demo.example"})
	if m := s.mails.Wait(t, again); !strings.Contains(m.Text, "The red or the blue one?") || !strings.Contains(m.Text, "within 7 days of this email") {
		t.Errorf("sent again: %s", m.Text)
	}
	s.at(number, "question-delivered")
	s.awaitStatus(number, "waiting")

	// The workflow of a closed ticket has ended; a mail that is to be sent again starts it anew.
	s.agent.do(number, "closure", nil)
	closure := 0
	eventually(t, "the closure's mail bounces", func() (bool, string) {
		lines := s.agent.timeline(number)
		last := lines[len(lines)-1]
		closure = last.Mail
		return last.Kind == "mail-bounced", fmt.Sprint(kinds(lines))
	})
	s.awaitEnd(number)
	s.agent.must(http.StatusConflict, http.MethodPost, "/tickets/"+number+"/notes", words{"body": "Too late."})
	s.mails.RejectRecipients(nil)
	s.agent.do(number, fmt.Sprintf("mails/%d/resend", closure), nil)
	s.mails.Wait(t, func(m mailtest.Message) bool {
		return slices.Contains(m.To, "customer@demo.example") && strings.Contains(m.Text, "closed")
	})
	s.awaitEnd(number)
}

// awaitEnd waits until a ticket's workflow has completed.
func (s *stack) awaitEnd(number string) {
	s.t.Helper()
	eventually(s.t, "the workflow of "+number+" ends", func() (bool, string) {
		d, err := s.temporalClient().DescribeWorkflowExecution(s.t.Context(), number, "")
		if err != nil {
			return false, err.Error()
		}
		status := d.GetWorkflowExecutionInfo().GetStatus()
		return status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, status.String()
	})
}

func TestResend_fromTheTicketsPage(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	s := start(t, "")
	number := s.customer.submit("Which one?", "words")
	s.awaitMailed(number)
	s.mails.RejectRecipients(bouncing("customer@demo.example"))
	p := s.window("agent@demo.example", browsertest.Look{})
	p.Goto("/desk/tickets/" + number)
	p.SeeOn("#conversation", "words")
	s.agent.do(number, "information-requests", words{"body": "The red or the blue one?"})
	p.SeeOn("#conversation", "The requester could not be asked by email: the ticket is open again") // without a reload
	p.Settle()
	p.ClickOn(".resend summary")
	p.Fill("To another address, for this email only", "right@demo.example")
	p.ClickOn(".resend button")
	p.SeeOn("#conversation", "sent the email again: the ticket is waiting for the requester again")
	s.mails.Wait(t, func(m mailtest.Message) bool { return slices.Contains(m.To, "right@demo.example") })
	s.at(number, "question-delivered")
}
