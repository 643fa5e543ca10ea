package account

import (
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	accounts "github.com/holesalemart/supportdesk/internal/account"
)

const keyNext = "next" // where to go when the link that was mailed has been used in this browser

type signInView struct {
	page.Layout
	Problems problems
	Address  string
	Next     string
	OpenID   string // name of the provider; empty: none
}

func (p *Pages) signInView(v *page.Visit, address, next string, wrong problems) signInView {
	view := signInView{Layout: v.Layout("Sign in", "/sign-in"), Problems: wrong, Address: address, Next: local(next)}
	if p.openid != nil {
		view.OpenID = p.openid.Name()
	}
	return view
}

func (p *Pages) showSignIn(v *page.Visit) error {
	if v.SignedIn() {
		return v.Redirect(onward(v.Query("next"), v.Person))
	}
	return v.Show("sign-in", p.signInView(v, "", v.Query("next"), problems{}))
}

func (p *Pages) signIn(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	in, err := p.accounts.SignIn(v.Context(), browser(v), form.Get("address"), form.Get("password"))
	if wrong, ok := problemsOf(err); ok {
		return v.ShowStatus(wrong.status, "sign-in", p.signInView(v, form.Get("address"), form.Get("next"), wrong))
	}
	if err != nil {
		return err
	}
	return p.enter(v, in, form.Get("next"))
}

// Where a browser keeps that somebody has signed in there, and for how long.
const (
	deviceCookie = "device"
	deviceLasts  = 365 * 24 * time.Hour
)

func browser(v *page.Visit) accounts.Browser {
	return accounts.Browser{Source: v.Source(), Device: v.Cookie(deviceCookie)}
}

// enter signs somebody in and sends them on.
func (p *Pages) enter(v *page.Visit, in accounts.Entry, next string) error {
	if err := v.Session.SignIn(in.Person, in.Epoch); err != nil {
		return err
	}
	device, err := p.accounts.Device(v.Context(), in.Person.Address)
	if err != nil {
		return err
	}
	v.SetCookie(deviceCookie, device, deviceLasts)
	return v.Redirect(onward(next, in.Person))
}

func (p *Pages) askLink(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	err = p.accounts.AskLink(v.Context(), browser(v), form.Get("address"))
	if wrong, ok := problemsOf(err); ok {
		return v.ShowStatus(wrong.status, "sign-in", p.signInView(v, form.Get("address"), form.Get("next"), wrong))
	}
	if err != nil {
		return err
	}
	if next := local(form.Get("next")); next != "" {
		v.Session.Put(keyNext, next)
	}
	return v.Redirect("/sign-in/sent?for=link")
}

type sentView struct {
	page.Layout
	What  string // has been sent
	Again string // where to try another address
}

func (p *Pages) showSent(v *page.Visit) error {
	view := sentView{Layout: v.Layout("Look into your mailbox", "/sign-in"), What: "a link that signs you in", Again: "/sign-in"}
	switch v.Query("for") {
	case "reset":
		view.What, view.Again = "a link to choose a new password", "/reset"
	case "register":
		view.What, view.Again = "a link to confirm it", "/register"
	}
	return v.Show("sent", view)
}

func (p *Pages) signOut(v *page.Visit) error {
	if v.SignedIn() {
		if err := p.accounts.SignedOut(v.Context(), v.Person); err != nil {
			return err
		}
	}
	if err := v.Session.SignOut(); err != nil {
		return err
	}
	return v.Redirect("/")
}

// askView is a page that asks for an address, and for a name when it is a registration.
type askView struct {
	page.Layout
	Problems      problems
	Name, Address string
}

func (p *Pages) showRegister(v *page.Visit) error {
	if v.SignedIn() {
		return v.Redirect(home(v.Person))
	}
	return v.Show("register", askView{Layout: v.Layout("Create an account", "/register")})
}

func (p *Pages) register(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	name, address := form.Get("name"), form.Get("address")
	err = p.accounts.Register(v.Context(), v.Source(), name, address)
	return asked(v, err, "register", askView{Layout: v.Layout("Create an account", "/register"), Name: name, Address: address})
}

func (p *Pages) showReset(v *page.Visit) error {
	return v.Show("reset", askView{Layout: v.Layout("Choose a new password", "/sign-in"), Address: v.Person.Address})
}

func (p *Pages) reset(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	address := form.Get("address")
	err = p.accounts.AskReset(v.Context(), browser(v), address)
	return asked(v, err, "reset", askView{Layout: v.Layout("Choose a new password", "/sign-in"), Address: address})
}

// asked answers a page that asks for an address.
func asked(v *page.Visit, err error, name string, view askView) error {
	if wrong, ok := problemsOf(err); ok {
		view.Problems = wrong
		return v.ShowStatus(wrong.status, name, view)
	}
	if err != nil {
		return err
	}
	return v.Redirect("/sign-in/sent?for=" + name)
}
