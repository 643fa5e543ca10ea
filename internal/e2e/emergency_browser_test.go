package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/mailtest"
)

const waterInOffice = "Water stands in our office, and no one can work there."

// emergencies are a closure and a delay, from the form to the last mail. They move the whole desk, so nothing else runs
// beside them but what is to be seen under their notices.
func emergencies(t *testing.T, s *stack) {
	s.run("people add", "--role", "customer", "--name", "Demo Waiter", "--email", waiter)
	own := s.window(waiter, browsertest.Look{})
	numbers := []string{submit(own, "The yak blanket is thin"), submit(own, "The zebu saddle is small")}
	own.Goto("/tickets/" + numbers[0])
	before := promised(own, 2)
	supervisor := s.window("supervisor@demo.example", browsertest.Look{})

	first := declare(t, s, supervisor, "closed")
	own.Until("no promise has a date", `document.querySelectorAll("#ticket-side .promise-paused").length === 2`) // without a reload
	checkClosed(s, own, numbers[0])
	s.announced(supervisor, "Our support is closed", numbers...)
	t.Run("under its notice", func(t *testing.T) { sideBySide(t, s, walks(withNotice, "[^?]*")) }) // what is asked for changes no notice
	supervisor.Goto("/supervision/emergencies/" + first)
	finish(t, supervisor)
	s.announced(supervisor, "Our support is open again", numbers...)
	e := s.emergencyOf(first)
	moved(own, before, e.Until.Sub(e.From))
	own.Reload()
	own.Until("nothing is announced any more", `!document.querySelector(".notices")`)

	before = promised(own, 2)
	second := declare(t, s, supervisor, "delayed")
	moved(own, before, 24*time.Hour)
	s.announced(supervisor, "Our responses take longer", numbers...)
	supervisor.Goto("/supervision/emergencies/" + second)
	supervisor.Fill("Extension of targets", "2")
	supervisor.Click("Dry run")
	supervisor.See("Change the emergency?", "instead of")
	checkHere(t, supervisor, withNotice)
	supervisor.Click("Save changes")
	supervisor.See("The emergency has been changed")
	moved(own, before, 48*time.Hour)
	s.announced(supervisor, "Update: Our responses take longer", numbers...)
	finish(t, supervisor)
	s.announced(supervisor, "Our response times are back to normal")
	moved(own, before, 48*time.Hour) // what was promised in it stays so
	s.checkAnnouncements()
}

const waiter = "waiter@demo.example"

// declare fills in the form, reads the dry run and confirms. It returns the emergency's ID.
func declare(t *testing.T, s *stack, p *browsertest.Page, kind string) string {
	t.Helper()
	p.Goto("/supervision")
	p.Click("Emergencies")
	p.Click("Declare an emergency")
	p.ClickOn("#kind-" + kind)
	p.Fill("Notice", waterInOffice)
	p.Click("Dry run")
	p.See("Declare the emergency?", "Nothing has been changed yet", waterInOffice)
	p.Until("it says whom it writes to", `/\d+ people will receive one email each/.test(document.body.innerText)`)
	checkHere(t, p, asUsual)
	if current := s.supervisor.must(http.StatusOK, http.MethodGet, "/emergencies/current", nil); strings.Contains(string(current.body), waterInOffice) {
		t.Errorf("the dry run declared it: %s", current.body)
	}
	p.Click("Declare emergency")
	id := p.At(`/supervision/emergencies/(E-\w+)`)
	p.See("The emergency has been declared")
	awaitUpToDate(p)
	return id
}

// finish lifts the emergency whose page is open, after its dry run.
func finish(t *testing.T, p *browsertest.Page) {
	t.Helper()
	p.Click("Lift …")
	p.See("Lift the emergency?")
	checkHere(t, p, withNotice)
	p.Click("Lift now")
	p.See("The emergency has been lifted")
	awaitUpToDate(p)
}

// awaitUpToDate watches the emergency's page until every open ticket is up to date.
func awaitUpToDate(p *browsertest.Page) {
	p.SeeOn("#reach", "All open tickets are up to date")
	p.Until("all are up to date", `(e => e.max > 10 && e.value === e.max)(document.querySelector("#reach progress"))`)
}

// checkClosed sees the notice and the clocks that are paused, as the ticket's requester and as a visitor.
func checkClosed(s *stack, own *browsertest.Page, number string) {
	own.Reload()
	own.SeeOn(".notices", "Our support is closed until further notice")
	own.SeeOn(".notices", waterInOffice)
	own.SeeOn("#timeline-heading + ol", "are paused")
	visitor := s.window("", browsertest.Look{})
	visitor.Goto("/track/" + number)
	visitor.SeeOn(".notices", "Our support is closed until further notice")
	visitor.Until("no promise has a date", `document.querySelectorAll(".promise-paused").length === 2`)
	visitor.Click("What this means")
	visitor.At("/notice")
	visitor.See(waterInOffice)
}

// promised reads n dates of a ticket's page.
func promised(p *browsertest.Page, n int) []time.Time {
	const dates = `[...document.querySelectorAll("#ticket-side .promise-due .promise-date time")].map(e => e.dateTime)`
	p.Until("the page promises dates", fmt.Sprint(dates, ".length === ", n))
	return browsertest.Value[[]time.Time](p, dates)
}

// moved waits, without a reload, until each date is later by a length of time to the second.
func moved(p *browsertest.Page, before []time.Time, by time.Duration) {
	var dates []string
	for _, at := range before {
		dates = append(dates, at.Add(by).UTC().Format(time.RFC3339))
	}
	p.Until("the promises moved by "+by.String(), `[...document.querySelectorAll("#ticket-side .promise-due .promise-date time")].map(e => e.dateTime).join(" ") === "`+strings.Join(dates, " ")+`"`)
}

type emergencySpan struct {
	From  time.Time `json:"starts_at"`
	Until time.Time `json:"ends_at"`
}

func (s *stack) emergencyOf(id string) emergencySpan {
	s.t.Helper()
	var v struct{ Emergency emergencySpan }
	if err := s.supervisor.must(http.StatusOK, http.MethodGet, "/emergencies/"+id, nil).into(&v); err != nil || v.Emergency.Until.IsZero() {
		s.t.Fatalf("the emergency is %+v, %v", v, err)
	}
	return v.Emergency
}

// mailed is true on an emergency's page when every mail that was announced is sent.
const mailed = `/^(\d+) of \1 emails sent(?!.*to go)/.test(document.querySelector("#mails").innerText)`

// announced waits for the mail that announces something of an emergency, about all of a customer's tickets at once.
func (s *stack) announced(p *browsertest.Page, subject string, numbers ...string) {
	s.t.Helper()
	mail := s.mails.Wait(s.t, func(m mailtest.Message) bool {
		return slices.Contains(m.To, waiter) && strings.HasPrefix(m.Subject, subject)
	})
	for _, number := range numbers {
		if !strings.Contains(mail.Text, number) {
			s.t.Errorf("%q says nothing of %s:\n%s", mail.Subject, number, mail.Text)
		}
	}
	p.Until("no mail is pending", mailed)
}

// checkAnnouncements sees that one customer got each mail once, in order.
func (s *stack) checkAnnouncements() {
	s.t.Helper()
	var subjects []string
	for _, m := range s.mails.Messages() {
		if slices.Contains(m.To, waiter) && !strings.HasPrefix(m.Subject, "[") {
			subjects = append(subjects, m.Subject)
		}
	}
	want := []string{
		"Our support is closed until further notice", "Our support is open again",
		"Our responses take longer than usual until further notice",
		"Update: Our responses take longer than usual until further notice", "Our response times are back to normal",
	}
	if !slices.Equal(subjects, want) {
		s.t.Errorf("the customer received %q, not %q", subjects, want)
	}
}
