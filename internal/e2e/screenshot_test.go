package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// heaviest is what a picture may weigh, in bytes: the README shows them all.
const heaviest = 200 << 10

// TestScreenshots takes the README's pictures of a desk that is lived in. `make screenshots` keeps them.
func TestScreenshots(t *testing.T) {
	browsertest.Require(t)
	s := start(t, "")
	s.run("demo", "--tickets", "400")
	s.api.kill()
	s.api = s.program("api", "SUPPORTDESK_MAIL_FROM=Demo Shop Support <support@demo.example>") // a name to be seen
	s.api.start()
	s.agent.must(http.StatusOK, http.MethodGet, "/tickets", nil)
	c := camera{t: t, dir: os.Getenv("SUPPORTDESK_SCREENSHOTS")}
	if c.dir == "" {
		c.dir = t.TempDir()
	}
	wide, phone := browsertest.Look{Width: 1280, Height: 800}, browsertest.Look{Width: 390, Height: 800}
	light, dark := browsertest.Look{Width: 1440, Height: 900}, browsertest.Look{Width: 1440, Height: 900, Dark: true}

	visitor := s.window("", wide)
	visitor.Goto("/")
	c.take(visitor, "home")

	customer := s.window("customer@demo.example", wide)
	fillInFor(customer)
	c.take(customer, "confirmation")
	customer.Goto("/tickets?status=resolved")
	customer.ClickOn(".ticket-link")
	customer.SeeOn("#conversation", "Demo")
	c.take(customer, "ticket")
	customer.Look(phone)
	customer.Goto("/dashboard")
	c.take(customer, "dashboard-phone")

	agent := s.window("agent@demo.example", light)
	agent.Goto("/desk?queue=mine")
	agent.ClickOn("#rows a[data-number]")
	agent.SeeOn("#conversation", "Demo")
	c.take(agent, "desk")
	agent.Look(dark)
	agent.Press("Control+k")
	agent.SeeOn("#palette", "")
	c.take(agent, "desk-dark-palette")

	supervisor := s.window("supervisor@demo.example", wide)
	supervisor.Goto("/supervision")
	c.take(supervisor, "supervision")
	supervisor.Goto("/supervision/promises")
	c.take(supervisor, "promises")
	write(supervisor)
	c.take(supervisor, "policy-editor")
	supervisor.Look(browsertest.Look{Width: 1280, Height: 800, Dark: true})
	c.take(supervisor, "policy-editor-dark")
	supervisor.Look(wide)
	dryRun(supervisor)
	c.take(supervisor, "emergency-dry-run")
	supervisor.Click("Declare emergency")
	supervisor.SeeOn("#reach", "All open tickets are up to date")
	supervisor.Until("everyone has their mail", mailed)
	c.take(supervisor, "emergency")
}

// write changes the policy in the editor, and publishes nothing.
func write(p *browsertest.Page) {
	p.Goto("/supervision/policies/new")
	mark(p, "72h, counts: business_hours")
	p.Type("3d, counts: business_days")
	p.SeeOn("#findings .differences", "First response")
	p.Settle()
}

// dryRun fills in an emergency as far as its dry run.
func dryRun(p *browsertest.Page) {
	p.Goto("/supervision/emergencies/new")
	p.ClickOn("#kind-closed")
	p.Fill("Notice", waterInOffice+" We are back as soon as it is dry.")
	p.Click("Dry run")
	p.See("Declare the emergency?")
}

func fillInFor(p *browsertest.Page) {
	p.Goto("/tickets/new")
	p.Fill("Subject", "The blue mug arrived broken")
	p.Fill("Message", "The handle is off. May I have another one?")
	p.Click("Submit ticket")
	p.See("We have your request")
}

// camera keeps pictures in a directory.
type camera struct {
	t   *testing.T
	dir string
}

func (c camera) take(p *browsertest.Page, name string) {
	c.t.Helper()
	file := filepath.Join(c.dir, name+".png")
	p.Screenshot(file)
	info, err := os.Stat(file)
	if err != nil {
		c.t.Fatal(err)
	}
	if info.Size() > heaviest {
		c.t.Errorf("the picture %s weighs %d bytes", name, info.Size())
	}
}
