package account

import (
	"cmp"
	"net/url"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
)

const keyNext = "next" // session key of the destination after a mailed link has been used

type signInView struct {
	page.Layout
	Problems problems
	Address  string
	Next     string
	OpenID   string // name of the provider; empty: none
}

func (p *Pages) signInView(v *page.Visit, address, next string, wrong problems) signInView {
	view := signInView{Layout: v.Layout("Sign in", "/sign-in"), Problems: wrong, Address: address, Next: page.Local(next)}
	if p.openid != nil {
		view.OpenID = p.openid.Name()
	}
	return view
}

func (p *Pages) showSignIn(v *page.Visit) error {
	if v.SignedIn() {
		return v.Redirect(destination(v.Query("next"), v.Person))
	}
	return v.Show("sign-in", p.signInView(v, "", v.Query("next"), problems{}))
}

func (p *Pages) signIn(v *page.Visit, form url.Values) error {
	in, err := p.accounts.SignIn(v.Context(), browser(v), form.Get("address"), form.Get("password"))
	if wrong, ok := problemsOf(err); ok {
		return v.ShowStatus(wrong.status, "sign-in", p.signInView(v, form.Get("address"), form.Get("next"), wrong))
	}
	if err != nil {
		return err
	}
	return p.signInAs(v, in, form.Get("next"))
}

// The cookie that marks a browser in which a person has signed in.
const (
	deviceCookie   = "device"
	deviceLifetime = 365 * 24 * time.Hour
)

func browser(v *page.Visit) accounts.Browser {
	return accounts.Browser{Source: v.Source(), Device: v.Cookie(deviceCookie)}
}

// signInAs signs in a person who has just authenticated, and redirects.
func (p *Pages) signInAs(v *page.Visit, in accounts.Authenticated, next string) error {
	return p.signInSince(v, in, time.Now(), next)
}

// signInSince signs in a person who authenticated at an instant; zero: unknown.
func (p *Pages) signInSince(v *page.Visit, in accounts.Authenticated, since time.Time, next string) error {
	if err := v.Session.SignIn(in.Person, in.Epoch, since); err != nil {
		return err
	}
	device, err := p.accounts.Device(v.Context(), in.Person.Address)
	if err != nil {
		return err
	}
	v.SetCookie(deviceCookie, device, deviceLifetime)
	return v.Redirect(destination(next, in.Person))
}

func (p *Pages) askLink(v *page.Visit, form url.Values) error {
	err := p.accounts.RequestLink(v.Context(), browser(v), form.Get("address"))
	if wrong, ok := problemsOf(err); ok {
		return v.ShowStatus(wrong.status, "sign-in", p.signInView(v, form.Get("address"), form.Get("next"), wrong))
	}
	if err != nil {
		return err
	}
	if next := page.Local(form.Get("next")); next != "" {
		v.Session.Put(keyNext, next)
	}
	return v.Redirect("/sign-in/sent?for=link")
}

type sentView struct {
	page.Layout
	What  string // what was sent
	Again string // page to try another address
}

func (p *Pages) showSent(v *page.Visit) error {
	view := sentView{Layout: v.Layout("Check your inbox", "/sign-in"), What: "a sign-in link", Again: "/sign-in"}
	switch v.Query("for") {
	case "reset":
		view.What, view.Again = "a link to choose a new password", "/reset"
	case "register":
		view.What, view.Again = "a confirmation link", "/register"
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

// askView is a page that asks for an address, and for registration also for a name.
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

func (p *Pages) register(v *page.Visit, form url.Values) error {
	name, address := form.Get("name"), form.Get("address")
	err := p.accounts.Register(v.Context(), v.Source(), name, address)
	return answerAsk(v, err, "register", askView{Layout: v.Layout("Create an account", "/register"), Name: name, Address: address})
}

func (p *Pages) showReset(v *page.Visit) error {
	return v.Show("reset", askView{Layout: v.Layout("Choose a new password", "/sign-in"), Address: v.Person.Address})
}

func (p *Pages) reset(v *page.Visit, form url.Values) error {
	address := form.Get("address")
	err := p.accounts.RequestReset(v.Context(), browser(v), address)
	return answerAsk(v, err, "reset", askView{Layout: v.Layout("Choose a new password", "/sign-in"), Address: address})
}

// answerAsk responds to a page that asks for an address.
func answerAsk(v *page.Visit, err error, name string, view askView) error {
	if wrong, ok := problemsOf(err); ok {
		view.Problems = wrong
		return v.ShowStatus(wrong.status, name, view)
	}
	if err != nil {
		return err
	}
	return v.Redirect("/sign-in/sent?for=" + name)
}

// againView asks a person who is signed in to authenticate again.
type againView struct {
	page.Layout
	Problems    problems
	Next        string
	HasPassword bool
	OpenID      string // name of the provider; empty: none, or not for this person
}

func (p *Pages) againView(v *page.Visit, next string, wrong problems) (againView, error) {
	profile, err := p.accounts.Profile(v.Context(), v.Person)
	view := againView{
		Layout: v.Layout("Sign in again", ""), Problems: wrong, Next: page.Local(next), HasPassword: !profile.PasswordSetAt.IsZero(),
	}
	if p.openid != nil && v.Person.Role.Staff() {
		view.OpenID = p.openid.Name()
	}
	return view, err
}

func (p *Pages) showAgain(v *page.Visit) error {
	view, err := p.againView(v, v.Query("next"), problems{})
	if err != nil {
		return err
	}
	return v.Show("sign-in-again", view)
}

func (p *Pages) signInAgain(v *page.Visit, form url.Values) error {
	in, err := p.accounts.Reauthenticate(v.Context(), v.Source(), v.Person, form.Get("current"))
	if wrong, ok := problemsOf(err); ok {
		view, err := p.againView(v, form.Get("next"), wrong)
		if err != nil {
			return err
		}
		return v.ShowStatus(wrong.status, "sign-in-again", view)
	}
	if err != nil {
		return err
	}
	return p.signInAs(v, in, form.Get("next"))
}

// home returns a person's start page.
func home(who desk.Person) string {
	if who.Role.Staff() {
		return "/desk"
	}
	return "/dashboard"
}

// destination returns where to go after signing in.
func destination(next string, who desk.Person) string { return cmp.Or(page.Local(next), home(who)) }
