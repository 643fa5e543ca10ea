package e2e_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/mailtest"
)

// customersLife is everything that a customer does, from registering to rating, in a browser of any kind. Staff
// answer through the API: their side has journeys of its own. With scripts the ticket's page is never reloaded.
func customersLife(address string, look browsertest.Look) func(*testing.T, *stack) {
	return func(t *testing.T, s *stack) {
		p := browsertest.Open(t, s.base, look)
		check := func() {
			if !look.NoScript {
				checkHere(t, p, asUsual)
			}
		}
		register(p, s, address, check)
		number := submit(p, "A jar of jam is broken")
		check()
		track(s, number)
		openByMail(s, address, number)
		p.Click("View ticket")
		p.At("/tickets/" + number)
		p.SeeOn("#conversation", "It came in pieces.")
		changed := func() {
			if look.NoScript {
				p.Reload()
			}
		}

		s.agent.do(number, "information-requests", words{"body": "Which jar is it?"})
		changed()
		p.SeeOn("#conversation", "Which jar is it?")
		p.SeeOn("#ticket-head", "Waiting for you")
		p.Fill("Your reply", "The blue one.")
		p.Click("Send")
		p.SeeOn("#conversation", "The blue one.")
		s.agent.awaitStatus(number, "open")

		s.agent.do(number, "resolution", words{"body": "A new jar is on its way."})
		changed()
		p.SeeOn("#conversation", "A new jar is on its way.")
		p.Click("Yes, it is resolved")
		p.SeeOn("#ticket-head", "Closed")
		s.agent.awaitStatus(number, "closed")
		p.Click("5")
		p.Fill("Comment", "Quick and kind.")
		p.Click("Send rating")
		p.See("You rated us 5 out of 5")
		check()

		p.Click("Open a follow-up")
		p.See("This follows up on", number)
		followUp := fillIn(p, "It broke again")
		p.Click("View ticket")
		p.Click("Withdraw this ticket")
		p.Click("Withdraw")
		p.SeeOn("#ticket-head", "Closed")
		s.agent.awaitStatus(followUp, "closed")
		suggest(p)
		signOut(p, number)
	}
}

// signOut leaves, and then nothing of the tickets can be seen any more.
func signOut(p *browsertest.Page, number string) {
	p.Click("Account of Demo Newcomer")
	p.Click("Sign out")
	p.SeeOn("header", "Sign in")
	p.Goto("/tickets/" + number)
	p.At(`/sign-in\?next=.*`)
}

func suggest(p *browsertest.Page) {
	p.Click("Suggestion box")
	p.Fill("Your suggestion", "Softer boxes, please.")
	p.Click("Send suggestion")
	p.See("Thank you")
}

// register makes an account by the website and the link in the mail.
func register(p *browsertest.Page, s *stack, address string, check func()) {
	s.t.Helper()
	p.Goto("/")
	p.Click("Create an account")
	p.Fill("Your name", "Demo Newcomer")
	p.Fill("Email address", address)
	p.Click("Email me the link")
	p.See("Check your inbox")
	check()
	link := s.linkMailed(address)
	p.Goto(link) // as a mail scanner does, which must not use it up
	p.Goto(link)
	check()
	p.Fill("New password", "a jar of plum jam, please")
	p.ClickOn("main form button")
	p.At("/dashboard")
	p.See("Hello Demo Newcomer")
}

// submit hands in a ticket as the published policy says: Dashboard, Support Ticket, form.
func submit(p *browsertest.Page, subject string) string {
	p.Goto("/dashboard")
	p.Click("Support Ticket")
	p.At(`/tickets/new\?form=.*`)
	return fillIn(p, subject)
}

// fillIn sends the form for a ticket, and returns the number that the confirmation shows with both dates.
func fillIn(p *browsertest.Page, subject string) string {
	p.Fill("Subject", subject)
	p.Fill("Message", "It came in pieces.\n\nPlease help.")
	p.Click("Submit ticket")
	number := p.At(`/tickets/([A-Z0-9-]+)/receipt`)
	p.See("We have your request", number, "first response by", "resolve it by")
	if dates := browsertest.Value[int](p, `document.querySelectorAll(".promise-date time").length`); dates != 2 {
		p.See("both promised dates")
	}
	return number
}

// track looks a ticket up as anyone with its number can, and sees its promises and none of its words.
func track(s *stack, number string) {
	s.t.Helper()
	p := s.window("", browsertest.Look{})
	p.Goto("/track")
	p.Fill("Ticket number", number)
	p.Click("Track")
	p.See(number, "Received", "First response", "Resolution")
	if text := p.Read("main"); strings.Contains(text, "jam") || strings.Contains(text, "Newcomer") {
		s.t.Errorf("tracking shows words or names: %s", text)
	}
}

// openByMail reads the conversation by the link in the receipt, without signing in.
func openByMail(s *stack, address, number string) {
	s.t.Helper()
	receipt := s.mails.Wait(s.t, func(m mailtest.Message) bool {
		return slices.Contains(m.To, address) && strings.Contains(m.Subject, number)
	})
	p := s.window("", browsertest.Look{})
	p.Goto(mailedLink.FindString(receipt.Text))
	p.At("/tickets/" + number)
	p.SeeOn("#conversation", "It came in pieces.")
	p.See("which shows this ticket only")
}

var mailedLink = regexp.MustCompile(`https?://\S+/(?:link|c)/[^\s>]+`)

// linkMailed waits for a mail to someone with a link that lets them in, and returns the link.
func (s *stack) linkMailed(address string) string {
	s.t.Helper()
	mail := s.mails.Wait(s.t, func(m mailtest.Message) bool {
		return slices.Contains(m.To, address) && mailedLink.MatchString(m.Text)
	})
	return mailedLink.FindString(mail.Text)
}
