package portal

import "github.com/holesalemart/supportdesk/api/page"

// Who a ticket's page is for depends on the ticket, so showing and acting find out.
var (
	shown     = page.Access{Who: "The ticket's requester, signed in or by the link in a mail; staff are sent to the desk."}
	requester = page.Access{Who: "The ticket's requester, signed in or by the link in a mail."}
)

// routes is every page of the portal.
func (p *Pages) routes() []page.Route {
	get, post := page.Get, page.Post
	return []page.Route{
		get("/", page.Anyone, p.home),
		get("/dashboard", page.SignedIn, p.dashboard),

		get("/tickets", page.SignedIn, p.list),
		get("/tickets/new", page.Customers, p.form),
		post("/tickets", page.Customers, p.submit),
		get("/tickets/:number", shown, p.showing(p.ticket)),
		get("/tickets/:number/live", shown, p.showing(p.live)),
		get("/tickets/:number/receipt", shown, p.showing(p.receipt)),
		post("/tickets/:number/replies", requester, p.acting(p.reply)),
		post("/tickets/:number/confirmation", requester, p.acting(p.confirm)),
		post("/tickets/:number/withdrawal", requester, p.acting(p.withdraw)),
		post("/tickets/:number/rating", requester, p.acting(p.rate)),

		get("/c/:token", page.Anyone, p.open),
		get("/track", page.Anyone, p.trackTyped),
		get("/track/:number", page.Anyone, p.trackNumber),
		get("/notice", page.Anyone, p.notice),
		get("/suggestions", page.Anyone, p.suggestions),
		post("/suggestions", page.Anyone, p.suggest),
		get("/policy", page.Anyone, p.policyInForce),
		get("/policy/:version", page.Anyone, p.policyVersion),
	}
}
