package account

import "github.com/holesalemart/supportdesk/api/page"

// routes lists all routes of these pages.
func (p *Pages) routes() []page.Route {
	return []page.Route{
		page.Get("/sign-in", page.Anyone, p.showSignIn),
		page.Entrance("/sign-in", p.signIn),
		page.Entrance("/sign-in/link", p.askLink),
		page.Get("/sign-in/again", page.SignedIn, p.showAgain),
		page.Post("/sign-in/again", page.SignedIn, p.signInAgain),
		page.Get("/sign-in/sent", page.Anyone, p.showSent),
		page.Get("/sign-in/openid", page.Anyone, p.beginOpenID),
		page.Get("/sign-in/openid/callback", page.Anyone, p.finishOpenID),
		page.Entrance("/sign-out", p.signOut),

		page.Get("/link/:token", page.Anyone, p.showLink),
		page.Entrance("/link/:token", p.useLink),
		page.Get("/register", page.Anyone, p.showRegister),
		page.Entrance("/register", p.register),
		page.Get("/reset", page.Anyone, p.showReset),
		page.Entrance("/reset", p.reset),

		page.Get("/account", page.SignedIn, p.showAccount),
		page.Post("/account/name", page.SignedIn, p.changeName),
		page.Post("/account/password", page.SignedIn, p.changePassword),
		page.Post("/account/address", page.SignedIn, p.changeAddress),
		page.Post("/account/sign-out-everywhere", page.SignedIn, p.signOutEverywhere),
		page.Post("/account/tokens", page.SignedIn, p.makeToken),
		page.Post("/account/tokens/:id/revocation", page.SignedIn, p.revokeToken),

		page.Get("/people", page.Administrators, p.showPeople),
		page.Get("/people/events", page.Administrators, p.showEvents),
		page.Post("/people", page.Recently(page.Administrators, "/people"), p.invite),
		page.Post("/people/:id/role", page.Recently(page.Administrators, "/people"), p.setRole),
		page.Get("/people/:id/disable", page.Administrators, p.askDisable),
		page.Post("/people/:id/disable", page.Recently(page.Administrators, "/people"), p.disable),
		page.Post("/people/:id/enable", page.Recently(page.Administrators, "/people"), p.enable),
		page.Post("/people/:id/withdrawal", page.Recently(page.Administrators, "/people"), p.uninvite),
	}
}
