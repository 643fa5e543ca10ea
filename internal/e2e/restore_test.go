package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/holesalemart/supportdesk/internal/mailtest"
)

// sql runs statements beside the programs, in a database of their cluster; "" is theirs.
func (s *stack) sql(database string, statements ...string) {
	s.t.Helper()
	conn := s.beside(database)
	defer func() { _ = conn.Close(context.Background()) }()
	for _, statement := range statements {
		if _, err := conn.Exec(s.t.Context(), statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
}

func (s *stack) beside(database string) *pgx.Conn {
	s.t.Helper()
	address, err := url.Parse(s.database)
	if err != nil {
		s.t.Fatal(err)
	}
	if database != "" {
		address.Path = "/" + database
	}
	conn, err := pgx.Connect(s.t.Context(), address.String())
	if err != nil {
		s.t.Fatal(err)
	}
	return conn
}

func (s *stack) databaseName() string {
	s.t.Helper()
	config, err := pgx.ParseConfig(s.database)
	if err != nil {
		s.t.Fatal(err)
	}
	return pgx.Identifier{config.Database}.Sanitize()
}

// awaitNothingPending waits until every ticket's mails are sent and on record, and each ticket is decided.
func (s *stack) awaitNothingPending() {
	s.t.Helper()
	conn := s.beside("")
	defer func() { _ = conn.Close(context.Background()) }()
	eventually(s.t, "every mail is sent", func() (bool, string) {
		var owed, undecided int
		err := conn.QueryRow(s.t.Context(), `SELECT (SELECT count(*) FROM deliveries WHERE queue = 'ticket' AND status = 'owed'),
			(SELECT count(*) FROM tickets WHERE taken < last_command)`).Scan(&owed, &undecided)
		return err == nil && owed+undecided == 0, fmt.Sprint(owed, " owed, ", undecided, " undecided: ", err)
	})
}

// halt stops what uses the database, cleanly.
func (s *stack) halt() {
	s.t.Helper()
	s.api.stop()
	s.worker.stop()
}

func (s *stack) resume() {
	s.t.Helper()
	s.worker.start()
	s.api.start()
}

// copyDatabase makes a copy, as pg_dump does.
func (s *stack) copyDatabase() {
	s.t.Helper()
	s.halt()
	s.sql("postgres", `CREATE DATABASE copied TEMPLATE `+s.databaseName()+` STRATEGY file_copy`)
	s.resume()
}

// restoreDatabase puts the copy in the database's place. Nothing runs then.
func (s *stack) restoreDatabase() {
	s.t.Helper()
	s.halt()
	s.sql("postgres", `DROP DATABASE `+s.databaseName()+` WITH (FORCE)`, `ALTER DATABASE copied RENAME TO `+s.databaseName())
}

// askLate asks for a command, and waits until it is decided, however late.
func (c person) askLate(number, noun string, body words) {
	c.stack.t.Helper()
	eventually(c.stack.t, noun+" of "+number+" is accepted", func() (bool, string) {
		got, err := c.try(http.MethodPost, "/tickets/"+number+"/"+noun, "", body)
		if err == nil && got.status >= 300 && got.status != http.StatusServiceUnavailable {
			c.stack.t.Fatalf("%s of %s: %d %s", noun, number, got.status, got.body)
		}
		return err == nil && got.status < 300, fmt.Sprint(got.status, err)
	})
	c.awaitDecided(number)
}

// awaitMail waits for a mail to the customer with some words, later than others.
func (s *stack) awaitMail(number, text string, after int) mailtest.Message {
	s.t.Helper()
	return s.mails.Wait(s.t, func(m mailtest.Message) bool {
		return m.ID > after && strings.Contains(m.Subject, number) && strings.Contains(m.Text, text) && m.To[0] == "customer@demo.example"
	})
}

// The database is lost and restored from a backup, and Temporal knows more than it: docs/restoring.md.
func TestRestore_ofAnOlderDatabase(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	ahead := s.customer.submit("Goes on after the copy", "words")
	ended := s.customer.submit("Closed after the copy", "words")
	closed := s.customer.submit("Closed before the copy", "words")
	s.agent.askLate(ahead, "replies", words{"body": "Before the copy."})
	s.agent.askLate(closed, "closure", words{})
	s.awaitNothingPending()
	s.copyDatabase()

	for i := range 3 { // each with a number that will be used again, of a command and of a mail
		s.agent.askLate(ahead, "replies", words{"body": fmt.Sprint("Lost reply ", i)})
	}
	s.agent.askLate(ended, "closure", words{})
	gone := s.customer.submit("Submitted after the copy", "words")
	s.agent.askLate(gone, "replies", words{"body": "Lost."})
	s.awaitNothingPending()
	s.awaitEnded(ended)
	s.restoreDatabase()

	before := s.mails.Messages()
	s.checkPlan(gone)
	s.run("restored", "--reason", "a disk was lost", "--yes")
	s.resume()

	s.customer.askLate(ended, "replies", words{"body": "But it is not solved."})
	s.agent.askLate(ended, "replies", words{"body": "Then we look again."})
	s.agent.askLate(ahead, "replies", words{"body": "After the restore."})
	s.agent.askLate(ahead, "replies", words{"body": "And once more."})
	s.agent.must(http.StatusConflict, http.MethodPost, "/tickets/"+closed+"/replies", words{"body": "Too late."})
	fresh := s.customer.submit("Submitted after the restore", "words")
	s.awaitMail(fresh, "We have received your request", len(before))
	s.awaitMail(ended, "Then we look again.", len(before))
	first := s.awaitMail(ahead, "After the restore.", len(before))
	second := s.awaitMail(ahead, "And once more.", len(before))
	s.awaitNothingPending()

	if want := s.awaitMail(ahead, "Before the copy.", 0).MessageID; first.InReplyTo != want || second.InReplyTo != first.MessageID {
		t.Errorf("the mails after the restore answer %q and %q, want %q and %q", first.InReplyTo, second.InReplyTo, want, first.MessageID)
	}
	s.checkUsedOnce()
	s.awaitTerminated(gone)
	s.checkNumbersOf(ahead, ended, closed, fresh)
	s.checkEndAtRestore()
}

// checkPlan has the command say what it would do, with nothing done.
func (s *stack) checkPlan(orphan string) {
	s.t.Helper()
	plan := s.run("restored", "--reason", "a disk was lost")
	for _, want := range []string{"open or have something to send: 2\n", "tickets that are not in this database: 1\n", "Nothing has been changed yet."} {
		if !strings.Contains(plan, want) {
			s.t.Errorf("the plan does not say %q:\n%s", want, plan)
		}
	}
	if got := s.workflowStatus(orphan); got != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		s.t.Errorf("the plan did something: %s is %s", orphan, got)
	}
}

// checkUsedOnce looks at every mail that the sink ever got: no Message-ID was used for two, nor any mail sent twice.
func (s *stack) checkUsedOnce() {
	s.t.Helper()
	subjects := map[string]string{}
	for _, m := range s.mails.Messages() {
		if other, used := subjects[m.MessageID]; used {
			s.t.Errorf("%s is the Message-ID of %q and of %q", m.MessageID, other, m.Subject)
		}
		subjects[m.MessageID] = m.Subject
	}
}

func (s *stack) checkNumbersOf(numbers ...string) {
	s.t.Helper()
	for _, n := range numbers {
		checkNumbers(s.t, s.agent.timeline(n))
	}
}

// checkEndAtRestore raises the epoch while programs run: they know a database that is gone, and end.
func (s *stack) checkEndAtRestore() {
	s.t.Helper()
	s.run("restored", "--reason", "again", "--yes")
	s.api.awaitEnd()
	s.worker.awaitEnd()
}

func (s *stack) workflowStatus(number string) enumspb.WorkflowExecutionStatus {
	s.t.Helper()
	d, err := s.temporalClient().DescribeWorkflowExecution(s.t.Context(), number, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return d.GetWorkflowExecutionInfo().GetStatus()
}

func (s *stack) awaitWorkflow(number string, want enumspb.WorkflowExecutionStatus) {
	s.t.Helper()
	eventually(s.t, fmt.Sprint("the workflow of ", number, " is ", want), func() (bool, string) {
		got := s.workflowStatus(number)
		return got == want, got.String()
	})
}

func (s *stack) awaitEnded(number string) {
	s.t.Helper()
	s.awaitWorkflow(number, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
}

func (s *stack) awaitTerminated(number string) {
	s.t.Helper()
	s.awaitWorkflow(number, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED)
}
