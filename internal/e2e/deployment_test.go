package e2e_test

import (
	"strings"
	"testing"
)

// Everything that an operator looks at says that a worker gets no tickets because its deployment has another name, and a
// promotion moves them.
func TestWorker_saysThatAnotherDeploymentHasItsTickets(t *testing.T) {
	t.Parallel()
	s := start(t, "", append([]string{"SUPPORTDESK_WORKER_BUILD=v1"}, restless...)...)
	number := s.customer.submit("Deployment", "words")
	s.awaitMailed(number)
	usual := s.env
	health := freeAddress(t)
	s.env = append(usual[:len(usual):len(usual)], "SUPPORTDESK_WORKER_DEPLOYMENT=typo", "SUPPORTDESK_HEALTH_ADDRESS="+health)
	typo := s.program("worker", "SUPPORTDESK_WORKER_PROMOTION=manual")
	typo.start()

	const reason = "the deployment supportdesk has the task queue of tickets: its version v1 gets them (workers that poll: 1)"
	eventually(t, "the worker is not ready", func() (bool, string) {
		r, status, seen := s.ready("http://" + health)
		return status == 503 && r.Checks["tickets"].Reason == reason, seen
	})
	s.diagnosed("workers of the deployment typo get no tickets: " + reason)
	eventually(t, "the list shows it", func() (bool, string) {
		out := s.run("workers list")
		return strings.Contains(out, reason+"\nsupportdesk workers promote VERSION moves all tickets to a version of this deployment, typo\n"), out
	})
	s.run("workers promote v1")
	s.worker.stop()
	s.agent.do(number, "notes", words{"body": "From the worker of the other name."})
	eventually(t, "the worker is ready", func() (bool, string) {
		_, status, seen := s.ready("http://" + health)
		return status == 200, seen
	})
	s.diagnosed()

	s.env = append(usual[:len(usual):len(usual)], "SUPPORTDESK_WORKER_DEPLOYMENT=off")
	s.diagnosed("workers without a version do not get all tickets: the deployment typo has the task queue of tickets: its version v1 gets them (workers that poll: 1)")
}
