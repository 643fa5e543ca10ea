package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/workflows"
)

// doctor runs the command and returns what it says and whether it ended well.
func (s *stack) doctor(args ...string) (string, bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{"doctor"}, args...)...)
	cmd.Env = s.env
	out, err := cmd.Output()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		s.t.Fatal(err)
	}
	return string(out), err == nil
}

// diagnosed wants the doctor's words to be these, in any order, and no others, and waits for that.
func (s *stack) diagnosed(wants ...string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("the doctor finds %q", wants), func() (bool, string) {
		out, well := s.doctor()
		if well != (len(wants) == 0) {
			return false, out
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				return false, out
			}
		}
		lines := strings.Count(out, "\n")
		return lines == max(len(wants), 1) && (len(wants) > 0 || out == "no problems found\n"), out
	})
}

func TestDoctor_saysWhatIsWrongAndRepairsIt(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	pool := s.pool()
	lost, other := s.customer.submit("Lost", "words"), s.customer.submit("Other", "words")
	for _, number := range []string{lost, other} {
		s.agent.awaitStatus(number, "new")
		s.awaitMailed(number)
	}
	s.diagnosed()
	s.worker.stop()
	if err := s.temporalClient().TerminateWorkflow(t.Context(), lost, "", "by mistake"); err != nil {
		t.Fatal(err)
	}
	s.diagnosed("1 ticket has no running workflow, so its targets are not watched: " + lost)

	conn, err := pgx.ConnectConfig(t.Context(), pool.Config().ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), `BEGIN`); err != nil {
		t.Fatal(err)
	}
	s.diagnosed(lost, fmt.Sprintf("session %d of ", conn.PgConn().PID()))
	if _, err := conn.Exec(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}

	if out, well := s.doctor("--repair"); !well || !strings.Contains(out, "1 of 1") {
		t.Errorf("repair ends well: %v, and says\n%s", well, out)
	}
	s.awaitRunning(lost)
	s.diagnosed()

	for _, statement := range []string{
		`UPDATE outcomes SET seq = 9 WHERE ticket = $1`, // nothing refers to it, but its command
		`DELETE FROM outcomes WHERE ticket = $1`,
	} {
		if _, err := pool.Exec(t.Context(), statement, other); err == nil {
			break
		}
	}
	s.diagnosed("ticket " + other + " does not match its timeline: 1 commands are decided and 0 outcomes are on record")
	if out, well := s.doctor("--quick"); !well {
		t.Errorf("in a hurry it reads timelines all the same: %s", out)
	}
	if _, err := pool.Exec(t.Context(), `UPDATE reconciler SET looked_at = now() - interval '1 hour'`); err != nil {
		t.Fatal(err)
	}
	s.diagnosed("does not match its timeline", "no worker has looked for lost workflows since")
	s.temporal.Kill()
	s.diagnosed("does not match its timeline", "no worker has looked", "cannot reach Temporal")
}

func TestReconcile_bringsAWholeLostTemporalBack(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	pool := s.pool()
	const tickets = 20
	s.fill(pool, tickets)
	s.mails.WaitCount(t, tickets)
	s.worker.stop()
	s.temporal.Stop()
	s.removeTemporalData()
	s.temporal.Restart()
	s.diagnosed("Temporal lacks 13 search attributes, so no workflow can proceed: Assignee, ", "20 tickets have no running workflow")
	if out := s.run("reconcile"); !strings.Contains(out, "20 tickets are open or still have emails or webhook calls to send.") || !strings.HasSuffix(out, "done\n") {
		t.Errorf("it says\n%s", out)
	}
	s.diagnosed()
	s.awaitRunning(append(s.numbers(pool, `true`), workflows.EmergencyID)...)
	s.worker.start()
	s.agent.ask(s.numbers(pool, `true`)[0], "replies", words{"body": "answer"})
	s.mails.WaitCount(t, tickets+1)
	s.checkOnce()
}

func TestWorker_outlivesItsNamespace(t *testing.T) {
	t.Parallel()
	s := start(t, "", restless...)
	number := s.customer.submit("Namespace", "words")
	s.agent.awaitStatus(number, "new")
	s.awaitMailed(number)
	_, err := s.temporalClient().OperatorService().DeleteNamespace(t.Context(), &operatorservice.DeleteNamespaceRequest{Namespace: client.DefaultNamespace})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the ticket's workflow is gone", func() (bool, string) {
		runs, seen := s.runs(number)
		return !runs, seen
	})
	s.awaitRunning(number, workflows.EmergencyID)
	s.agent.ask(number, "replies", words{"body": "answer"})
	s.mails.WaitCount(t, 2)
	s.checkOnce()
}

type readiness struct {
	Status    string
	Checks    map[string]struct{ Status, Reason string }
	Workflows *struct {
		Well           bool
		LastLook       *time.Time `json:"last_look"`
		Missing, Stuck int
		Restarted      int
	}
}

func (s *stack) ready(address string) (readiness, int, string) {
	response, err := web.Get(address + "/readyz")
	if err != nil {
		return readiness{}, 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	var r readiness
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	return r, response.StatusCode, fmt.Sprint(response.StatusCode, string(body), err)
}

func TestReady_reportsWorkflowsAndWritesThatFail(t *testing.T) {
	t.Parallel()
	health := freeAddress(t)
	s := start(t, "", append([]string{"SUPPORTDESK_HEALTH_ADDRESS=" + health}, restless...)...)
	for _, address := range []string{s.base, "http://" + health} {
		eventually(t, "all is well at "+address, func() (bool, string) {
			r, status, seen := s.ready(address)
			return status == http.StatusOK && r.Status == "ready" && r.Workflows.Well && r.Workflows.LastLook != nil, seen
		})
	}
	pool := s.pool()
	if _, err := pool.Exec(t.Context(), fmt.Sprintf(`ALTER DATABASE %s SET default_transaction_read_only = on`, pool.Config().ConnConfig.Database)); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the API can't serve", func() (bool, string) {
		r, status, seen := s.ready(s.base)
		return status == http.StatusServiceUnavailable && r.Checks["writes"].Status == "down" && r.Checks["postgresql"].Status == "up", seen
	})
}
